package trysailtest_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/trysailtest"
)

// What follows stands in docs/how-to/test-your-own.md, word by word: see the last test.

var policy = trysail.Policy{
	Attempt: 20 * time.Second,
	Retry:   trysail.RetryPolicy{Attempts: 4, NoJitter: true},
}

func TestRetriesOfSummaries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op, _ := trysailtest.Operation(t, policy)
		trysailtest.Run(t, op, "fail x2, ok").Want(t, "ok after 3 attempts in 4s, waits 2s 2s")
	})
}

func TestPatienceWithProvider(t *testing.T) {
	for script, want := range map[string]string{
		"fail":              "transient after 4 attempts in 8s, waits 2s 2s 4s",
		"429:7s, ok":        "ok after 2 attempts in 7s, waits 7s",
		"hang, ok after 3s": "ok after 2 attempts in 25s, waits 2s",
		"503, 429:7s, ok":   "ok after 3 attempts in 9s, waits 2s 7s",
		"permanent":         "permanent after 1 attempt in 0s",
	} {
		t.Run(script, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				op, _ := trysailtest.Operation(t, policy)
				trysailtest.Run(t, op, script).Want(t, want)
			})
		})
	}
}

// A Summarizer is the code under test. Its model is a client of a provider.
type Summarizer struct {
	op    *trysail.Operation
	model func(context.Context) (string, error)
}

func (s *Summarizer) Summarize(ctx context.Context) (string, error) {
	text, err := trysail.Do(ctx, s.op, s.model)
	return strings.ToUpper(text), err
}

func TestSummarizer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op, _ := trysailtest.Operation(t, policy)
		model := trysailtest.NewDependency(t, "short", "503, ok after 5s")
		summarizer := &Summarizer{op: op, model: model.Call}

		var text string
		call := model.Trace(func() (err error) {
			text, err = summarizer.Summarize(t.Context())
			return err
		})
		call.Want(t, "ok after 2 attempts in 7s, waits 2s")
		if text != "SHORT" {
			t.Errorf("Summarize() = %q, want %q", text, "SHORT")
		}
	})
}

func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op, recorder := trysailtest.Operation(t, policy)
		trysailtest.Trip(t, op)
		trysailtest.Run(t, op, "ok").Want(t, "not called in 0s: circuit breaker is open")

		trysailtest.HalfOpen(t, op) // a minute later
		trysailtest.Run(t, op, "ok").Want(t, "ok after 1 attempt in 0s")
		trysailtest.WantState(t, op, trysail.Closed)

		if got := recorder.Transitions(); len(got) != 3 || got[0] != "closed->open (5 calls in a row failed)" {
			t.Errorf("the breaker went through %q, want open, half-open and closed", got)
		}
	})
}

func TestTimeline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op, recorder := trysailtest.Operation(t, policy)
		trysailtest.Run(t, op, "503, hang, ok")
		recorder.Want(t, `
			 0s  retry in 2s: attempt 1 failed, overloaded: 503 Service Unavailable
			22s  retry in 2s: attempt 2 failed, transient: context deadline exceeded (then time limit of the attempt has passed)
			24s  call ok after 3 attempts in 24s
		`)
	})
}

func TestCacheAnswersInOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op, _ := trysailtest.Operation(t, policy)
		model := trysailtest.NewDependency(t, "fresh", "fail")
		cache := trysailtest.NewDependency(t, "stale", "ok")

		text, err := trysail.DoWithFallback(t.Context(), op, model.Call, cache.Fallback)
		if text != "stale" || err != nil {
			t.Errorf("DoWithFallback() = %q, %v; want %q", text, err, "stale")
		}
		if asked := cache.Attempts(); len(asked) != 1 || !errors.Is(asked[0].Reason, trysailtest.ErrScripted) {
			t.Errorf("the cache was asked %+v, want once, because of the model's failure", asked)
		}
	})
}

// The how-to's tests are those above.
func TestHowToIsTested(t *testing.T) {
	page, err := os.ReadFile("../docs/how-to/test-your-own.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("kit_howto_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := 0
	for rest := string(page); ; blocks++ {
		_, after, found := strings.Cut(rest, "```go\n")
		if !found {
			break
		}
		block, after, _ := strings.Cut(after, "```")
		if rest = after; strings.Contains(block, "func ") && !strings.Contains(string(source), block) {
			t.Errorf("this snippet of the how-to is not in this file as it stands there:\n%s", block)
		}
	}
	if blocks < 6 {
		t.Errorf("the how-to has %d snippets, want at least 6", blocks)
	}
}
