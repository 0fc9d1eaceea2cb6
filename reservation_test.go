package trysail_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// reserve takes n units, which must be free.
func reserve(t testing.TB, l *trysail.Limiter, n float64) *trysail.Reservation {
	t.Helper()
	r, err := l.Reserve(n)
	if err != nil {
		t.Fatalf("Reserve(%v) = %v", n, err)
	}
	return &r
}

func TestSettleReconciles(t *testing.T) {
	for name, tc := range map[string]struct {
		settle    func(*trysail.Reservation)
		available float64       // right after
		until     time.Duration // one unit is free
	}{
		"less was used":          {func(r *trysail.Reservation) { r.Settle(1000) }, 11_000, 0},
		"all was used":           {func(r *trysail.Reservation) { r.Settle(8000) }, 4000, 0},
		"more was used":          {func(r *trysail.Reservation) { r.Settle(10_000) }, 2000, 0},
		"more than there was":    {func(r *trysail.Reservation) { r.Settle(13_000) }, 0, 500*time.Millisecond + 500*time.Microsecond},
		"nothing was used":       {func(r *trysail.Reservation) { r.Settle(0) }, 12_000, 0},
		"it was cancelled":       {func(r *trysail.Reservation) { r.Cancel() }, 12_000, 0},
		"less than nothing":      {func(r *trysail.Reservation) { r.Settle(-1) }, 4000, 0},
		"no number":              {func(r *trysail.Reservation) { r.Settle(math.NaN()) }, 4000, 0},
		"infinitely much":        {func(r *trysail.Reservation) { r.Settle(math.Inf(1)) }, 4000, 0},
		"settled, and cancelled": {func(r *trysail.Reservation) { r.Settle(1000); r.Cancel() }, 11_000, 0},
		"cancelled twice":        {func(r *trysail.Reservation) { r.Cancel(); r.Cancel() }, 12_000, 0},
	} {
		bubble(t, name, func(t *testing.T) {
			l := newLimiter(t, tokens(0))
			tc.settle(reserve(t, l, 8000))
			if s := l.Snapshot(); s.Available != tc.available || s.Open != 0 || s.Misuses != 0 || l.Until() != tc.until {
				t.Errorf("Snapshot() = %+v, Until() = %v; want %v available, none open, no misuse, and %v",
					s, l.Until(), tc.available, tc.until)
			}
		})
	}
}

func TestSettleCountsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, tokens(0))
		r := reserve(t, l, 8000)
		if got := l.Snapshot().Open; got != 1 {
			t.Errorf("Open = %d, want 1", got)
		}
		r.Settle(6000)
		r.Settle(0)
		r.Settle(20_000)
		if s := l.Snapshot(); s.Available != 6000 || s.Open != 0 || s.Misuses != 2 {
			t.Errorf("Snapshot() = %+v, want 6000 available, none open and 2 misuses", s)
		}
	})
}

// Time gave back what was reserved; giving it back again would be once too often.
func TestSettleDoesNotOverfill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, tokens(0))
		r := reserve(t, l, 8000)
		time.Sleep(3 * time.Second) // 2000 are missing
		r.Settle(1000)
		if got := l.Snapshot().Available; got != 12_000 {
			t.Errorf("Available = %v, want 12000", got)
		}
		wantAllow(t, l, 12_000, true)
		wantAllow(t, l, 1, false)
	})
}

func TestReserveTellsWhenToComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := usedUp(t, tokens(time.Minute))
		r, err := l.Reserve(3000)
		wantLimited(t, err, 1500*time.Millisecond)
		r.Settle(3000) // of a reservation that was refused: nothing
		r.Cancel()
		if s := l.Snapshot(); s.Open != 0 || s.Misuses != 0 || s.Refused != 1 {
			t.Errorf("Snapshot() = %+v, want none open, no misuse and one refused", s)
		}
		time.Sleep(1500 * time.Millisecond)
		reserve(t, l, 3000).Settle(3000)
		wantAllow(t, l, 1, false)
	})
}

func TestSettleUnderAnotherRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, tokens(0))
		r := reserve(t, l, 8000)
		if err := l.SetRate(1000, 12_000); err != nil {
			t.Fatal(err)
		}
		if got := l.Snapshot().Available; got != 4000 {
			t.Errorf("Available = %v, want 4000, as before the change", got)
		}
		r.Settle(2000)
		if got := l.Snapshot().Available; got != 10_000 {
			t.Errorf("Available = %v, want 10000", got)
		}
	})
}

// A debt beyond all measure stays one, and overflows nothing.
func TestSettleOfAllThereIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, trysail.LimiterConfig{Rate: 1e-6, MaxWait: time.Hour})
		reserve(t, l, 1).Settle(math.MaxFloat64)
		for range 3 {
			if got := l.Until(); got < 70*365*24*time.Hour {
				t.Errorf("Until() = %v, want at least 70 years", got)
			}
			wantAllow(t, l, 1, false)
			if err := l.SetRate(2e-6, 1); err != nil {
				t.Fatal(err)
			}
			if err := l.SetRate(1e-6, 1); err != nil {
				t.Fatal(err)
			}
		}
	})
}
