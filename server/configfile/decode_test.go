package configfile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/configfile"
)

func TestDocument(t *testing.T) {
	doc := mustLoad(t, `
preset: production
log_level: warning
custom:
  retry_attempts: 4
  exponential_max: 30.5
policy:
  total: 2m
  retry: {backoff: full_jitter, budget: shared, classes: {rate_limited: {attempts: 6, base: 5s}}}
operations:
  qa: {strategy: critical, policy: {breaker: {failure_threshold: 7}}}
  "a b.c": {policy: {retry: {budget: shared}}}
classes:
  rate_limited: {count: false}
retry_budgets:
  shared: {share: 0.3}
`)
	if doc.Preset != "production" || doc.LogLevel != "warning" || *doc.Custom.RetryAttempts != 4 || *doc.Custom.ExponentialMax != 30.5 {
		t.Errorf("got %+v", doc)
	}
	retry := doc.Policy.Retry
	if doc.Policy.Total != 2*time.Minute || retry.Backoff != trysail.BackoffFullJitter ||
		retry.Classes[trysail.ClassRateLimited] != (trysail.ClassRetry{Attempts: 6, Base: 5 * time.Second}) {
		t.Errorf("policy is %+v", doc.Policy)
	}
	if qa := doc.Operations["qa"]; qa.Strategy != trysail.Critical || qa.Policy.Breaker.FailureThreshold != 7 {
		t.Errorf("qa is %+v", qa)
	}
	if other := doc.Operations["a b.c"].Policy.Retry.Budget; other == nil || other != retry.Budget {
		t.Error("two policies that name one budget do not share it")
	}
	// What a row does not say stays as the library has it.
	if row := doc.Classes[trysail.ClassRateLimited]; row != (trysail.Consequence{Retry: true, Fallback: true}) {
		t.Errorf("the row is %+v", row)
	}
	for path, line := range map[string]int{
		"preset": 2, "policy.retry.backoff": 9, "policy.breaker": 7, `operations["a b.c"].policy.retry.budget`: 12, "nothing": 0,
	} {
		if got := doc.Line(path); got != line {
			t.Errorf("Line(%s) = %d, want %d", path, got, line)
		}
	}
}

// Everything that is wrong is said at once, each with its place.
func TestAllFaultsAtOnce(t *testing.T) {
	_, err := load(`preset: production
presett: x
custom: {retry_attempts: 15, recovery_timeout: "60"}
policy:
  retry:
    attempts: five
    base: 30
    budget: mine
  attempts: 3
operations:
  - qa
classes:
  ratelimited: {retry: true}
  transient: {retry: 1}
log_level: loud
`)
	wantError(t, err,
		`trysail.yaml:2:1: presett: found a key that is not known, did you mean preset?`,
		`trysail.yaml:3:10: custom.retry_attempts: Field 'retry_attempts' value 15 above maximum 10: retry_attempts must be between 1 and 10; `+
			`Try retry_attempts: 3 (a whole number without quotes, valid range 1 to 10)`,
		`trysail.yaml:3:48: custom.recovery_timeout: found the text "60", want a whole number such as 5: leave the quotes out`,
		`trysail.yaml:6:15: policy.retry.attempts: found the text "five", want a whole number such as 5`,
		`trysail.yaml:7:11: policy.retry.base: found 30, want a time such as "30s", "1m30s" or "250ms", with its unit`,
		`trysail.yaml:8:13: policy.retry.budget: found the text "mine", want a name under retry_budgets, of which there are none`,
		`trysail.yaml:9:3: policy.attempts: found a key that is not known, did you mean attempt?`,
		`trysail.yaml:11:3: operations: found a list, want a mapping`,
		`trysail.yaml:13:3: classes.ratelimited: found the text "ratelimited", want transient, rate_limited, overloaded, `+
			`quota_exhausted, context_length, content_policy, permanent, canceled or bad_answer; did you mean rate_limited?`,
		`trysail.yaml:14:22: classes.transient.retry: found 1, want true or false`,
		`trysail.yaml:15:1: log_level: found the text "loud", want DEBUG, INFO, WARNING, ERROR or CRITICAL`,
	)
}

func TestOneFault(t *testing.T) {
	deep := strings.Repeat("{a: ", 40) + "1" + strings.Repeat("}", 40)
	for name, tc := range map[string]struct{ text, want string }{
		"a list":               {"- a", "1:1: found a list, want a mapping of keys to values"},
		"a text":               {"hello", "1:1: found a text, want a mapping of keys to values"},
		"a key twice":          {"preset: a\npreset: b", "2:1: preset: found the key a second time, want it once: it is in line 1 already"},
		"a key twice, of many": {"operations: {" + manyKeys(20) + ", key_7: {}}", "1:244: operations.key_7: found the key a second time, want it once: it is in line 1 already"},
		"a key twice, inside":  {"policy:\n  total: 1s\n  \"total\": 2s", "3:3: policy.total: found the key a second time, want it once: it is in line 2 already"},
		"two documents":        {"preset: a\n---\npreset: b", "2:1: found a second document, want one in a file"},
		"a tag":                {"preset: !!str a", `1:9: preset: found the tag "!!str", want none: values have the kinds that they are written in`},
		"a tag of one's own":   {"preset: !secret a", `1:9: preset: found the tag "!secret", want none: values have the kinds that they are written in`},
		"a number as key":      {"operations: {1: {}}", `1:14: operations: found the key "1", which is no text, want it in quotes`},
		"a truth value as key": {"operations: {true: {}}", `1:14: operations: found the key "true", which is no text, want it in quotes`},
		"a list as key":        {"? [a, b]\n: 1", "1:3: found a key that is no text, want a plain word"},
		"an empty key":         {"'': 1", "1:1: found an empty key, want a name"},
		"no UTF-8":             {"preset: a\nx: \xff", "2: found bytes that are no UTF-8 text, want UTF-8"},
		"NUL":                  {"preset: a\x00", "1: found bytes that are no UTF-8 text, want UTF-8"},
		"too deep":             {"x-a: " + deep, `1:130: x-a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a: found values nested deeper than 32, want at most that`},
		"bad indentation":      {"preset: a\n  b: c", "2: found no good YAML: mapping values are not allowed in this context"},
		"a tabulator":          {"policy:\n\ttotal: 1s", "2: found no good YAML: found character that cannot start any token"},
		"an alias of nothing":  {"preset: *hunter2", "found no good YAML: an alias whose anchor is not there (a text that begins with * needs quotes)"},
		"an alias in a circle": {"x-a: &a {b: *a}", "1:13: x-a.b: found an alias inside the value that it stands for, want no circle"},
		"a merge of a text":    {"x-a: &a b\npolicy: {<<: *a}", "2:14: policy.<<: found a text, want a mapping to merge, or a list of them"},
		"yes":                  {"enabled: yes", `1:10: enabled: found the text "yes", want true or false`},
		"True":                 {"enabled: True", `1:10: enabled: found True, want true or false`},
		"nothing for a number": {"policy: {retry: {attempts: }}", `1:28: policy.retry.attempts: found nothing, want a whole number such as 5, or no such key`},
		"an octal number":      {"policy: {retry: {attempts: 010}}", `1:28: policy.retry.attempts: found 010, want a whole number such as 5, in decimal digits without a leading zero`},
		"a fraction":           {"policy: {retry: {attempts: 2.5}}", `1:28: policy.retry.attempts: found 2.5, want a whole number such as 5`},
		"a number too large":   {"policy: {retry: {attempts: 99999999999999999999}}", `1:28: policy.retry.attempts: found 99999999999999999999, want a smaller number`},
		"not a number":         {"policy: {limiter: {rate: .nan}}", `1:26: policy.limiter.rate: found .nan, want a number, in decimal digits without a leading zero`},
		"a negative time":      {"policy: {total: -1s}", `1:17: policy.total: found the text "-1s", want 0s or more`},
		"a number as text":     {"preset: 5", "1:9: preset: found 5, want a text: put it in quotes"},
		"a level of policy up": {"retry: {attempts: 3}", "1:1: retry: found a key that is not known, did you mean policy.retry?"},
		"nobody's key": {
			"policy: {hedge: {zzzzzz: 3}}",
			"1:18: policy.hedge.zzzzzz: found a key that is not known, want after, percentile, max or disabled",
		},
		"a word of the strategy": {
			"operations: {qa: {strategy: critcal}}",
			`1:29: operations.qa.strategy: found the text "critcal", want aggressive, balanced, conservative or critical; did you mean critical?`,
		},
		"a bad budget": {
			"retry_budgets:\n  b: {share: 2}\npolicy: {retry: {budget: b}}",
			"2:7: retry_budgets.b.share: found 2, want more than 0 and at most 1",
		},
		"a number out of range": {
			"custom:\n  retry_attempts: 15",
			"2:3: custom.retry_attempts: Field 'retry_attempts' value 15 above maximum 10: retry_attempts must be between 1 and 10; Try retry_attempts: 3 (a whole number without quotes, valid range 1 to 10)",
		},
		"an operation that is not known": {
			"custom:\n  operation_overrides:\n    sumarize: critical",
			"3:5: custom.operation_overrides.sumarize: ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(tc.text)
			if err == nil {
				t.Fatalf("no error, want %s", tc.want)
			}
			between := ":"
			if tc.want[0] < '0' || tc.want[0] > '9' {
				between = ": "
			}
			want := "trysail.yaml" + between + tc.want
			if got := err.Error(); strings.HasSuffix(want, ": ") && strings.HasPrefix(got, want) || got == want {
				return
			}
			t.Errorf("got\n%v\nwant\n%s", err, want)
		})
	}
}

// manyKeys is more of them than are looked for one by one.
func manyKeys(n int) string {
	var keys []string
	for i := range n {
		keys = append(keys, fmt.Sprintf("key_%d: {}", i))
	}
	return strings.Join(keys, ", ")
}

// A large mapping knows its keys by a map, merged ones included.
func TestLinesOfALargeMapping(t *testing.T) {
	lines := strings.ReplaceAll(manyKeys(20), ", ", "\n  ")
	f, err := configfile.Parse("t.yaml", []byte("x-more: &more\n  late: {}\noperations:\n  <<: *more\n  "+lines+"\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"operations.key_0": 5, "operations.key_19": 24, "operations.late": 2, "operations.key_20": 3} {
		if got := f.Line(path); got != want {
			t.Errorf("Line(%s) = %d, want %d", path, got, want)
		}
	}
	doc, err := new(configfile.Loader).Load(f, nil)
	if err != nil || len(doc.Operations) != 21 {
		t.Errorf("Load() = %d operations, %v; want 21", len(doc.Operations), err)
	}
}

func TestWhatSaysNothing(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "blank": " \n\n", "a comment": "# nothing\n", "a begin": "---\n", "null": "null", "an empty mapping": "{}",
		"keys without values": "policy:\noperations:\ncustom:\n", "a mark": "\ufeffpolicy: {}", "JSON": `{"policy": {"retry": {}}}`,
		"Windows": "policy:\r\n  retry:\r\n", "an anchor for nobody": "x-base: &base {anything: [1, two]}",
	} {
		t.Run(name, func(t *testing.T) {
			doc := mustLoad(t, text)
			if doc.Policy != (trysail.Policy{}) || len(doc.Operations) != 0 || doc.Preset != "" {
				t.Errorf("got %+v, want nothing", doc)
			}
		})
	}
}

func TestAnchors(t *testing.T) {
	doc := mustLoad(t, `
x-retry: &retry {attempts: 4, base: 1s}
x-more: &more {base: 9s, max_delay: 20s}
policy:
  retry: *retry
operations:
  one: {policy: {retry: {<<: *retry, base: 2s}}}
  two: {policy: {retry: {base: 3s, <<: [*retry, *more]}}}
`)
	want := trysail.RetryPolicy{Attempts: 4, Base: time.Second}
	if doc.Policy.Retry != want {
		t.Errorf("an alias: got %+v, want %+v", doc.Policy.Retry, want)
	}
	want.Base = 2 * time.Second
	if got := doc.Operations["one"].Policy.Retry; got != want {
		t.Errorf("a key of one's own goes before a merged one: got %+v, want %+v", got, want)
	}
	want.Base, want.MaxDelay = 3*time.Second, 20*time.Second
	if got := doc.Operations["two"].Policy.Retry; got != want {
		t.Errorf("a list of merges: got %+v, want %+v", got, want)
	}
	if line := doc.Line("operations.one.policy.retry.attempts"); line != 2 {
		t.Errorf("a merged key is said to be in line %d, want 2, where it is written", line)
	}
}

// Files that are small and mean much are refused before they cost anything.
func TestBombs(t *testing.T) {
	var laughs, merges, keys strings.Builder
	laughs.WriteString("x-0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]\n")
	for i := range 12 {
		fmt.Fprintf(&laughs, "x-%d: &a%d [%s*a%d]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d, ", i), 9), i)
	}
	merges.WriteString("x-a: &a\n")
	for i := range 5000 {
		fmt.Fprintf(&merges, "  k%d: 1\n", i)
	}
	merges.WriteString("x-b:\n" + strings.Repeat("  - {<<: *a}\n", 50_000))
	for i := range 60_000 {
		fmt.Fprintf(&keys, "pollicy%d: 1\n", i)
	}
	for name, tc := range map[string]struct{ text, want string }{
		"aliases of aliases": {laughs.String(), "found more than 100000 values with all aliases and merges"},
		"merges":             {merges.String(), "found more than 100000 values with all aliases and merges"},
		"many values":        {"x-a: [" + strings.Repeat("1,", 200_000) + "]", "found more than 100000 values"},
		"a large file":       {"# " + strings.Repeat("x", 1<<20), "found more than 1048576 bytes"},
		"brackets":           {strings.Repeat("[", 100_000), "found no good YAML"},
		"braces":             {"x-a: " + strings.Repeat("{a: ", 9_000) + strings.Repeat("}", 9_000), "nested deeper than 32"},
		"deep blocks":        {deepBlocks(1300), "nested deeper than 32"},
		"wrong keys":         {keys.String(), "more faults"},
		"deep by aliases":    {deepAliases(), "found values nested deeper than 32 through aliases"},
	} {
		t.Run(name, func(t *testing.T) {
			started := time.Now()
			_, err := load(tc.text)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %.300v, want %q in it", err, tc.want)
			}
			if len(err.Error()) > 64<<10 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			t.Logf("refused after %v", time.Since(started))
		})
	}
}

func deepBlocks(depth int) string {
	var b strings.Builder
	for i := range depth {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func deepAliases() string {
	var b strings.Builder
	b.WriteString("x-0: &a0 1\n")
	for i := range 40 {
		fmt.Fprintf(&b, "x-%d: &a%d [*a%d]\n", i+1, i+1, i)
	}
	return b.String()
}

// A retry budget keeps its account over reloads as long as its numbers stay, and is forgotten when nothing uses it.
func TestRetryBudgetsSurviveReloads(t *testing.T) {
	var l configfile.Loader
	budget := func(text string) *trysail.RetryBudget {
		t.Helper()
		doc, err := l.Load(mustParse(t, text, nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		return doc.Policy.Retry.Budget
	}
	const policy = "policy: {retry: {budget: b}}\n"
	first := budget(policy + "retry_budgets: {b: {share: 0.2}}")
	if again := budget("preset: simple\n" + policy + "retry_budgets: {b: {share: 0.2}}"); again != first {
		t.Error("a reload with the same numbers made a new account")
	}
	if other := budget(policy + "retry_budgets: {b: {share: 0.3}}"); other == first {
		t.Error("a reload with other numbers kept the account")
	}
}

func TestLocate(t *testing.T) {
	f := mustParse(t, `policy:
  retry:
    attempts: 99
    min_delay: 30s
    max_delay: 1s
operations:
  "a.b":
    policy:
      total: 48h
classes:
  canceled: {retry: true}
`, nil)
	doc, err := new(configfile.Loader).Load(f, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = trysail.New(trysail.Config{Default: doc.Policy, Operations: doc.Operations, Classes: doc.Classes})
	if err == nil {
		t.Fatal("trysail.New takes it")
	}
	got := f.Locate(fmt.Errorf("start: %w", fmt.Errorf("%w", f.Locate(err))))
	for _, want := range []string{
		"trysail.yaml:3:5: policy.retry.attempts: found 99, want 1 to ",
		"trysail.yaml:4:5: policy.retry.min_delay: found 30s",
		"trysail.yaml:11:14: classes.canceled.retry: found true",
	} {
		if !strings.Contains(got.Error(), want) {
			t.Errorf("lacks %q:\n%v\nmade of\n%v", want, got, err)
		}
	}
	_, err = trysail.New(trysail.Config{Operations: doc.Operations})
	wantError(t, f.Locate(err), `trysail.yaml:9:7: operations["a.b"].policy.total: found 48h0m0s, want 0s, which is no limit, to 24h`)
	joined := errors.Join(f.Refuse("policy", "one"), fmt.Errorf("wrapped: %w", f.Refuse("classes", "two")), errors.New("Default.Total is three"))
	wantError(t, f.Locate(joined), "trysail.yaml:1:1: policy: one", "trysail.yaml:1:1: policy.total: found three", "trysail.yaml:10:1: classes: two")
	if f.Locate(nil) != nil {
		t.Error("Locate(nil) is an error")
	}
	wantError(t, f.Locate(fmt.Errorf("something else")), "trysail.yaml: something else")
	wantError(t, f.Refuse("policy.retry.base", "found %d", 1), "trysail.yaml:2:3: policy.retry.base: found 1")
}

func TestReport(t *testing.T) {
	_, err := load("preset: [a]\nnothing: 1")
	report := err.(*configfile.Error).Report() //nolint:errorlint // load returns it as it is
	if len(report.Errors) != 2 || report.Errors[1].Line != 2 || report.Errors[1].Path != "nothing" || report.Valid() {
		t.Errorf("got %s", cmp.Diff(nil, report))
	}
}
