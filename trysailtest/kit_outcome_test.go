package trysailtest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/trysailtest"
)

func TestParseOutcomes(t *testing.T) {
	for script, want := range map[string][]trysailtest.Outcome{
		"ok":                          {{}},
		" OK , Fail ":                 {{}, {Err: trysailtest.ErrScripted}},
		"ok x2, hang":                 {{}, {}, {Hang: true}},
		"hang x2":                     {{Hang: true}, {Hang: true}},
		"panic after 2s":              {{Panic: true, After: 2 * time.Second}},
		"ok after 1h deaf":            {{After: time.Hour, Deaf: true}},
		"fail deaf x2 after 1ms":      {{Err: trysailtest.ErrScripted, After: time.Millisecond, Deaf: true}, {Err: trysailtest.ErrScripted, After: time.Millisecond, Deaf: true}},
		"ok after 0s, ok after 1.5s,": nil,
		"ok after 0s, ok after 1.5s":  {{}, {After: 1500 * time.Millisecond}},
	} {
		got, err := trysailtest.ParseOutcomes(script)
		if !slices.Equal(got, want) || (err == nil) != (want != nil) {
			t.Errorf("ParseOutcomes(%q) = %+v, %v, want %+v", script, got, err, want)
		}
	}
}

func TestParseOutcomesGivesClasses(t *testing.T) {
	once := trysail.Policy{Retry: trysail.RetryPolicy{Disabled: true}, Breaker: trysail.BreakerPolicy{Disabled: true}}
	orc, err := trysail.New(trysail.Config{Default: once})
	if err != nil {
		t.Fatal(err)
	}
	for script, want := range map[string]struct {
		class trysail.Class
		text  string
		hint  time.Duration
	}{
		"fail":              {trysail.ClassTransient, "scripted failure", 0},
		"500":               {trysail.ClassTransient, "500 Internal Server Error", 0},
		"404":               {trysail.ClassPermanent, "404 Not Found", 0},
		"529":               {trysail.ClassOverloaded, "529", 0},
		"429":               {trysail.ClassRateLimited, "429 Too Many Requests", 0},
		"429:90s":           {trysail.ClassRateLimited, "429 Too Many Requests", 90 * time.Second},
		"rate_limited:1m":   {trysail.ClassRateLimited, "scripted failure", time.Minute},
		"transient":         {trysail.ClassTransient, "scripted failure", 0},
		"overloaded":        {trysail.ClassOverloaded, "scripted failure", 0},
		"quota_exhausted":   {trysail.ClassQuotaExhausted, "scripted failure", 0},
		"context_length":    {trysail.ClassContextLength, "scripted failure", 0},
		"content_policy":    {trysail.ClassContentPolicy, "scripted failure", 0},
		"permanent":         {trysail.ClassPermanent, "scripted failure", 0},
		"canceled after 1s": {trysail.ClassCanceled, "scripted failure", 0},
	} {
		outcomes, err := trysailtest.ParseOutcomes(script)
		if err != nil {
			t.Errorf("ParseOutcomes(%q) = %v", script, err)
			continue
		}
		got := outcomes[0].Err
		if trysail.Classify(got) != want.class || got.Error() != want.text || !errors.Is(got, trysailtest.ErrScripted) {
			t.Errorf("ParseOutcomes(%q) fails with %v (%v), want %v (%v)", script, got, trysail.Classify(got), want.text, want.class)
		}
		var e *trysail.Error
		_, err = trysail.Do(t.Context(), orc.Operation("op"), func(context.Context) (int, error) { return 0, got })
		if !errors.As(err, &e) || e.RetryAfter != want.hint {
			t.Errorf("Do() with %q = %+v, want RetryAfter %v", script, e, want.hint)
		}
	}
}

// Code under test looks for the status as it would in the error of a client.
func TestParseOutcomesGivesStatus(t *testing.T) {
	outcomes, err := trysailtest.ParseOutcomes("429:2s")
	if err != nil {
		t.Fatal(err)
	}
	var client interface{ HTTPStatusCode() int }
	if !errors.As(outcomes[0].Err, &client) || client.HTTPStatusCode() != 429 {
		t.Errorf("the error is %v, want one with the status 429", outcomes[0].Err)
	}
}

func TestParseOutcomesNamesTheFault(t *testing.T) {
	const kinds = "ok, fail, hang, panic, a status from 400 to 599 or a class, such as 429:2s or permanent"
	for script, want := range map[string]string{
		"":                  `outcome 1 is "", want ` + kinds,
		"ok,":               `outcome 2 is "", want ` + kinds,
		"ok, Bang":          `outcome 2 is "Bang", want ` + kinds,
		"200":               `outcome 1 is "200", want ` + kinds,
		"600":               `outcome 1 is "600", want ` + kinds,
		"ok:2s":             `outcome 1 is "ok:2s", want ` + kinds,
		"429:2":             `outcome 1 is "429:2", want 429:DURATION with what the server asks to wait, for example 429:2s`,
		"429:-1s":           `outcome 1 is "429:-1s", want 429:DURATION with what the server asks to wait, for example 429:2s`,
		"ok after":          `outcome 1 is "ok after", want after DURATION, deaf or xN behind the outcome, and hang without the first two`,
		"hang after 2s":     `outcome 1 is "hang after 2s", want after DURATION, deaf or xN behind the outcome, and hang without the first two`,
		"hang deaf":         `outcome 1 is "hang deaf", want after DURATION, deaf or xN behind the outcome, and hang without the first two`,
		"ok after soon":     `outcome 1 is "ok after soon", want after with a duration, for example after 500ms`,
		"ok after -1s":      `outcome 1 is "ok after -1s", want after with a duration, for example after 500ms`,
		"fail x0":           `outcome 1 is "fail x0", want x with a number, for example x3`,
		"fail x70000":       `outcome 1 is "fail x70000", want x with a number, for example x3`,
		"ok x9999, fail x2": `script has over 10000 outcomes`,
	} {
		if _, err := trysailtest.ParseOutcomes(script); err == nil || err.Error() != want {
			t.Errorf("ParseOutcomes(%q) = %v, want %v", script, err, want)
		}
	}
}

// Whatever a script holds, it is read within bounds, or refused.
func FuzzParseOutcomes(f *testing.F) {
	for _, script := range []string{"ok", "fail x2, ok after 3s", "429:2s deaf after 1h", "hang, panic", "x3", "permanent:"} {
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script string) {
		outcomes, err := trysailtest.ParseOutcomes(script)
		if (len(outcomes) == 0) != (err != nil) || len(outcomes) > 10_000 {
			t.Fatalf("ParseOutcomes(%q) = %d outcomes, %v", script, len(outcomes), err)
		}
		for _, o := range outcomes {
			if o.After < 0 || o.Hang && (o.After > 0 || o.Deaf || o.Err != nil) || o.Err != nil && !errors.Is(o.Err, trysailtest.ErrScripted) {
				t.Fatalf("ParseOutcomes(%q) has %+v", script, o)
			}
		}
	})
}
