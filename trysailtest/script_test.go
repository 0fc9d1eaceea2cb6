package trysailtest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail/trysailtest"
)

func TestParseScript(t *testing.T) {
	status := func(n int, after time.Duration) trysailtest.Fault {
		return trysailtest.Fault{Kind: trysailtest.FaultStatus, Status: n, After: after}
	}
	kind := func(k trysailtest.FaultKind, tokens int) trysailtest.Fault {
		return trysailtest.Fault{Kind: k, Tokens: tokens}
	}
	firstToken := func(d time.Duration) trysailtest.Fault {
		return trysailtest.Fault{Kind: trysailtest.FaultFirstToken, After: d}
	}
	for name, tc := range map[string]struct {
		text string
		want trysailtest.Script
		form string // what String gives
	}{
		"one status":            {"500", trysailtest.Script{status(500, 0)}, "500"},
		"lowest and highest":    {"200,599", trysailtest.Script{status(200, 0), status(599, 0)}, "200,599"},
		"with Retry-After":      {"429:1", trysailtest.Script{status(429, time.Second)}, "429:1"},
		"with half a second":    {"429:0.5", trysailtest.Script{status(429, time.Second/2)}, "429:0.5"},
		"with no whole seconds": {"429:.25", trysailtest.Script{status(429, time.Second/4)}, "429:0.25"},
		"with Retry-After zero": {"503:0.00", trysailtest.Script{status(503, trysailtest.RetryNow)}, "503:0"},
		"all words without argument": {"reset,hang,html,short,garbage,ok", trysailtest.Script{
			kind("reset", 0), kind("hang", 0), kind("html", 0), kind("short", 0), kind("garbage", 0), kind("ok", 0),
		}, "reset,hang,html,short,garbage,ok"},
		"token counts": {"cut:0,cut:20,error:007,stall:1000000", trysailtest.Script{
			kind("cut", 0), kind("cut", 20), kind("error", 7), kind("stall", 1000000),
		}, "cut:0,cut:20,error:7,stall:1000000"},
		"first token": {"first-token:6s,first-token:90m,first-token:0", trysailtest.Script{
			firstToken(6 * time.Second), firstToken(90 * time.Minute), firstToken(0),
		}, "first-token:6s,first-token:1h30m,first-token:0s"},
		"waits with a sign of life": {"keep-alive:6s,keep-alive:0s", trysailtest.Script{
			{Kind: "keep-alive", After: 6 * time.Second}, {Kind: "keep-alive"},
		}, "keep-alive:6s,keep-alive:0s"},
		"empty deltas, a clean end": {"empty:3,end:20", trysailtest.Script{kind("empty", 3), kind("end", 20)}, "empty:3,end:20"},
		"all meanings alone": {
			"rate-limit,quota,billing,overloaded,context-length,too-large,content-policy,auth,model-not-found",
			trysailtest.Script{
				kind("rate-limit", 0), kind("quota", 0), kind("billing", 0), kind("overloaded", 0), kind("context-length", 0),
				kind("too-large", 0), kind("content-policy", 0), kind("auth", 0), kind("model-not-found", 0),
			},
			"rate-limit,quota,billing,overloaded,context-length,too-large,content-policy,auth,model-not-found",
		},
		"hints": {"rate-limit:2s,overloaded:1m,quota:0s", trysailtest.Script{
			{Kind: "rate-limit", After: 2 * time.Second}, {Kind: "overloaded", After: time.Minute}, {Kind: "quota", After: trysailtest.RetryNow},
		}, "rate-limit:2s,overloaded:1m,quota:0s"},
		"forms of a hint": {"Rate-Limit : 2s : HTTP-Date,rate-limit:0s:reset,rate-limit:should-retry", trysailtest.Script{
			{Kind: "rate-limit", After: 2 * time.Second, Form: "http-date"},
			{Kind: "rate-limit", After: trysailtest.RetryNow, Form: "reset"},
			{Kind: "rate-limit", Form: "should-retry"},
		}, "rate-limit:2s:http-date,rate-limit:0s:reset,rate-limit:should-retry"},
		"errors in a stream": {"error:3:quota,error:3:done,error:3:rate-limit:failed", trysailtest.Script{
			{Kind: "error", Tokens: 3, Cause: "quota"},
			{Kind: "error", Tokens: 3, Form: "done"},
			{Kind: "error", Tokens: 3, Cause: "rate-limit", Form: "failed"},
		}, "error:3:quota,error:3:done,error:3:rate-limit:failed"},
		"a refusal, a shape": {"content-policy:refusal,shape:azure-day", trysailtest.Script{
			{Kind: "content-policy", Form: "refusal"}, {Kind: "shape", Form: "azure-day"},
		}, "content-policy:refusal,shape:azure-day"},
		"whole hours":           {"first-token:60m", trysailtest.Script{firstToken(time.Hour)}, "first-token:1h"},
		"blanks and upper case": {"  OK , Cut : 3\t,\tFirst-Token: 2S ", trysailtest.Script{kind("ok", 0), kind("cut", 3), firstToken(2 * time.Second)}, "ok,cut:3,first-token:2s"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := trysailtest.ParseScript(tc.text)
			if err != nil || !slices.Equal(got, tc.want) {
				t.Errorf("ParseScript(%q) = %+v, %v; want %+v", tc.text, got, err, tc.want)
			}
			if got.String() != tc.form {
				t.Errorf("ParseScript(%q).String() = %q, want %q", tc.text, got.String(), tc.form)
			}
		})
	}
}

func TestParseScriptRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"nothing":                  {"", `entry 1 is ""`},
		"an empty entry":           {"500,,ok", `entry 2 is "", want a status`},
		"an unknown word":          {"ok,boom", `entry 2 is "boom", want a status from 200 to 599, reset`},
		"the kind status by name":  {"status:500", `want a status from`},
		"a status too low":         {"199", `entry 1 is "199", want a status from 200 to 599`},
		"a status too high":        {"ok, 600", `entry 2 is "600"`},
		"a status with a sign":     {"+500", `entry 1 is "+500"`},
		"a Retry-After of nothing": {"429:", `429:S with S seconds`},
		"a negative Retry-After":   {"429:-1", `429:S with S seconds`},
		"a Retry-After with unit":  {"429:1m", `429:S with S seconds`},
		"a Retry-After of dots":    {"429:1.2.3", `429:S with S seconds`},
		"a Retry-After too large":  {"429:99999999999", `429:S with S seconds`},
		"a cut without number":     {"cut", `cut:N with N from 0`},
		"a negative cut":           {"cut:-1", `cut:N with N from 0`},
		"a cut too late":           {"cut:1000001", `to 1000000 tokens`},
		"a stall of words":         {"stall:few", `stall:N with`},
		"a wait without unit":      {"first-token:6", `first-token:DURATION, for example first-token:6s`},
		"a negative wait":          {"first-token:-6s", `first-token:DURATION`},
		"an argument too much":     {"reset:5", `entry 1 is "reset:5", want "reset" alone`},
		"a hint without unit":      {"rate-limit:2", `rate-limit:DURATION or rate-limit:DURATION:FORM, for example rate-limit:2s:http-date`},
		"an unknown form":          {"overloaded:2s:fax", `FORM is retry-after, retry-after-ms, http-date, message, reset`},
		"a form of no hint":        {"rate-limit:http-date", `rate-limit:DURATION:FORM`},
		"a hint where none is":     {"auth:2s", `want "auth" alone`},
		"a negative hint":          {"quota:-2s", `quota:DURATION`},
		"an unknown meaning":       {"error:1:boom", `MEANING is rate-limit, quota`},
		"a form before a meaning":  {"error:1:done:quota", `error:N:MEANING:FORM`},
		"two forms":                {"error:1:done:chunk", `FORM is chunk, done, failed or nested`},
		"an error without number":  {"error:quota", `error:N with N from 0 to 1000000`},
		"an unknown refusal":       {"content-policy:x", `content-policy or content-policy:refusal`},
		"a shape without name":     {"shape", `shape:NAME; NAME is anthropic-credit`},
		"an unknown shape":         {"shape:x", `xai-rate-limit or xai-spending-limit`},
		"too much after a cut":     {"cut:1:2", `cut:N with N`},
		"meanings are listed":      {"boom", `by its meaning rate-limit, quota, billing, overloaded, context-length, too-large, content-policy, auth or model-not-found`},
		"too many entries":         {strings.Repeat("ok,", 64) + "ok", "65 entries, want at most 64"},
		"a long entry, shortened":  {strings.Repeat("x", 500), `"` + strings.Repeat("x", 40) + `", want`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := trysailtest.ParseScript(tc.text)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("ParseScript(%.60q) = %v, %v; want an error with %q", tc.text, got, err, tc.want)
			}
		})
	}
}

func TestScriptAt(t *testing.T) {
	script, err := trysailtest.ParseScript("500,reset,ok")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		script  trysailtest.Script
		attempt int
		want    string
	}{
		"the first attempt":             {script, 1, "500"},
		"the second":                    {script, 2, "reset"},
		"the last entry":                {script, 3, "ok"},
		"after the last entry":          {script, 99, "ok"},
		"an attempt that cannot be":     {script, 0, "500"},
		"an empty script":               {nil, 1, "ok"},
		"a fault of which only zero is": {trysailtest.Script{{}}, 1, "ok"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tc.script.At(tc.attempt).String(); got != tc.want {
				t.Errorf("(%v).At(%d) = %v, want %v", tc.script, tc.attempt, got, tc.want)
			}
		})
	}
}

func FuzzParseScript(f *testing.F) {
	for _, s := range []string{
		"", "500,429:1,reset,hang,first-token:6s,cut:0,cut:20,html,ok", "429:0.000000001,429:0",
		"first-token:9.7h , ERROR:3", "stall:1,short,garbage", "429:9223372036.854775807", "first-token:1µs",
		"rate-limit:2s:http-date,quota:0s,overloaded:should-retry", "error:1:rate-limit:failed,error:2:done", "shape:azure-day,content-policy:refusal",
		"keep-alive:1h0m0s,empty:3,end:0",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		script, err := trysailtest.ParseScript(text)
		if err != nil {
			return
		}
		again, err := trysailtest.ParseScript(script.String())
		if err != nil || !slices.Equal(script, again) {
			t.Errorf("ParseScript(%q) = %v, %v; want what %q gave", script.String(), again, err, text)
		}
	})
}
