package llm_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// TestWorthOfRules takes one kind of evidence away at a time and counts the vectors that
// are judged wrongly without it. A kind that is worth nothing would be code without use;
// the table is golden, so that a change shows what it gave and took.
func TestWorthOfRules(t *testing.T) {
	var answers []vector
	for _, v := range vectors(t) {
		if v.Kind != "transport" {
			answers = append(answers, v)
		}
	}
	var report strings.Builder
	fmt.Fprintf(&report, "%d answers and frames of the vectors; judged wrongly without\n\n", len(answers))
	for _, kind := range []struct {
		name   string
		reduce func(llm.Response) llm.Verdict
	}{
		{"anything but the status, by the core's table", func(r llm.Response) llm.Verdict {
			class := trysail.StatusClass(r.Status)
			retry := class == trysail.ClassTransient || class == trysail.ClassRateLimited || class == trysail.ClassOverloaded
			return llm.Verdict{Failed: r.Status >= 400, Class: class, Retryable: retry}
		}},
		{"anything but the status, by this package's table", func(r llm.Response) llm.Verdict {
			return llm.Classify(llm.Response{Status: r.Status})
		}},
		{"codes", withoutStrings(isCode)},
		{"messages", withoutStrings(isMessage)},
		{"other fields of the body", withoutStrings(isOther)},
		{"headers", func(r llm.Response) llm.Verdict { r.Header = nil; return llm.Classify(r) }},
		{"the provider's name", func(r llm.Response) llm.Verdict { r.Provider = ""; return llm.Classify(r) }},
	} {
		var wrong []string
		for _, v := range answers {
			got := outcome(kind.reduce(v.response()))
			want := v.want()
			if strings.Contains(kind.name, "core's") { // which knows neither scopes nor waits
				got, want = classAndRetry(got), classAndRetry(want)
			}
			if got != want {
				wrong = append(wrong, v.Name)
			}
		}
		if len(wrong) == 0 {
			t.Errorf("%s: worth nothing", kind.name)
		}
		slices.Sort(wrong)
		fmt.Fprintf(&report, "%s: %d\n", kind.name, len(wrong))
		for _, name := range wrong {
			fmt.Fprintf(&report, "    %s\n", name)
		}
	}
	golden(t, "testdata/worth.txt", report.String())
}

func classAndRetry(outcome string) string {
	class, rest, _ := strings.Cut(outcome, ",")
	retry, _, _ := strings.Cut(rest, ",")
	return class + retry
}

// golden compares with a file, or rewrites it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != got {
		t.Errorf("%s differs (%v); run go test ./llm -run %s -update and review:\n%s", file, err, t.Name(), got)
	}
}

func isCode(key string) bool {
	return slices.Contains([]string{"code", "type", "status", "error_type", "error_code", "reason", "__type", "http_status"}, key)
}

func isMessage(key string) bool { return key == "message" || key == "error" }

func isOther(key string) bool { return !isCode(key) && !isMessage(key) }

// withoutStrings judges an answer whose body has lost the values of some keys. Amazon's
// codes are in headers, and lost with the codes.
func withoutStrings(lost func(string) bool) func(llm.Response) llm.Verdict {
	return func(r llm.Response) llm.Verdict {
		var body any
		if json.Unmarshal(r.Body, &body) == nil {
			r.Body, _ = json.Marshal(blank(body, lost))
		}
		if lost("code") {
			r.Header = r.Header.Clone()
			r.Header.Del("X-Amzn-Errortype")
			delete(r.Header, ":exception-type")
		}
		return llm.Classify(r)
	}
}

func blank(v any, lost func(string) bool) any {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			_, object := inner.(map[string]any)
			_, list := inner.([]any)
			if lost(key) && !object && !list {
				if v[key] = ""; key == "error" {
					v[key] = " "
				}
				continue
			}
			v[key] = blank(inner, lost)
		}
	case []any:
		for i := range v {
			v[i] = blank(v[i], lost)
		}
	}
	return v
}
