package gateway_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
)

// A target's own times say when it is late: nothing is hedged before enough of them are known, and only what is slower than most then.
func TestHedgeByPercentile(t *testing.T) {
	var slow atomic.Bool
	f, lanes := newHedged(t, func(c *gateway.Config) {
		c.Plan.Routes[0].Hedge = gateway.Hedge{Percentile: 0.95, Samples: 10}
	}, func(l *lane, w http.ResponseWriter, r *http.Request) {
		if slow.Load() {
			l.sees(r)
			return
		}
		replies("a", 0)(l, w, r)
	}, replies("b", 0))
	for range 9 {
		if got := f.chat(plainBody); got.body != plainOf("a") {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	slow.Store(true)
	if got := f.chat(plainBody, gateway.TimeoutHeader, "300ms"); got.status != 504 || got.header.Get(gateway.HedgeHeader) != "" {
		t.Errorf("status %d, hedge %q; want none after 9 samples of 10", got.status, got.header.Get(gateway.HedgeHeader))
	}
	slow.Store(false)
	for range 10 {
		if got := f.chat(plainBody); got.body != plainOf("a") && got.body != plainOf("b") { // on a busy machine one of them is late
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	slow.Store(true)
	got := f.chat(plainBody)
	if got.body != plainOf("b") || !strings.HasPrefix(got.header.Get(gateway.HedgeHeader), "won; target=b") {
		t.Errorf("status %d, hedge %q: %s; want the other target's", got.status, got.header.Get(gateway.HedgeHeader), got.body)
	}
	for len(lanes[1].got) > 0 {
		<-lanes[1].got
	}
	// Another model's times, and a stream's, are others, of which nothing is known.
	for name, body := range map[string]string{"another model": strings.Replace(plainBody, "m-1", "m-2", 1), "a stream": streamBody} {
		if got := f.chat(body, gateway.TimeoutHeader, "300ms"); got.header.Get(gateway.HedgeHeader) != "" || len(lanes[1].got) != 0 && got.header.Get(gateway.FallbackHeader) == "none" {
			t.Errorf("%s: hedge %q", name, got.header.Get(gateway.HedgeHeader))
		}
	}
	// They stay over a reload.
	if err := f.gateway.Apply(f.plan); err != nil {
		t.Fatal(err)
	}
	if got := f.chat(plainBody); got.body != plainOf("b") {
		t.Errorf("after a reload: %d %s", got.status, got.body)
	}
}

// The log tells of both sends, in the order in which they were made.
func TestHedgeInTheLog(t *testing.T) {
	for name, tc := range map[string]struct {
		first, second does
		want          string
	}{
		"won":    {hangs, asked(replies("b", 0)), `target=b fallback=a trail="a:lost \+\S+ b:ok" hedge=won hedge_target=b hedge_after_ms=`},
		"lost":   {asked(replies("a", 0)), hangs, `target=a trail="a:ok \+\S+ b:lost" hedge=lost hedge_target=b hedge_after_ms=`},
		"failed": {done(fails(404, "{}")), fails(404, "{}"), `target=a fallback=b trail="a:permanent \+\S+ b:permanent" hedge=failed hedge_target=b hedge_after_ms=`},
	} {
		t.Run(name, func(t *testing.T) {
			var book logbook
			f, _ := newHedged(t, book.keep, tc.first, tc.second)
			f.chat(plainBody, gateway.RequestIDHeader, "one")
			if line := book.line(t, "one"); !regexp.MustCompile(tc.want).MatchString(line) || !strings.Contains(line, "attempts=2") {
				t.Errorf("the line is %s\nwant %s", line, tc.want)
			}
			f.stop()
			usage := f.gateway.Usage()
			if a, b := usage.Targets["a"].Requests, usage.Targets["b"].Requests; a != 1 || b != 1 || usage.Operations["chat"].Requests != 1 {
				t.Errorf("%d and %d sends are counted, want one each, and one call", a, b)
			}
		})
	}
}

// Faults of hedges in a plan are named, with what would be right.
func TestBadHedges(t *testing.T) {
	f := newFleet(t, []string{"ok", "ok"}, nil)
	two := []gateway.RouteTarget{{Target: "a"}, {Target: "b", Priority: 1}}
	for want, tc := range map[string]struct {
		hedge   gateway.Hedge
		targets []gateway.RouteTarget
	}{
		"Hedge has neither After nor Percentile, without which the rest of it means nothing":  {gateway.Hedge{SameTarget: true}, two},
		"Hedge.After is 10µs, want 1ms to 10m0s":                                              {gateway.Hedge{After: 10 * time.Microsecond}, two},
		"Hedge.After is -1s, want 1ms to 10m0s":                                               {gateway.Hedge{After: -time.Second}, two},
		"Hedge.After is 30s, want less than Timeout, which is 30s: no hedge would ever begin": {gateway.Hedge{After: 30 * time.Second}, two},
		"Hedge.Percentile is 95, want 0.5 to 0.999, or 0 for After alone":                     {gateway.Hedge{Percentile: 95}, two},
		"Hedge.Percentile is NaN, want 0.5 to 0.999":                                          {gateway.Hedge{Percentile: math.NaN()}, two},
		"Hedge.Samples is 5 without Percentile, for which they are counted":                   {gateway.Hedge{After: time.Second, Samples: 5}, two},
		"Hedge.Samples is 501, want 1 to 500, or 0 for 20":                                    {gateway.Hedge{Percentile: 0.9, Samples: 501}, two},
		"Hedge needs a second target, or SameTarget, to ask the only one twice":               {gateway.Hedge{After: time.Second}, two[:1]},
	} {
		plan := f.plan
		plan.Routes = []gateway.Route{{Name: "r", Targets: tc.targets, Timeout: 30 * time.Second, Hedge: tc.hedge}}
		if err := f.gateway.Apply(plan); err == nil || !strings.Contains(err.Error(), `route "r": `+want) {
			t.Errorf("Apply() = %v, want %q", err, want)
		}
	}
}

// Many calls that race, fail, are left and are overtaken at once: each has its own answer, and every permit comes back once.
func TestManyRaces(t *testing.T) {
	wild := func(word string) does {
		return func(l *lane, w http.ResponseWriter, r *http.Request) {
			wait := time.Duration(rand.IntN(30)) * time.Millisecond
			switch rand.IntN(8) {
			case 0:
				time.Sleep(wait)
				fails(503, `{"error":{"message":"down"}}`)(l, w, r)
			case 1:
				hangsInside(l, w, r)
			default:
				replies(word, wait)(l, w, r)
			}
		}
	}
	f, _ := newHedged(t, func(c *gateway.Config) {
		c.Plan.Routes[0].Hedge.After = 10 * time.Millisecond
		for i := range c.Plan.Targets {
			c.Plan.Targets[i].Limits.Concurrent = 20
			c.Plan.Targets[i].Policy.Breaker.Disabled = true
		}
		policy := trysail.Policy{Breaker: trysail.BreakerPolicy{Disabled: true}}
		if _, err := c.Orchestrator.Register(gateway.DefaultOperation, trysail.OperationConfig{Policy: policy}); err != nil {
			t.Fatal(err)
		}
	}, wild("a"), wild("b"), wild("c"))
	var mu sync.Mutex
	seen := map[string]int{}
	inParallel(30, 600, func() {
		body, accept, of := plainBody, "application/json", plainOf
		if rand.IntN(2) == 0 {
			body, accept, of = streamBody, "text/event-stream", streamOf
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if rand.IntN(10) == 0 {
			ctx, cancel = context.WithTimeout(t.Context(), time.Duration(rand.IntN(30))*time.Millisecond)
		}
		defer cancel()
		got := f.do(ctx, http.MethodPost, "/v1/chat/completions", body, accepts, accept, gateway.TimeoutHeader, "2s")
		target, hedge := got.header.Get(gateway.TargetHeader), got.header.Get(gateway.HedgeHeader)
		if got.status == 200 && got.err == nil && got.body != of(target) {
			t.Errorf("the answer of %q is %q", target, got.body)
		}
		word, _, _ := strings.Cut(hedge, ";")
		mu.Lock()
		defer mu.Unlock()
		seen[word]++
		seen[fmt.Sprint(got.status)]++
	})
	f.stop()
	if seen["won"] == 0 || seen["lost"] == 0 || seen["200"] < 400 {
		t.Errorf("%v: want races that were won and lost, and most calls answered", seen)
	}
}
