package gateway_test

import (
	"testing"

	"github.com/trysail-go/trysail/server/gateway"
)

// What follows each kind of failure of the first target, alone and with a second one that is well. Persisting failures of one target
// reach the client.
func TestWhatFollowsAFailure(t *testing.T) {
	type want struct {
		status int
		sent   string // to each target
	}
	type both struct{ alone, two want }
	good := func(sent string) want { return want{200, sent} }
	for name, tc := range map[string]struct {
		script        string
		plain, stream both
	}{
		"well":                      {"ok", both{good("1"), good("1 0")}, both{good("1"), good("1 0")}},
		"an error that passes":      {"500,ok", both{good("2"), good("2 0")}, both{good("2"), good("2 0")}},
		"errors for ever":           {"500", both{want{500, "3"}, good("3 1")}, both{want{500, "3"}, good("3 1")}},
		"resets for ever":           {"reset", both{want{502, "2"}, good("2 1")}, both{want{502, "2"}, good("2 1")}},
		"web pages for ever":        {"html", both{want{502, "2"}, good("2 1")}, both{want{502, "2"}, good("2 1")}},
		"garbage for ever":          {"garbage", both{want{502, "2"}, good("2 1")}, both{want{502, "2"}, good("2 1")}},
		"half answers for ever":     {"cut:0", both{want{502, "2"}, good("2 1")}, both{want{502, "2"}, good("2 1")}},
		"an overload that passes":   {"overloaded,ok", both{good("2"), good("2 0")}, both{good("2"), good("2 0")}},
		"overloads for ever":        {"overloaded", both{want{503, "3"}, good("2 1")}, both{want{503, "3"}, good("2 1")}},
		"a rate limit that passes":  {"rate-limit,ok", both{good("2"), good("1 1")}, both{good("2"), good("1 1")}},
		"a rate limit for a while":  {"429:300", both{want{429, "1"}, good("1 1")}, both{want{429, "1"}, good("1 1")}},
		"no money":                  {"billing", both{want{429, "1"}, good("1 1")}, both{want{429, "1"}, good("1 1")}},
		"a quota":                   {"quota", both{want{429, "1"}, good("1 1")}, both{want{429, "1"}, good("1 1")}},
		"a key that is refused":     {"auth", both{want{401, "1"}, good("1 1")}, both{want{401, "1"}, good("1 1")}},
		"a key without the right":   {"403", both{want{403, "1"}, good("1 1")}, both{want{403, "1"}, good("1 1")}},
		"a model that is not there": {"model-not-found", both{want{404, "1"}, good("1 1")}, both{want{404, "1"}, good("1 1")}},
		"a request that is no good": {"400", both{want{400, "1"}, want{400, "1 0"}}, both{want{400, "1"}, want{400, "1 0"}}},
		"a prompt that is too long": {"context-length", both{want{400, "1"}, want{400, "1 0"}}, both{want{400, "1"}, want{400, "1 0"}}},
		"a prompt that is refused":  {"content-policy", both{want{400, "1"}, want{400, "1 0"}}, both{want{400, "1"}, want{400, "1 0"}}},
		"a refusal in the answer":   {"content-policy:refusal", both{good("1"), good("1 0")}, both{good("1"), good("1 0")}},
		"no money, told inside":     {"error:0:billing", both{want{429, "1"}, good("1 1")}, both{want{429, "1"}, good("1 1")}},
		"overloads, told inside":    {"error:0:overloaded", both{want{503, "3"}, good("2 1")}, both{want{503, "3"}, good("2 1")}},
	} {
		t.Run(name, func(t *testing.T) {
			for kind, c := range map[string]struct {
				body string
				want both
			}{"plain": {plainBody, tc.plain}, "stream": {streamBody, tc.stream}} {
				for count, want := range map[int]want{1: c.want.alone, 2: c.want.two} {
					f := newFleet(t, []string{tc.script, "ok"}[:count], nil)
					got := f.chat(c.body)
					if got.status != want.status || f.totals() != want.sent || got.err != nil {
						t.Errorf("%s, %d targets: status %d after %s requests (%v), want %d after %s\n%s",
							kind, count, got.status, f.totals(), got.err, want.status, want.sent, got.body)
					}
					target, tried := "a", "none"
					if len(want.sent) > 1 && want.sent[2] != '0' {
						target, tried = "b", "a"
					}
					if a, b := got.header.Get(gateway.TargetHeader), got.header.Get(gateway.FallbackHeader); a != target || b != tried {
						t.Errorf("%s, %d targets: answered by %q after %q, want %q after %q", kind, count, a, b, target, tried)
					}
				}
			}
		})
	}
}
