package config

import (
	"encoding/json"
	"math/big"
	"regexp"
	"strings"
	"testing"
)

// expressions are the patterns as regular expressions, with what \s, \w and . mean in Python.
func expressions() []*regexp.Regexp {
	wide := strings.NewReplacer(`\s`, `[\t\n\v\f\r \x{85}\x{A0}\p{Z}]`, `\w`, `[_\p{L}\p{N}]`)
	var all []*regexp.Regexp
	for _, p := range forbidden {
		all = append(all, regexp.MustCompile("(?s)"+wide.Replace(p.text)))
	}
	return all
}

// The functions agree with the regular expressions that they stand for, and the quick look ahead of
// them leaves out nothing.
func FuzzForbiddenPatterns(f *testing.F) {
	for _, seed := range []string{
		"<SCRIPT", "onload=", "on =on x=", "onon=", "ön=", "../", `\x41`, `\xA`, `\u00e9`, "<%%>", "<%>", "${}", "${", "eval (", "evaleval(", "exec\u00a0(",
		"import\u2003", "require\n(", "____", "___", "__a__", "ſcript", "<ſcript", "İmport ", "javaſcript:", "data\u212A:",
	} {
		f.Add(seed)
	}
	all := expressions()
	f.Fuzz(func(t *testing.T, text string) {
		folded := fold(text)
		var report Report
		textCheck{scanner: &scanner{report: &report}}.look(strings.ToValidUTF8(text, ""))
		found := ""
		for _, finding := range report.Errors {
			found += finding.Message + "\n"
		}
		for i, p := range forbidden {
			want := all[i].MatchString(folded)
			if got := p.in(folded); got != want {
				t.Errorf("%s in %q = %t, want %t", p.text, folded, got, want)
			}
			if strings.ToValidUTF8(text, "") != text {
				continue
			}
			if got := strings.Contains(found, "matching: "+p.text+" ("); got != want {
				t.Errorf("look(%q) finds %s: %t, want %t", text, p.text, got, want)
			}
		}
	})
}

// Numbers are compared as exactly as big.Rat does.
func FuzzDecimal(f *testing.F) {
	for _, seed := range []string{"0", "-0", "1", "10.000000000000000000001", "9.99999999999999999999", "0.05e1", "5e-1", "1e2", "0.1", "0.09", "1e99", "-1", "123456.7", "100000", "0.00001e6"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var report Report
		s := scanner{text: text, report: &report}
		number, ok := s.number()
		if plain := strings.ToLower(text); strings.Contains(plain, "e") && len(plain)-strings.Index(plain, "e") > 4 {
			return // big.Rat takes long for large exponents
		}
		if valid := json.Valid([]byte(text)) && strings.Trim(text, "0123456789eE+-.") == ""; valid != (ok && number == text) {
			t.Fatalf("number(%q) = %q, %t; encoding/json takes it: %t", text, number, ok, valid)
		}
		exact, known := new(big.Rat).SetString(number)
		if !ok || number != text || !known {
			return
		}
		n := numberOf(text)
		for _, row := range fields {
			for _, bound := range []float64{row.Min, row.Max} {
				rat := big.NewRat(tenths(bound), 10)
				if got, want := n.less(bound), exact.Cmp(rat) < 0; got != want {
					t.Errorf("%s less than %v = %t, want %t", text, bound, got, want)
				}
				if got, want := n.more(bound), exact.Cmp(rat) > 0; got != want {
					t.Errorf("%s more than %v = %t, want %t", text, bound, got, want)
				}
			}
		}
		if inside := exact.Sign() >= 0 && exact.Cmp(big.NewRat(1000, 1)) < 0; inside && n.whole() != exact.IsInt() {
			t.Errorf("%s whole = %t, want %t", text, n.whole(), exact.IsInt())
		}
	})
}
