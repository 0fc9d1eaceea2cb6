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

// The bucket fills while a penalty lasts: by the rate that holds, and also after more was used than reserved.
func TestBucketFillsDuringAPenalty(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(t *testing.T, l *trysail.Limiter, r *trysail.Reservation)
		want   float64 // available a minute later, of an empty bucket of 6000
	}{
		"as before":    {func(*testing.T, *trysail.Limiter, *trysail.Reservation) {}, 600},
		"more slowly":  {func(t *testing.T, l *trysail.Limiter, _ *trysail.Reservation) { setRate(t, l, 1) }, 60},
		"faster":       {func(t *testing.T, l *trysail.Limiter, _ *trysail.Reservation) { setRate(t, l, 20) }, 1200},
		"from below 0": {func(_ *testing.T, _ *trysail.Limiter, r *trysail.Reservation) { r.Settle(6200) }, 400},
		"from above":   {func(_ *testing.T, _ *trysail.Limiter, r *trysail.Reservation) { r.Settle(5000) }, 1600},
		"to the brim":  {func(_ *testing.T, _ *trysail.Limiter, r *trysail.Reservation) { r.Settle(100) }, 6000},
	} {
		bubble(t, name, func(t *testing.T) {
			l := newLimiter(t, trysail.LimiterConfig{Rate: 10, Burst: 6000})
			r, err := l.Reserve(6000)
			if err != nil {
				t.Fatal(err)
			}
			l.Penalize(time.Now().Add(time.Minute))
			tc.change(t, l, &r)
			time.Sleep(time.Minute)
			if s := l.Snapshot(); s.Available != tc.want {
				t.Errorf("Snapshot() = %+v, want %v available", s, tc.want)
			}
		})
	}
}

func setRate(t *testing.T, l *trysail.Limiter, rate float64) {
	t.Helper()
	if err := l.SetRate(rate, 6000); err != nil {
		t.Fatal(err)
	}
}

// Those who wait for the end of a penalty do not keep the bucket from filling.
func TestBucketFillsBesideThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, trysail.LimiterConfig{Rate: 10, Burst: 100, MaxWait: time.Hour})
		r, err := l.Reserve(10)
		if err != nil {
			t.Fatal(err)
		}
		l.Penalize(time.Now().Add(time.Minute))
		c := &crew{l: l, start: time.Now()}
		c.wait(t.Context(), "a", 100)
		r.Settle(60)
		time.Sleep(2 * time.Minute)
		c.want(t, "a 1m0s ok")
	})
}
