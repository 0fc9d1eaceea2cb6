package trysail

import (
	"slices"
	"testing"
	"time"
)

// Whoever looks late, or is woken late, must find every transition at the instant at which
// it was due, and observers must hear of it with that time.
func TestTransitionsByTimeCarryTheInstantAtWhichTheyWereDue(t *testing.T) {
	const minute = int64(time.Minute)
	policy := completed(BreakerPolicy{
		FailureThreshold: 1, RecoveryTimeout: time.Minute, HalfOpenMaxCalls: 1, ProbeTimeout: time.Hour, MaxRecovery: time.Hour,
	})
	clock := clock{base: time.Now()} // the test says what time it is
	var got []Event
	b := newBreaker(&Operation{name: "op", common: &common{clock: clock, tell: func(e Event) { got = append(got, e) }}}, &policy)
	at := func(instant int64, from, to State, generation uint64, reason string) Event {
		return Event{
			Kind: EventTransition, Operation: "op", Time: clock.wall(instant),
			From: from, To: to, Generation: generation, Reason: reason,
		}
	}
	begin := func(now int64) permit {
		t.Helper()
		p, refused := b.admit(now)
		if refused != nil {
			t.Fatalf("admit(%d) = %v, want a permit", now, refused)
		}
		return p
	}

	b.settle(begin(1), result{outcome: outcomeFailure}, 1, 1)
	begin(100 * minute) // a probe, 98 minutes late, which is never heard of again
	b.advance(1000 * minute)
	want := []Event{
		at(1, Closed, Open, 1, "1 calls in a row failed"),
		at(1+minute, Open, HalfOpen, 2, "the recovery timeout has passed"),
		at(160*minute, HalfOpen, Open, 3, "a probe outlived its lease"),
		at(162*minute, Open, HalfOpen, 4, "the recovery timeout has passed"), // it has doubled
	}
	if !slices.Equal(got, want) {
		t.Errorf("events:\n got %+v\nwant %+v", got, want)
	}

	b.overrule(Disabled, Override{For: time.Hour}) // by the real clock, which says little more than 0
	got = nil
	until := b.override.until
	b.advance(until - 1)
	b.advance(until + 500*minute)
	want = []Event{at(until, Disabled, Closed, 6, "the operator's word has expired")}
	if !slices.Equal(got, want) {
		t.Errorf("events:\n got %+v\nwant %+v", got, want)
	}
}
