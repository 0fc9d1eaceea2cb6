package trysail_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

func TestSettlementMovesThoseWhoWait(t *testing.T) {
	for name, tc := range map[string]struct {
		used float64
		want []string
	}{
		"forwards":          {3000, []string{"a 1.5s ok"}},
		"at once":           {0, []string{"a 1s ok"}},
		"not at all":        {6000, []string{"a 3s ok"}},
		"backwards":         {8000, []string{"a 4s ok"}},
		"as far as it goes": {10_000, []string{"a 5s ok"}},
		"too far":           {10_001, []string{"a 1s limited 4.0005s"}},
	} {
		bubble(t, name, func(t *testing.T) {
			l := newLimiter(t, tokens(5*time.Second))
			wantAllow(t, l, 6000, true)
			r, err := l.Reserve(6000)
			if err != nil {
				t.Fatal(err)
			}
			c := &crew{l: l, start: time.Now()}
			c.wait(t.Context(), "a", 6000)
			time.Sleep(time.Second)
			r.Settle(tc.used)
			time.Sleep(10 * time.Second)
			c.want(t, tc.want...)
		})
	}
}

func TestPenaltyHoldsEverybodyBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := crewed(t.Context(), t, 30*time.Second)
		time.Sleep(time.Second + 1)
		c.l.Penalize(c.start.Add(20 * time.Second))
		c.l.Penalize(c.start.Add(10 * time.Second)) // never backwards
		c.l.Penalize(time.Time{})
		if got, want := c.l.Until(), 19*time.Second-1; got != want {
			t.Errorf("Until() = %v, want %v", got, want)
		}
		s := c.l.Snapshot()
		if want := c.start.Add(20 * time.Second).UTC(); !s.NotBefore.Equal(want) || s.Available != 0 {
			t.Errorf("Snapshot() = %+v, want nothing available before %v", s, want)
		}
		time.Sleep(19*time.Second - 2)
		c.want(t, "a 1s ok")
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if s := c.l.Snapshot(); s.Waiting != 0 || s.Available != 12_000-2*2000 {
			t.Errorf("Snapshot() = %+v, want a bucket that filled meanwhile, less what those two took who waited", s)
		}
	})
}

func TestPenaltyRefusesThoseWhomItHoldsTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, tokens(30*time.Second))
		c := &crew{l: l, start: time.Now()}
		l.Penalize(c.start.Add(30 * time.Second))
		c.wait(t.Context(), "a", 1)
		l.Penalize(c.start.Add(30*time.Second + 1))
		c.want(t, "a 0s limited 30.000000001s")
		l.Penalize(c.start.AddDate(1000, 0, 0))
		_, err := l.Reserve(1)
		wantLimited(t, err, 366*24*time.Hour)
	})
}

func TestSetRateIsLive(t *testing.T) {
	for name, tc := range map[string]struct {
		rate, burst float64
		want        []string
	}{
		"faster":            {4000, 12_000, []string{"a 750ms ok", "b 1.25s ok", "c 1.75s ok"}},
		"slower":            {1000, 12_000, []string{"c 500ms limited 5s", "a 1.5s ok", "b 3.5s ok"}},
		"the same":          {2000, 12_000, []string{"a 1s ok", "b 2s ok", "c 3s ok"}},
		"a smaller burst":   {2000, 11_000, []string{"a 1.5s ok", "b 2.5s ok", "c 3.5s ok"}},
		"a larger burst":    {2000, 14_000, []string{"a 500ms ok", "b 1s ok", "c 2s ok"}},
		"too small a burst": {2000, 1999, []string{"a 500ms over burst", "b 500ms over burst", "c 500ms over burst"}},
	} {
		bubble(t, name, func(t *testing.T) {
			c := crewed(t.Context(), t, 4*time.Second)
			time.Sleep(500 * time.Millisecond)
			if err := c.l.SetRate(tc.rate, tc.burst); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second)
			c.want(t, tc.want...)
		})
	}
}

func TestSetRateRefusesWhatNewLimiterRefuses(t *testing.T) {
	l := newLimiter(t, tokens(0))
	err := l.SetRate(-1, 0)
	want := "SetRate.Rate is -1, want 1e-06 to 1e+09 a second\nSetRate.Burst is 0, want more than 0"
	if err == nil || err.Error() != want {
		t.Errorf("SetRate(-1, 0) = %q, want %q", err, want)
	}
	if s := l.Snapshot(); s.Rate != 2000 || s.Burst != 12_000 {
		t.Errorf("Snapshot() = %+v, want it unchanged", s)
	}
}

// NotBefore tells a limiter that was never held back from one that was.
func TestPenaltyOfNoTimeIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, trysail.LimiterConfig{Rate: 1})
		l.Penalize(time.Now())
		if s := l.Snapshot(); !s.NotBefore.IsZero() {
			t.Errorf("NotBefore = %v, want zero: there was no penalty", s.NotBefore)
		}
		end := time.Now().Add(time.Second)
		l.Penalize(end)
		if s := l.Snapshot(); !s.NotBefore.Equal(end) {
			t.Errorf("NotBefore = %v, want %v", s.NotBefore, end)
		}
	})
}

// A new rate counts also where the burst stays, which is not so when it follows from the rate.
func TestReloadedRateIsLive(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{})
	for _, rate := range []float64{1, 2, 2, 0.5} {
		policy := trysail.Policy{Limiter: trysail.LimiterPolicy{Rate: rate, Burst: 10}}
		op, err := orc.Register("op", trysail.OperationConfig{Policy: policy})
		if err != nil {
			t.Fatal(err)
		}
		if s, _ := op.Limiter(); s.Rate != rate || s.Burst != 10 {
			t.Errorf("Limiter() = %+v, want the rate %v", s, rate)
		}
	}
}
