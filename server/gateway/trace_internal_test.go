package gateway

import (
	"net/http"
	"strings"
	"testing"
)

func TestTraceOf(t *testing.T) {
	const id, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	for name, tc := range map[string]struct {
		header string
		flags  byte
		kept   bool
	}{
		"a good one":                   {"00-" + id + "-" + parent + "-01", 1, true},
		"one that is not sampled":      {"00-" + id + "-" + parent + "-00", 0, true},
		"flags that nobody knows":      {"00-" + id + "-" + parent + "-ff", 3, true},
		"a later version":              {"cc-" + id + "-" + parent + "-01", 1, true},
		"a later version with more":    {"cc-" + id + "-" + parent + "-01-what-will-be", 1, true},
		"a later version, badly ended": {"cc-" + id + "-" + parent + "-01.what", 0, false},
		"version 00 with more":         {"00-" + id + "-" + parent + "-01-x", 0, false},
		"the version that cannot be":   {"ff-" + id + "-" + parent + "-01", 0, false},
		"upper case":                   {"00-" + strings.ToUpper(id) + "-" + parent + "-01", 0, false},
		"a trace of nothing":           {"00-" + strings.Repeat("0", 32) + "-" + parent + "-01", 0, false},
		"a parent of nothing":          {"00-" + id + "-" + strings.Repeat("0", 16) + "-01", 0, false},
		"too short":                    {"00-" + id + "-" + parent + "-1", 0, false},
		"no hyphen":                    {"00_" + id + "-" + parent + "-01", 0, false},
		"nothing":                      {"", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := traceOf(http.Header{traceparent: {tc.header}, tracestate: {"a=b"}})
			if (got.id == id) != tc.kept || got.flags != tc.flags || got.state != tc.kept {
				t.Errorf("traceOf(%q) = %+v, want it kept: %v, flags %d", tc.header, got, tc.kept, tc.flags)
			}
			if len(got.id) != 32 || !isLowerHex(got.id) || strings.Trim(got.id, "0") == "" {
				t.Errorf("the trace's id is %q, want 32 digits", got.id)
			}
		})
	}
	good := "00-" + id + "-" + parent + "-01"
	if got := traceOf(http.Header{traceparent: {good, good}}); got.id == id {
		t.Error("two headers: the first was taken, want a new trace")
	}
}

func TestValidTracestate(t *testing.T) {
	many := strings.Repeat("a=b,", 32)
	for i := range 33 {
		many = strings.Replace(many, "a=", string(rune('a'+i%26))+strings.Repeat("z", i/26)+"k=", 1)
	}
	for text, want := range map[string]bool{
		"":                                   false,
		"rojo=00f067aa0ba902b7,congo=t61rcW": true,
		" a=1 ,\tb=2, ,":                     true,
		"a=1,a=2":                            false,
		"tenant@vendor=x":                    true,
		"0tenant@vendor=x":                   true,
		"tenant@0vendor=x":                   false,
		"0vendor=x":                          false,
		"Upper=x":                            false,
		"a":                                  false,
		"a=":                                 false,
		"a=b=c":                              false,
		"a=\x01":                             false,
		"a=" + strings.Repeat("x", 256):      true,
		"a=" + strings.Repeat("x", 257):      false,
		many:                                 true,
		many + "last=1":                      false,
	} {
		if got := validTracestate([]string{text}); got != want {
			t.Errorf("validTracestate(%q) = %v, want %v", text, got, want)
		}
	}
	if !validTracestate([]string{"a=1", "b=2"}) || validTracestate([]string{"a=1", "a=2"}) {
		t.Error("several headers are one list, want each key once in all of them")
	}
}

func FuzzTraceOf(f *testing.F) {
	f.Add("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "a=b")
	f.Fuzz(func(t *testing.T, parent, state string) {
		tr := traceOf(http.Header{traceparent: {parent}, tracestate: {state}})
		r := &http.Request{Header: http.Header{tracestate: {state}}}
		tr.mark(r, &outgoing{})
		sent, ok := parseTraceparent(r.Header[traceparent])
		if !ok || sent.id != tr.id || sent.flags != tr.flags {
			t.Errorf("of %q the target gets %q, which is not valid", parent, r.Header[traceparent])
		}
		if got := r.Header[tracestate]; (got != nil) != tr.state || got != nil && !validTracestate(got) {
			t.Errorf("of %q the target gets %q", state, got)
		}
	})
}
