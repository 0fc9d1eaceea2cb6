package trysail

import (
	"errors"
	"math"
	"testing"
	"time"
)

// completed returns a policy, or a part of one, with what no strategy states.
func completed[T any, P interface {
	*T
	complete()
}](p T) T {
	P(&p).complete()
	return p
}

func TestLimiterPolicyCheck(t *testing.T) {
	for name, tc := range map[string]struct {
		policy LimiterPolicy
		want   string
	}{
		"nothing":             {LimiterPolicy{}, ""},
		"a rate":              {LimiterPolicy{Rate: 10}, ""},
		"everything":          {LimiterPolicy{Rate: 0.1, Burst: 1, MaxWait: time.Hour}, ""},
		"a burst of no call":  {LimiterPolicy{Rate: 10, Burst: 0.9}, "Policy.Limiter.Burst is 0.9, want at least 1, which is a call"},
		"a burst of nothing":  {LimiterPolicy{Rate: 10, Burst: -1}, "Policy.Limiter.Burst is -1, want more than 0"},
		"no number":           {LimiterPolicy{Rate: math.NaN()}, "Policy.Limiter.Rate is NaN, want 1e-06 to 1e+09 a second"},
		"a burst without one": {LimiterPolicy{Burst: 5}, "Policy.Limiter.Rate is 0, want a rate, because Burst is 5 and MaxWait is 0s"},
		"all wrong": {
			LimiterPolicy{Rate: -1, Burst: math.NaN(), MaxWait: 2 * time.Hour},
			"Policy.Limiter.Rate is -1, want 1e-06 to 1e+09 a second\n" +
				"Policy.Limiter.Burst is NaN, want more than 0\nPolicy.Limiter.MaxWait is 2h0m0s, want 0s to 1h",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := faults{where: "Policy"}
			policy := completed(tc.policy)
			policy.check(&f)
			if got := text(errors.Join(f.errs...)); got != tc.want {
				t.Errorf("check() of %+v = %q, want %q", policy, got, tc.want)
			}
		})
	}
}

func TestBulkheadPolicyCheck(t *testing.T) {
	for name, tc := range map[string]struct {
		policy BulkheadPolicy
		want   string
	}{
		"nothing":              {BulkheadPolicy{}, ""},
		"a number":             {BulkheadPolicy{MaxConcurrent: 100_000}, ""},
		"everything":           {BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 100_000, MaxWait: time.Hour}, ""},
		"a queue without one":  {BulkheadPolicy{MaxQueue: 5}, "Policy.Bulkhead.MaxConcurrent is 0, want a number, because MaxQueue is 5 and MaxWait is 0s"},
		"more than can be had": {BulkheadPolicy{MaxConcurrent: 100_001}, "Policy.Bulkhead.MaxConcurrent is 100001, want 1 to 100000"},
		"all wrong": {
			BulkheadPolicy{MaxConcurrent: -1, MaxQueue: -2, MaxWait: -3},
			"Policy.Bulkhead.MaxConcurrent is -1, want 1 to 100000\n" +
				"Policy.Bulkhead.MaxQueue is -2, want 0 to 100000\nPolicy.Bulkhead.MaxWait is -3ns, want more than 0s and at most 1h",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := faults{where: "Policy"}
			policy := completed(tc.policy)
			policy.check(&f)
			if got := text(errors.Join(f.errs...)); got != tc.want {
				t.Errorf("check() of %+v = %q, want %q", policy, got, tc.want)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestLimitPoliciesTakeWhatTheyDoNotSayFromTheirBase(t *testing.T) {
	base := LimiterPolicy{Rate: 5, Burst: 6, MaxWait: 7}
	for name, tc := range map[string]struct{ own, want LimiterPolicy }{
		"nothing said":    {LimiterPolicy{}, base},
		"a rate":          {LimiterPolicy{Rate: 1}, LimiterPolicy{Rate: 1, Burst: 6, MaxWait: 7}},
		"everything said": {LimiterPolicy{Rate: 1, Burst: 2, MaxWait: 3}, LimiterPolicy{Rate: 1, Burst: 2, MaxWait: 3}},
		"none at all":     {LimiterPolicy{Disabled: true}, LimiterPolicy{Rate: 5, Burst: 6, MaxWait: 7, Disabled: true}},
	} {
		t.Run("limiter: "+name, func(t *testing.T) {
			got := tc.own
			if got.fill(&base); got != tc.want || got.active() == tc.own.Disabled {
				t.Errorf("fill() = %+v, want %+v", got, tc.want)
			}
		})
	}
	places := BulkheadPolicy{MaxConcurrent: 5, MaxQueue: 6, MaxWait: 7}
	for name, tc := range map[string]struct{ own, want BulkheadPolicy }{
		"nothing said":    {BulkheadPolicy{}, places},
		"a number":        {BulkheadPolicy{MaxConcurrent: 1}, BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 6, MaxWait: 7}},
		"everything said": {BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 2, MaxWait: 3}, BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 2, MaxWait: 3}},
		"none at all":     {BulkheadPolicy{Disabled: true}, BulkheadPolicy{MaxConcurrent: 5, MaxQueue: 6, MaxWait: 7, Disabled: true}},
	} {
		t.Run("bulkhead: "+name, func(t *testing.T) {
			got := tc.own
			if got.fill(&places); got != tc.want || got.active() == tc.own.Disabled {
				t.Errorf("fill() = %+v, want %+v", got, tc.want)
			}
		})
	}
	if got, want := completed(LimiterPolicy{Rate: 0.5}).Burst, 1.0; got != want {
		t.Errorf("complete() gives the burst %v, want %v", got, want)
	}
	if got, want := completed(BulkheadPolicy{MaxConcurrent: 1}).MaxWait, 30*time.Second; got != want {
		t.Errorf("complete() gives the longest wait %v, want %v", got, want)
	}
}

// What the call pipeline uses.
func TestLimiterOfAnOperation(t *testing.T) {
	l := newLimiter("op", clock{base: time.Now()}, completed(LimiterPolicy{Rate: 1e-3}))
	if err := l.Wait(t.Context(), 1); err != nil {
		t.Fatalf("Wait() = %v", err)
	}
	const want = `operation "op": not called: rate limit is reached (retry after `
	if err := l.Wait(t.Context(), 1); !errors.Is(err, ErrLimited) || err.Error()[:len(want)] != want {
		t.Errorf("Wait() = %v, want %s…", err, want)
	}
	l.giveBack(1)
	l.reconfigure(LimiterPolicy{Rate: 1e-3, Burst: 2, MaxWait: time.Minute})
	l.reconfigure(LimiterPolicy{Rate: 1e-3, Burst: 2, MaxWait: time.Hour})
	if s := l.Snapshot(); s.Available < 1.99 || s.Available > 2 || s.MaxWait != time.Hour {
		t.Errorf("Snapshot() = %+v, want 2 available and waits of up to 1h", s)
	}
}
