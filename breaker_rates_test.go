package trysail_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// The last call of each row decides: before it the breaker is closed.
func TestR3RatesTripAtTheShareAndNotBefore(t *testing.T) {
	const slow = 30 * time.Second
	type policy = trysail.BreakerPolicy
	slowly := func(share float64, minCalls int) policy {
		return policy{SlowRate: share, SlowCall: slow, MinCalls: minCalls, Window: time.Hour}
	}
	many := strings.Repeat
	for name, tc := range map[string]struct {
		policy policy
		calls  string
		open   bool
		reason string
	}{
		"the share exactly, with as few calls as count": {
			policy{FailureRate: 0.5, MinCalls: 10}, "sssssfffff", true, "5 of 10 calls failed",
		},
		"less than the share":           {policy{FailureRate: 0.5, MinCalls: 10}, "ssssssffff", false, ""},
		"failures alone, but too few":   {policy{FailureRate: 0.5, MinCalls: 10}, "fffffffff", false, ""},
		"the success that makes enough": {policy{FailureRate: 0.5, MinCalls: 10}, "fffffffffs", true, "9 of 10 calls failed"},
		"ten calls are enough by default": {
			policy{FailureRate: 0.5}, "fffffffffs", true, "9 of 10 calls failed",
		},
		"nine are not by default": {policy{FailureRate: 0.5}, "fffffffff", false, ""},
		"a full window is enough where it is small": {
			policy{FailureRate: 0.5, WindowCalls: 4}, "fsfs", true, "2 of 4 calls failed",
		},
		"a share without an exact binary number": {
			policy{FailureRate: 0.28, MinCalls: 25}, many("s", 18) + many("f", 7), true, "7 of 25 calls failed",
		},
		"55 of 100": {
			policy{FailureRate: 0.55, MinCalls: 100}, many("s", 45) + many("f", 55), true, "55 of 100 calls failed",
		},
		"all must fail and all do":  {policy{FailureRate: 1, MinCalls: 3}, "fff", true, "3 of 3 calls failed"},
		"all must fail and one not": {policy{FailureRate: 1, MinCalls: 3}, "sfffffff", false, ""},
		"one is enough":             {policy{FailureRate: 0.01, MinCalls: 1}, "f", true, "1 of 1 calls failed"},
		"no failure is no reason":   {policy{FailureRate: 0.01, MinCalls: 1}, "sss", false, ""},

		"neutral ones do not make enough": {policy{FailureRate: 0.5, MinCalls: 10}, "fffffffffnnnnn", false, ""},
		"neutral ones do not thin out": {
			policy{FailureRate: 0.5, MinCalls: 10}, "sssssffff" + many("n", 20) + "f", true, "5 of 10 calls failed",
		},
		"slow neutral ones do not count": {
			slowly(0.5, 3), "NNNNss", false, "",
		},

		"slow by a nanosecond": {
			slowly(0.5, 4), "ssSS", true,
			"2 of 4 calls took longer than 30s, 0 of them are still under way",
		},
		"as long as the limit is not slow": {
			slowly(0.5, 4), "ssSeeee", false, "",
		},
		"slow ones, but too few": {slowly(0.5, 4), "SSS", false, ""},
		"slow failures are slow": {
			slowly(0.5, 4), "ssFF", true,
			"2 of 4 calls took longer than 30s, 0 of them are still under way",
		},
		"quick failures are not slow": {slowly(0.1, 4), "ffff", false, ""},
		"slow successes do not fail": {
			policy{FailureRate: 0.1, SlowRate: 1, SlowCall: slow, MinCalls: 4, Window: time.Hour}, "sSSS", false, "",
		},
		"slow ones are nothing without a rule": {policy{FailureRate: 0.5, SlowCall: slow, MinCalls: 4, Window: time.Hour}, "SSSSS", false, ""},
		"either rule: failures": {
			policy{FailureRate: 0.5, SlowRate: 0.75, SlowCall: slow, MinCalls: 4, Window: time.Hour}, "sSff", true, "2 of 4 calls failed",
		},
		"either rule: slow calls": {
			policy{FailureRate: 0.75, SlowRate: 0.5, SlowCall: slow, MinCalls: 4, Window: time.Hour},
			"sfSS", true,
			"2 of 4 calls took longer than 30s, 0 of them are still under way",
		},
		"failures and slow calls are not added up": {
			policy{FailureRate: 0.5, SlowRate: 0.5, SlowCall: slow, MinCalls: 5, Window: time.Hour}, "sffSS", false, "",
		},

		"the newest calls only": {
			policy{FailureRate: 0.75, WindowCalls: 4}, "ffss" + "ssfff", true, "3 of 4 calls failed",
		},
		"what is overwritten is gone": {policy{FailureRate: 0.75, WindowCalls: 4}, many("ffss", 20), false, ""},
		"slow calls are overwritten, too": {
			policy{SlowRate: 0.75, SlowCall: slow, WindowCalls: 4}, many("SSss", 20), false, "",
		},
		"fewer than the window holds": {
			policy{FailureRate: 0.5, WindowCalls: 100, MinCalls: 2}, "sf", true, "1 of 2 calls failed",
		},
		"calls of any age, by number": {
			policy{SlowRate: 0.75, SlowCall: time.Hour, WindowCalls: 4},
			"sSSS", true,
			"3 of 4 calls took longer than 1h0m0s, 0 of them are still under way",
		},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, rated(tc.policy))
			calls(t, op, tc.calls[:len(tc.calls)-1])
			wantState(t, op, trysail.Closed)
			calls(t, op, tc.calls[len(tc.calls)-1:])
			want := trysail.Closed
			if tc.open {
				want = trysail.Open
			}
			if s := op.Breaker().Snapshot(); s.State != want || s.Reason != tc.reason {
				t.Errorf("after %q: state %v because of %q, want %v because of %q", tc.calls, s.State, s.Reason, want, tc.reason)
			}
		})
	}
}

func TestR3CallsInARowBesideARate(t *testing.T) {
	for name, tc := range map[string]struct {
		ratesOnly bool
		want      trysail.State
	}{
		"the rule is on unless switched off": {false, trysail.Open},
		"RatesOnly switches it off":          {true, trysail.Closed},
	} {
		bubble(t, name, func(t *testing.T) {
			policy := once()
			policy.Breaker = trysail.BreakerPolicy{FailureThreshold: 3, FailureRate: 1, RatesOnly: tc.ratesOnly}
			op := newOperation(t, policy)
			calls(t, op, "sff")
			wantState(t, op, trysail.Closed)
			calls(t, op, "f")
			wantState(t, op, tc.want)
		})
	}
}

func TestR3SnapshotShowsTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, rated(trysail.BreakerPolicy{FailureRate: 1, SlowRate: 1, SlowCall: time.Second, Window: time.Minute}))
		check := func(when string, calls, failures, slow int) {
			t.Helper()
			s := op.Breaker().Snapshot()
			if s.WindowCalls != calls || s.WindowFailures != failures || s.WindowSlow != slow {
				t.Errorf("%s: the window holds %d calls, %d failed, %d slow; want %d, %d, %d",
					when, s.WindowCalls, s.WindowFailures, s.WindowSlow, calls, failures, slow)
			}
		}
		check("new", 0, 0, 0)
		calls(t, op, "sfnnSFN") // at 0 s and, those in upper case, at 1 s, 2 s and 3 s
		check("two quick and two slow ones", 4, 2, 2)
		time.Sleep(52*time.Second - 4)
		check("just in the window", 4, 2, 2)
		time.Sleep(5 * time.Second)
		check("a window later", 0, 0, 0)
	})
}

// R3, combined: a call that failed or was slow is one bad call, whichever it was.
func TestR3SlowCallsCountAsFailedOnce(t *testing.T) {
	combined := trysail.BreakerPolicy{FailureRate: 0.5, SlowFails: true, SlowCall: 32 * time.Second, MinCalls: 4, Window: time.Hour}
	byNumber := combined
	byNumber.WindowCalls = 4
	for name, tc := range map[string]struct {
		policy trysail.BreakerPolicy
		calls  string
		reason string // empty: it stays closed
	}{
		"one slow and one failed":     {combined, "ssSf", "2 of 4 calls failed or took longer than 32s, 0 of them are still under way"},
		"slow ones alone":             {combined, "ssSS", "2 of 4 calls failed or took longer than 32s, 0 of them are still under way"},
		"one that is both":            {combined, "sssF", ""},
		"both, twice":                 {combined, "ssFF", "2 of 4 calls failed or took longer than 32s, 0 of them are still under way"},
		"exactly as long as allowed":  {combined, "ssfe", ""},
		"too few":                     {combined, "Sf", ""},
		"neutral ones":                {combined, "ssNNf", ""},
		"by number, when they leave":  {byNumber, "SsssfsssFsssSsss", ""},
		"by number, both within four": {byNumber, "SsssssFSss", "2 of 4 calls failed or took longer than 32s, 0 of them are still under way"},
		"without it":                  {trysail.BreakerPolicy{FailureRate: 0.5, SlowCall: 32 * time.Second, MinCalls: 4}, "sSSf", ""},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, rated(tc.policy))
			calls(t, op, tc.calls)
			s := op.Breaker().Snapshot()
			if want := tc.reason != ""; s.State.Refuses() != want || want && s.Reason != tc.reason {
				t.Errorf("after %q the breaker is %v because of %q, want it open: %v, because of %q", tc.calls, s.State, s.Reason, want, tc.reason)
			}
		})
	}
}

// Calls that hang are bad ones already.
func TestR3CallsThatHangCountAsFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, rated(trysail.BreakerPolicy{
			FailureRate: 0.5, SlowFails: true, SlowCall: 32 * time.Second, MinCalls: 4, Window: time.Hour,
		}))
		calls(t, op, "sf")
		hung := []*held{hold(t, op), hold(t, op)}
		time.Sleep(32 * time.Second)
		_ = hold(t, op).end(errBadRequest)
		wantState(t, op, trysail.Closed)
		time.Sleep(2 * time.Second) // a sixteenth of it, rounded up to the next part
		_, why := refusal(t, op)
		if want := "3 of 4 calls failed or took longer than 32s, 2 of them are still under way"; why.Reason != want {
			t.Errorf("refused because %q, want %q", why.Reason, want)
		}
		for _, h := range hung {
			_ = h.end(nil)
		}
		time.Sleep(2 * time.Minute)
		wantState(t, op, trysail.HalfOpen)
		calls(t, op, "S") // a slow probe is a bad one
		wantState(t, op, trysail.Open)
	})
}

// Calls leave a window by time with the twelfth in which they came.
func TestR5WindowForgetsByTime(t *testing.T) {
	for name, tc := range map[string]struct {
		wait time.Duration
		want trysail.State
	}{
		"eleven twelfths later they still count": {110 * time.Second, trysail.Open},
		"just before they leave":                 {120*time.Second - 2, trysail.Open}, // a bubble's first instant is 1
		"when they leave":                        {120*time.Second - 1, trysail.Closed},
		"a window later":                         {120 * time.Second, trysail.Closed},
		"a day later":                            {24 * time.Hour, trysail.Closed},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, rated(trysail.BreakerPolicy{FailureRate: 0.5})) // of two minutes
			calls(t, op, "fffffffff")
			time.Sleep(tc.wait)
			calls(t, op, "f")
			wantState(t, op, tc.want)
		})
	}
}

// A slow stream of failures must be seen as well as a burst: the window slides.
func TestR5WindowSlides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, rated(trysail.BreakerPolicy{FailureRate: 0.5, MinCalls: 10}))
		for range 60 { // nine of ten in any window: too few
			time.Sleep(14 * time.Second)
			calls(t, op, "f")
		}
		wantState(t, op, trysail.Closed)
		n := 0
		for ; op.Breaker().State() == trysail.Closed && n < 20; n++ {
			time.Sleep(11 * time.Second)
			calls(t, op, "f")
		}
		if n > 11 {
			t.Errorf("the breaker opened after %d failures 11 s apart, want at most 11", n)
		}
		wantState(t, op, trysail.Open)
	})
}

// R2: results of an earlier generation enter no window.
// The rule is about the share in the window, which also changes when old successes leave it.
func TestR5OldSuccessesThatLeaveTheWindowOpenTheBreaker(t *testing.T) {
	for name, tc := range map[string]struct {
		policy  trysail.BreakerPolicy
		then    string
		reason  string // why the breaker opens; empty if it does not
		refused uint64
	}{
		"with the next outcome":                 {trysail.BreakerPolicy{FailureRate: 0.5}, "ffffffffffsssss", "10 of 16 calls failed", 0},
		"with a call under a rule of slow ones": {trysail.BreakerPolicy{FailureRate: 0.5, SlowRate: 1, SlowCall: time.Minute}, "ffffffffffsssss", "10 of 15 calls failed", 1},
		"not while too few are left":            {trysail.BreakerPolicy{FailureRate: 0.5, SlowRate: 1, SlowCall: time.Minute}, "ffffffff", "", 0},
		"not when none is left":                 {trysail.BreakerPolicy{FailureRate: 0.5, SlowRate: 1, SlowCall: time.Minute}, "", "", 0},
		"not when the share stays small":        {trysail.BreakerPolicy{FailureRate: 0.5, SlowRate: 1, SlowCall: time.Minute}, "ffffffssssssss", "", 0},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, rated(tc.policy))
			calls(t, op, "ssssssssssssssssssss")
			time.Sleep(time.Minute)
			calls(t, op, tc.then)
			wantState(t, op, closed)
			time.Sleep(time.Minute + 10*time.Second) // two minutes, and the width of a bucket
			wantState(t, op, closed)                 // nobody has looked
			_ = call(t, op, nil)
			s := op.Breaker().Snapshot()
			if opened := s.State == trysail.Open; opened != (tc.reason != "") || opened && s.Reason != tc.reason || op.Metrics().Rejected != tc.refused {
				t.Errorf("the breaker is %v: %s; want %q, and %d calls refused", s.State, s.Reason, tc.reason, tc.refused)
			}
		})
	}
}

func TestR2StaleResultsEnterNoWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, rated(trysail.BreakerPolicy{FailureRate: 0.5, SlowRate: 0.5, SlowCall: time.Minute, MinCalls: 3}))
		var old []*held
		for range 5 {
			old = append(old, hold(t, op))
		}
		op.Breaker().Reset("test")
		time.Sleep(time.Hour) // and they are no longer under way either
		for _, h := range old {
			_ = h.end(errDown)
		}
		s := op.Breaker().Snapshot()
		if s.State != trysail.Closed || s.Stale != 5 || s.WindowCalls != 0 || s.Overdue != 0 {
			t.Errorf("Snapshot() = %+v, want closed, 5 stale, an empty window, none overdue", s)
		}
	})
}

// R2: outcomes that come while open neither open again nor keep open for longer.
func TestR2ResultsWhileOpenChangeNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, rated(trysail.BreakerPolicy{FailureRate: 0.5, MinCalls: 2, HonorRetryAfter: true}))
		late := hold(t, op)
		calls(t, op, "ff")
		before := op.Breaker().Snapshot()
		time.Sleep(10 * time.Second)
		_ = late.end(trysail.RateLimited(errDown, time.Hour))
		before.Stale = 1
		if got := op.Breaker().Snapshot(); got != before || op.Metrics().Opens != 1 {
			t.Errorf("Snapshot() = %+v, want %+v", got, before)
		}
	})
}

// R4: when all calls hang, none ends that could be counted. The next one is refused.
func TestR4CallsThatHangOpenTheBreaker(t *testing.T) {
	const limit = 32 * time.Second
	for name, tc := range map[string]struct {
		hang int
		wait time.Duration
		want trysail.State
	}{
		"as long as the limit":                       {10, limit, trysail.Closed},
		"a nanosecond before they are noticed":       {10, limit + 2*time.Second - 2, trysail.Closed},
		"a sixteenth longer":                         {10, limit + 2*time.Second - 1, trysail.Open},
		"one less than the calls that a rate needs":  {9, time.Hour, trysail.Closed},
		"an hour, longer than is kept by the second": {10, time.Hour, trysail.Open},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, rated(trysail.BreakerPolicy{SlowRate: 0.5, SlowCall: limit}))
			var hung []*held
			for range tc.hang {
				hung = append(hung, hold(t, op))
			}
			time.Sleep(tc.wait)
			wantState(t, op, trysail.Closed) // nobody has come who could be refused
			err := call(t, op, errBadRequest)
			if got, want := errors.Is(err, trysail.ErrOpen), tc.want == trysail.Open; got != want {
				t.Errorf("Do() beside %d calls that take %v = %v, want it refused: %v", tc.hang, tc.wait, err, want)
			}
			if s := op.Breaker().Snapshot(); s.State != tc.want || s.State == trysail.Open && s.Reason !=
				"10 of 10 calls took longer than 32s, 10 of them are still under way" {
				t.Errorf("Snapshot() = %+v, want %v", s, tc.want)
			}
			for _, h := range hung {
				_ = h.end(errBadRequest)
			}
		})
	}
}

// R4: calls under way count in both parts of the share, beside those that ended, and
// move to the window once.
func TestR4OverdueCallsCountOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, rated(trysail.BreakerPolicy{SlowRate: 0.5, SlowCall: 32 * time.Second, MinCalls: 8, Window: time.Hour}))
		check := func(when string, overdue, calls, slow int) {
			t.Helper()
			s := op.Breaker().Snapshot()
			if s.Overdue != overdue || s.WindowCalls != calls || s.WindowSlow != slow || s.State != trysail.Closed {
				t.Errorf("%s: %v with %d overdue, %d calls, %d slow; want closed, %d, %d, %d",
					when, s.State, s.Overdue, s.WindowCalls, s.WindowSlow, overdue, calls, slow)
			}
		}
		a, b, c := hold(t, op), hold(t, op), hold(t, op)
		time.Sleep(34 * time.Second)
		calls(t, op, "ssss")
		check("3 of 7: too few calls", 3, 4, 0)
		_ = a.end(nil)
		check("one has ended", 2, 5, 1)
		_ = b.end(errBadRequest)
		check("one was no call", 1, 5, 1)
		_ = c.end(errDown)
		check("all have ended", 0, 6, 2)
		calls(t, op, "ss")
		check("2 of 8", 0, 8, 2)
		var more []*held
		for range 3 {
			more = append(more, hold(t, op))
		}
		time.Sleep(34 * time.Second)
		check("5 of 11", 3, 8, 2)
		d := hold(t, op)
		more = append(more, d)
		time.Sleep(34 * time.Second)
		if err := call(t, op, nil); !errors.Is(err, trysail.ErrOpen) {
			t.Errorf("Do() with 6 slow calls of 12 = %v, want %v", err, trysail.ErrOpen)
		}
		want := "6 of 12 calls took longer than 32s, 4 of them are still under way"
		if s := op.Breaker().Snapshot(); s.Reason != want || s.Overdue != 0 {
			t.Errorf("Snapshot() = %+v, want the reason %q, none overdue", s, want)
		}
		for _, h := range more {
			_ = h.end(nil)
		}
	})
}

// R4: the end of another call finds those that hang as well as a beginning one does.
func TestR4OverdueCallsAreSeenWhenAnotherCallEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, rated(trysail.BreakerPolicy{SlowRate: 0.9, SlowCall: 32 * time.Second, MinCalls: 10}))
		var hung []*held
		for range 9 {
			hung = append(hung, hold(t, op))
		}
		time.Sleep(10 * time.Second)
		quick := hold(t, op)
		time.Sleep(24 * time.Second)
		_ = quick.end(nil)
		want := "9 of 10 calls took longer than 32s, 9 of them are still under way"
		if s := op.Breaker().Snapshot(); s.State != trysail.Open || s.Reason != want {
			t.Errorf("Snapshot() = %+v, want open because of %q", s, want)
		}
		for _, h := range hung {
			_ = h.end(nil)
		}
	})
}

// A call through a closed breaker that counts calls under way gives its place back, whatever
// way it ends.
func TestR4NobodyStaysUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, rated(trysail.BreakerPolicy{SlowRate: 1, SlowCall: time.Second, WindowCalls: 10_000, MinCalls: 10_000}))
		for range 50 {
			calls(t, op, "sfnSFN")
			panics(t, op)
		}
		time.Sleep(time.Hour)
		if s := op.Breaker().Snapshot(); s.Overdue != 0 || s.WindowCalls != 50*5 || s.WindowFailures != 50*3 || s.WindowSlow != 50*2 {
			t.Errorf("Snapshot() = %+v, want none overdue, 250 calls, 150 failures, 100 slow", s)
		}
	})
}

// R13 and the contract: who leaves before the call is slow says nothing. Slow is more than SlowCall, as of every call.
func TestR13WhoLeavesInTimeIsNeutral(t *testing.T) {
	for name, breaker := range map[string]trysail.BreakerPolicy{
		"at once":                     {FailureRate: 0.1, SlowRate: 0.1, SlowCall: 33 * time.Second},
		"at the very edge":            {FailureRate: 0.1, SlowRate: 0.1, SlowCall: 32 * time.Second},
		"no rule is about slow calls": {FailureRate: 0.1},
		"the rule is about both":      {FailureRate: 0.1, SlowCall: 32 * time.Second, SlowFails: true},
	} {
		bubble(t, name, func(t *testing.T) {
			breaker.MinCalls, breaker.Window = 1, time.Hour
			op := newOperation(t, rated(breaker))
			leaving(t, op, 32*time.Second)
			if s := op.Breaker().Snapshot(); s.State != trysail.Closed || s.WindowCalls != 0 || s.Overdue != 0 {
				t.Errorf("Snapshot() = %+v, want closed with an empty window", s)
			}
		})
	}
}

// R13: calls hang, callers cancel, and in the end the breaker knows.
func TestR13WhoLeavesASlowCallCountsAsSlow(t *testing.T) {
	for name, tc := range map[string]struct {
		breaker trysail.BreakerPolicy
		reason  string
	}{
		"in the share of slow calls": {
			trysail.BreakerPolicy{SlowRate: 0.5}, "5 of 10 calls took longer than 32s, 0 of them are still under way",
		},
		"in the share of failed or slow calls": {
			trysail.BreakerPolicy{FailureRate: 0.5, SlowFails: true},
			"5 of 10 calls failed or took longer than 32s, 0 of them are still under way",
		},
		"in a window of calls": {
			trysail.BreakerPolicy{SlowRate: 0.5, WindowCalls: 10}, "5 of 10 calls took longer than 32s, 0 of them are still under way",
		},
	} {
		bubble(t, name, func(t *testing.T) {
			tc.breaker.SlowCall, tc.breaker.MinCalls, tc.breaker.Window = 32*time.Second, 10, time.Hour
			op := newOperation(t, rated(tc.breaker))
			calls(t, op, "sssss")
			for range 4 {
				leaving(t, op, 32*time.Second+1)
			}
			if s := op.Breaker().Snapshot(); s.State != trysail.Closed || s.WindowCalls != 9 || s.WindowSlow != 4 || s.WindowLeft != 4 || s.WindowFailures != 0 || s.Overdue != 0 {
				t.Errorf("Snapshot() = %+v, want closed with 4 of 9 calls slow and left, and none failed", s)
			}
			leaving(t, op, 32*time.Second+1)
			if s := op.Breaker().Snapshot(); s.State != trysail.Open || s.Reason != tc.reason || s.Failures != 0 || !s.LastFailure.IsZero() {
				t.Errorf("Snapshot() = %+v, want open because of %q, and no failure", s, tc.reason)
			}
		})
	}
}

// What nobody waited for has neither failed nor succeeded: the share of failures is one of the other calls.
func TestR13WhoLeavesASlowCallIsNoFailure(t *testing.T) {
	bubble(t, "in a row", func(t *testing.T) {
		policy := once()
		policy.Breaker = trysail.BreakerPolicy{FailureThreshold: 3, SlowRate: 1, SlowCall: time.Second}
		op := newOperation(t, policy)
		calls(t, op, "ff")
		for range 5 {
			leaving(t, op, time.Minute)
		}
		if s := op.Breaker().Snapshot(); s.State != trysail.Closed || s.Failures != 2 {
			t.Errorf("Snapshot() = %+v, want closed after 2 failures in a row", s)
		}
		calls(t, op, "f")
		wantState(t, op, trysail.Open)
	})
	bubble(t, "after the threshold was lowered", func(t *testing.T) {
		orc := newOrchestrator(t, trysail.Config{Default: once()})
		breaker := trysail.BreakerPolicy{FailureThreshold: 3, SlowRate: 1, SlowCall: time.Second}
		register(t, orc, breaker)
		op := orc.Operation("op")
		calls(t, op, "ff")
		breaker.FailureThreshold = 1
		register(t, orc, breaker)
		leaving(t, op, time.Minute)
		wantState(t, op, trysail.Closed)
	})
	bubble(t, "in the share of failures", func(t *testing.T) {
		op := newOperation(t, rated(trysail.BreakerPolicy{
			FailureRate: 0.5, SlowRate: 1, SlowCall: time.Second, MinCalls: 4, Window: time.Hour,
		}))
		calls(t, op, "ss")
		for range 6 {
			leaving(t, op, time.Minute)
		}
		calls(t, op, "f")
		wantState(t, op, trysail.Closed) // 1 of the 3 that nobody left
		calls(t, op, "f")
		if s := op.Breaker().Snapshot(); s.State != trysail.Open || s.Reason != "2 of 4 calls failed" {
			t.Errorf("Snapshot() = %+v, want open because 2 of 4 calls failed", s)
		}
	})
}

// R7 and R13: a probe that is left gives its place back. It moves the breaker only if it was slow, as every slow probe does.
func TestR13AProbeThatIsLeft(t *testing.T) {
	policy := rated(trysail.BreakerPolicy{SlowRate: 0.5, SlowCall: 32 * time.Second})
	bubble(t, "in time", func(t *testing.T) {
		op := newOperation(t, policy)
		probing(t, op)
		for range 3 { // with one place, the second would be refused if the first kept it
			leaving(t, op, 32*time.Second)
		}
		if s := op.Breaker().Snapshot(); s.State != trysail.HalfOpen || s.Probes != 0 {
			t.Errorf("Snapshot() = %+v, want half-open without probes", s)
		}
	})
	bubble(t, "when it was slow", func(t *testing.T) {
		op := newOperation(t, policy)
		probing(t, op)
		leaving(t, op, 32*time.Second+1)
		s := op.Breaker().Snapshot()
		if want := "a probe was slow when its caller left"; s.State != trysail.Open || s.Reason != want || s.Failures != 0 || !s.LastFailure.IsZero() {
			t.Errorf("Snapshot() = %+v, want open because %q, and no failure", s, want)
		}
	})
	bubble(t, "when no rule is about slow calls", func(t *testing.T) {
		op := newOperation(t, once())
		probing(t, op)
		leaving(t, op, time.Minute)
		if s := op.Breaker().Snapshot(); s.State != trysail.HalfOpen || s.Probes != 0 {
			t.Errorf("Snapshot() = %+v, want half-open without probes", s)
		}
	})
}

// An operator's word holds for who leaves as well.
func TestR13UnderAnOperatorsWord(t *testing.T) {
	for name, tc := range map[string]struct {
		overrule   func(*trysail.Breaker, trysail.Override) trysail.State
		calls, was int
	}{
		"metrics-only counts":     {(*trysail.Breaker).MetricsOnly, 0, 1},
		"disabled judges nothing": {(*trysail.Breaker).Disable, 0, 0},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, rated(trysail.BreakerPolicy{SlowRate: 0.5, SlowCall: time.Second, MinCalls: 1}))
			tc.overrule(op.Breaker(), trysail.Override{Reason: "test"})
			leaving(t, op, time.Minute)
			if s := op.Breaker().Snapshot(); s.WindowCalls != tc.calls || s.WouldOpen != uint64(tc.was) {
				t.Errorf("Snapshot() = %+v, want %d calls in the window, and %d times that it would have opened", s, tc.calls, tc.was)
			}
		})
	}
}

// What the rules are about must not depend on the numbers of calls that the tests above use.
func TestR3RatesTripExactlyForManyShares(t *testing.T) {
	for minCalls := 1; minCalls <= 100; minCalls += 3 {
		for failures := 1; failures <= minCalls; failures += 5 {
			bubble(t, fmt.Sprint(failures, " of ", minCalls), func(t *testing.T) {
				op := newOperation(t, rated(trysail.BreakerPolicy{
					FailureRate: float64(failures) / float64(minCalls), MinCalls: minCalls,
				}))
				calls(t, op, strings.Repeat("s", minCalls-failures)+strings.Repeat("f", failures-1))
				wantState(t, op, trysail.Closed)
				calls(t, op, "f")
				wantState(t, op, trysail.Open)
			})
		}
	}
}
