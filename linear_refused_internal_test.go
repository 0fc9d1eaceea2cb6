package trysail

import (
	"testing"
	"time"
)

// A wrong is a history that is right, and what would make it wrong: the search must tell them
// apart, or the tests above would prove nothing.
type wrong[S comparable] struct {
	start       S
	before      []func(S) (S, bool) // one after the other
	right, evil func(S) (S, bool)   // what comes next
}

func (w wrong[S]) check(t *testing.T) {
	t.Helper()
	for name, tc := range map[string]struct {
		last func(S) (S, bool)
		want bool
	}{"right": {w.right, true}, "wrong": {w.evil, false}} {
		var steps []step[S]
		for i, apply := range append(append([]func(S) (S, bool){}, w.before...), tc.last) {
			steps = append(steps, step[S]{begin: int64(2 * i), end: int64(2*i + 1), apply: apply})
		}
		if got := linearizable(w.start, steps); got != tc.want {
			t.Errorf("linearizable(the %s history) = %v, want %v", name, got, tc.want)
		}
	}
}

func TestWrongHistoriesOfABreakerAreRefused(t *testing.T) {
	normal := func(generation uint64) admission { return admission{ok: true, generation: generation} }
	leak := func(generation uint64) admission { return admission{ok: true, leaked: true, generation: generation} }
	probe := admission{ok: true, probe: true, generation: 2}
	tripped := []breakerStep{
		admitted(1, normal(0)), admitted(2, normal(0)), settled(1, 0, outcomeFailure), passed(linearOpen),
	}
	then := func(more ...breakerStep) []breakerStep { return append(append([]breakerStep{}, tripped...), more...) }
	for name, w := range map[string]wrong[breakerRules]{
		"a second probe": {
			before: then(admitted(3, probe)),
			right:  admitted(4, admission{state: HalfOpen, generation: 2}), evil: admitted(4, probe),
		},
		"a late success that closes": {
			before: then(settled(2, 0, outcomeSuccess)),
			right:  seen(BreakerSnapshot{State: HalfOpen, Generation: 2, Failures: 1, Stale: 1}),
			evil:   seen(BreakerSnapshot{State: Closed, Generation: 3}),
		},
		"a neutral probe that closes": {
			before: then(admitted(3, probe), settled(3, 2, outcomeNeutral)),
			right:  seen(BreakerSnapshot{State: HalfOpen, Generation: 2, Failures: 1}),
			evil:   seen(BreakerSnapshot{State: Closed, Generation: 3}),
		},
		"a probe that hangs for ever": {
			before: then(admitted(3, probe), passed(linearLease)),
			right:  seen(BreakerSnapshot{State: Open, Generation: 3, Failures: 2}),
			evil:   seen(BreakerSnapshot{State: HalfOpen, Generation: 2, Failures: 1, Probes: 1}),
		},
		"a probe a moment too early": {
			before: []breakerStep{admitted(1, normal(0)), settled(1, 0, outcomeFailure), passed(linearOpen - 1)},
			right:  admitted(2, admission{state: Open, generation: 1, after: 1}), evil: admitted(2, probe),
		},
		"an operator who is not heeded": {
			before: []breakerStep{overruled(ForcedOpen, 0, Closed), passed(time.Hour)},
			right:  admitted(1, admission{state: ForcedOpen, generation: 1}), evil: admitted(1, normal(1)),
		},
		"a call that slips past an operator": {
			before: []breakerStep{overruled(ForcedOpen, 0, Closed)},
			right:  admitted(1, admission{state: ForcedOpen, generation: 1}), evil: admitted(1, leak(1)),
		},
		"a call that is leaked by a closed breaker": {
			right: admitted(1, normal(0)), evil: admitted(1, leak(0)),
		},
		"a leaked call that decides": {
			before: []breakerStep{admitted(1, normal(0)), settled(1, 0, outcomeFailure), admitted(2, leak(1)), passed(linearOpen), spilt()},
			right:  seen(BreakerSnapshot{State: HalfOpen, Generation: 2, Failures: 1}),
			evil:   seen(BreakerSnapshot{State: Closed, Generation: 3}),
		},
		"an operator's word that outlives its end": {
			before: []breakerStep{overruled(ForcedOpen, time.Second, Closed), passed(time.Second)},
			right:  admitted(1, normal(2)), evil: admitted(1, admission{state: ForcedOpen, generation: 1}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			w.start = breakerRules{threshold: 1, most: 1, lenient: true}
			w.check(t)
		})
	}
}

func TestWrongHistoriesOfABudgetAreRefused(t *testing.T) {
	used := []budgetStep{asked(0, true), asked(0, true)}
	for name, w := range map[string]wrong[budgetRules]{
		"a retry too many":        {before: used, right: asked(0, false), evil: asked(0, true)},
		"a call that is not seen": {before: append(used, called, called), right: asked(0, true), evil: asked(0, false)},
		"too expensive":           {before: []budgetStep{asked(3, true)}, right: asked(1, false), evil: asked(1, true)},
		"a retry that was lost": {
			before: append(used, gaveBack(0)),
			right:  counted(BudgetSnapshot{Retries: 1}, true), evil: counted(BudgetSnapshot{Retries: 2}, true),
		},
	} {
		t.Run(name, w.check)
	}
}

func TestWrongHistoriesOfABulkheadAreRefused(t *testing.T) {
	taken := []bulkheadStep{wentInside(true)}
	for name, w := range map[string]wrong[bulkheadRules]{
		"a place too many":            {before: taken, right: wentInside(false), evil: wentInside(true)},
		"a place that is lost":        {before: append(taken[:1:1], wentOutside), right: wentInside(true), evil: wentInside(false)},
		"a refusal that is forgotten": {before: append(taken[:1:1], wentInside(false)), right: counts(BulkheadSnapshot{Running: 1, Limit: 1, Refused: 1}, 0, true), evil: counts(BulkheadSnapshot{Running: 1, Limit: 1}, 0, true)},
		"a permit given back twice": {
			before: []bulkheadStep{wasLent(true), wasReturned, wasReturned},
			right:  counts(BulkheadSnapshot{Limit: 1}, 1, true), evil: counts(BulkheadSnapshot{Running: -1, Limit: 1}, 0, true),
		},
	} {
		t.Run(name, func(t *testing.T) {
			w.start = bulkheadRules{places: 1}
			w.check(t)
		})
	}
}

func TestWrongHistoriesOfALimiterAreRefused(t *testing.T) {
	for name, w := range map[string]wrong[limiterRules]{
		"a unit too many":      {before: []limiterStep{tookUnits(2, true)}, right: tookUnits(1, false), evil: tookUnits(1, true)},
		"a unit that is lost":  {before: []limiterStep{tookUnits(1, true)}, right: waitsFor(0), evil: waitsFor(time.Second)},
		"a wait too short":     {before: []limiterStep{tookUnits(2, true)}, right: reservedUnits(2, &Error{RetryAfter: 2 * time.Second}), evil: reservedUnits(2, &Error{RetryAfter: time.Second})},
		"a second settlement":  {before: []limiterStep{settledLent, settledLent}, right: looksLike(LimiterSnapshot{Available: 3, Open: 0, Misuses: 1}), evil: looksLike(LimiterSnapshot{Available: 4})},
		"an overdraft is kept": {before: []limiterStep{tookUnits(2, true), settledUnits(0, 1)}, right: waitsFor(2 * time.Second), evil: waitsFor(time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			w.start = limiterRules{level: 2, open: 1, lent: true}
			w.check(t)
		})
	}
}
