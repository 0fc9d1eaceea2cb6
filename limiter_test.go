package trysail_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// tokens is a budget of 120,000 tokens a minute, a tenth of them at once: a token
// comes free every half millisecond, a whole burst in six seconds.
func tokens(wait time.Duration) trysail.LimiterConfig {
	return trysail.LimiterConfig{Rate: 2000, Burst: 12_000, MaxWait: wait}
}

// newLimiter returns a limiter with a configuration that must be good.
func newLimiter(t testing.TB, cfg trysail.LimiterConfig) *trysail.Limiter {
	t.Helper()
	l, err := trysail.NewLimiter(cfg)
	if err != nil {
		t.Fatalf("NewLimiter(%+v) = %v", cfg, err)
	}
	return l
}

// usedUp returns a limiter whose bucket has just been emptied.
func usedUp(t testing.TB, cfg trysail.LimiterConfig) *trysail.Limiter {
	t.Helper()
	l := newLimiter(t, cfg)
	wantAllow(t, l, cfg.Burst, true)
	return l
}

func wantAllow(t testing.TB, l *trysail.Limiter, n float64, want bool) {
	t.Helper()
	if got := l.Allow(n); got != want {
		t.Errorf("Allow(%v) = %v, want %v; the limiter is %+v", n, got, want, l.Snapshot())
	}
}

// wantLimited wants a refusal that tells when to come back.
func wantLimited(t testing.TB, err error, after time.Duration) {
	t.Helper()
	var e *trysail.Error
	if !errors.Is(err, trysail.ErrLimited) || !errors.As(err, &e) || e.Class != trysail.ClassRateLimited || e.RetryAfter != after {
		t.Errorf("error = %v, want %v of the class rate_limited with retry after %v", err, trysail.ErrLimited, after)
	}
}

func TestLimiterAdmitsAtTheVeryInstant(t *testing.T) {
	for name, tc := range map[string]struct {
		n     float64
		after time.Duration // an empty bucket holds n
	}{
		"one token":             {1, 500 * time.Microsecond},
		"a part of a token":     {0.5, 250 * time.Microsecond},
		"a thousand tokens":     {1000, 500 * time.Millisecond},
		"the whole burst":       {12_000, 6 * time.Second},
		"less than a resolves":  {1e-12, 1},
		"a third, rounded up":   {1.0 / 3, 166_667},
		"two thirds of a burst": {8000, 4 * time.Second},
	} {
		bubble(t, name, func(t *testing.T) {
			l := usedUp(t, tokens(0))
			time.Sleep(tc.after - 1)
			wantAllow(t, l, tc.n, false)
			time.Sleep(time.Nanosecond)
			wantAllow(t, l, tc.n, true)
			wantAllow(t, l, tc.n, false)
		})
	}
}

func TestLimiterKeepsNoMoreThanItsBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := usedUp(t, tokens(0))
		time.Sleep(24 * time.Hour)
		wantAllow(t, l, 12_000, true)
		wantAllow(t, l, 1, false)
	})
}

func TestLimiterUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, tokens(0))
		for _, want := range []time.Duration{0, 500 * time.Microsecond} {
			if got := l.Until(); got != want {
				t.Errorf("Until() = %v, want %v", got, want)
			}
			l.Allow(12_000)
		}
		cents := usedUp(t, trysail.LimiterConfig{Rate: 0.01, Burst: 0.5})
		if got := cents.Until(); got != 50*time.Second {
			t.Errorf("Until() = %v, want 50s, when the whole burst is free: it is less than one unit", got)
		}
	})
}

func TestLimiterRefusesWhatCanNeverFit(t *testing.T) {
	for name, tc := range map[string]struct {
		n    float64
		over bool
		text string
	}{
		"more than the burst": {12_001, true, "12001 units at once can never fit into a burst of 12000; ask for less, or raise the burst"},
		"infinitely many":     {math.Inf(1), true, "+Inf units at once can never fit"},
		"no number":           {math.NaN(), false, "take NaN units: want 0 or more"},
		"less than none":      {-1, false, "take -1 units: want 0 or more"},
	} {
		bubble(t, name, func(t *testing.T) {
			l := newLimiter(t, tokens(time.Minute))
			wantAllow(t, l, tc.n, false)
			_, reserved := l.Reserve(tc.n)
			for call, err := range map[string]error{"Wait": l.Wait(t.Context(), tc.n), "Reserve": reserved} {
				if errors.Is(err, trysail.ErrOverBurst) != tc.over || errors.Is(err, trysail.ErrLimited) ||
					trysail.Classify(err) != trysail.ClassPermanent || !strings.Contains(err.Error(), tc.text) {
					t.Errorf("%s(%v) = %v (%v), want one that is permanent and says %q", call, tc.n, err, trysail.Classify(err), tc.text)
				}
			}
			if s := l.Snapshot(); s.Available != 12_000 || s.Refused != 2 {
				t.Errorf("Snapshot() = %+v, want everything available and 2 refused", s)
			}
		})
	}
}

func TestNewLimiterNamesEveryFault(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for name, tc := range map[string]struct {
		cfg  trysail.LimiterConfig
		want string
	}{
		"nothing":            {trysail.LimiterConfig{}, "LimiterConfig.Rate is 0, want 1e-06 to 1e+09 a second"},
		"no number":          {trysail.LimiterConfig{Rate: nan}, "LimiterConfig.Rate is NaN, want 1e-06 to 1e+09 a second"},
		"an infinite rate":   {trysail.LimiterConfig{Rate: inf}, "LimiterConfig.Rate is +Inf, want 1e-06 to 1e+09 a second"},
		"too slow":           {trysail.LimiterConfig{Rate: 0.9e-6}, "LimiterConfig.Rate is 9e-07, want 1e-06 to 1e+09 a second"},
		"too fast":           {trysail.LimiterConfig{Rate: 1.1e9, Burst: 1}, "LimiterConfig.Rate is 1.1e+09, want 1e-06 to 1e+09 a second"},
		"a burst of no size": {trysail.LimiterConfig{Rate: 1, Burst: nan}, "LimiterConfig.Burst is NaN, want more than 0"},
		"an infinite burst": {
			trysail.LimiterConfig{Rate: 1, Burst: inf},
			"LimiterConfig.Burst is +Inf, want at most 3.1536e+08, which the rate brings in ten years",
		},
		"everything": {
			trysail.LimiterConfig{Rate: -1, Burst: -2, MaxWait: -3},
			"LimiterConfig.Rate is -1, want 1e-06 to 1e+09 a second\n" +
				"LimiterConfig.Burst is -2, want more than 0\n" +
				"LimiterConfig.MaxWait is -3ns, want 0s to 1h",
		},
		"too patient": {trysail.LimiterConfig{Rate: 1, MaxWait: time.Hour + 1}, "LimiterConfig.MaxWait is 1h0m0.000000001s, want 0s to 1h"},
	} {
		t.Run(name, func(t *testing.T) {
			if l, err := trysail.NewLimiter(tc.cfg); l != nil || err == nil || err.Error() != tc.want {
				t.Errorf("NewLimiter(%+v) = %v, %q, want nil, %q", tc.cfg, l, err, tc.want)
			}
		})
	}
}

func TestNewLimiterTakesTheEndsOfItsRanges(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg   trysail.LimiterConfig
		burst float64
	}{
		"the slowest":         {trysail.LimiterConfig{Rate: 1e-6}, 1},
		"the fastest":         {trysail.LimiterConfig{Rate: 1e9}, 1e9},
		"the deepest":         {trysail.LimiterConfig{Rate: 1e9, Burst: 3.1536e17}, 3.1536e17},
		"the shallowest":      {trysail.LimiterConfig{Rate: 1, Burst: 5e-324}, 5e-324},
		"the most patient":    {trysail.LimiterConfig{Rate: 2.5, MaxWait: time.Hour}, 2.5},
		"ten years of little": {trysail.LimiterConfig{Rate: 1e-6, Burst: 315.36}, 315.36},
	} {
		bubble(t, name, func(t *testing.T) {
			l := newLimiter(t, tc.cfg)
			if s := l.Snapshot(); s.Burst != tc.burst || s.Available > tc.burst || s.MaxWait != tc.cfg.MaxWait {
				t.Errorf("Snapshot() = %+v, want the burst %v, at most that available, and the longest wait %v", s, tc.burst, tc.cfg.MaxWait)
			}
			wantAllow(t, l, tc.burst, true)
			wantAllow(t, l, tc.burst, false)
		})
	}
}

// A limiter that was made outside a bubble sees instants before its own beginning.
func TestLimiterWorksBeforeItsOwnTime(t *testing.T) {
	l := newLimiter(t, tokens(0))
	synctest.Test(t, func(t *testing.T) {
		wantAllow(t, l, 12_000, true)
		time.Sleep(500*time.Microsecond - 1)
		wantAllow(t, l, 1, false)
		time.Sleep(time.Nanosecond)
		wantAllow(t, l, 1, true)
	})
}

func TestWaitNeedsACallerWhoIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, tokens(time.Minute))
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := l.Wait(gone, 1); !errors.Is(err, context.Canceled) || trysail.Classify(err) != trysail.ClassCanceled {
			t.Errorf("Wait() = %v (%v), want %v", err, trysail.Classify(err), context.Canceled)
		}
		late, cancel := context.WithDeadline(t.Context(), time.Now())
		defer cancel()
		if err := l.Wait(late, 1); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, trysail.ErrLimited) {
			t.Errorf("Wait() = %v, want %v alone", err, context.DeadlineExceeded)
		}
		if got := l.Snapshot().Available; got != 12_000 {
			t.Errorf("Available = %v, want 12000: nothing was taken", got)
		}
	})
}

// A burst of whole units holds them all, also where a unit takes no whole number of nanoseconds.
func TestBurstHoldsWhatItSays(t *testing.T) {
	for _, rate := range []float64{3, 7, 11, 0.3, 999, 1e6 / 3, 7e8} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				burst := min(max(math.Floor(rate), 1), 1000)
				l, err := trysail.NewLimiter(trysail.LimiterConfig{Rate: rate, Burst: burst})
				if err != nil {
					t.Fatal(err)
				}
				for i := range int(burst) {
					if !l.Allow(1) {
						t.Fatalf("unit %d of a burst of %v is refused", i+1, burst)
					}
				}
				if l.Allow(1) {
					t.Errorf("a unit over the burst of %v is allowed", burst)
				}
			})
		})
	}
}
