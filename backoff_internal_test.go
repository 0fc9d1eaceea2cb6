package trysail

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"
)

// TestBackoffFigures compares the formulas with figures that a separate
// simulation of their sources gave, in seconds at a Base of 1 s.
func TestBackoffFigures(t *testing.T) {
	const runs = 200_000
	for formula, want := range map[Backoff]struct{ least, medians, most []float64 }{
		BackoffFullJitter: {
			least:   []float64{0, 0, 0, 0, 0, 0},
			medians: []float64{0.5, 1, 2, 4, 8, 16},
			most:    []float64{1, 2, 4, 8, 16, 32},
		},
		BackoffEqualJitter: {
			least:   []float64{0.5, 1, 2, 4, 8, 16},
			medians: []float64{0.75, 1.5, 3, 6, 12, 24},
			most:    []float64{1, 2, 4, 8, 16, 32},
		},
		BackoffDecorrelated: {
			least:   []float64{1, 1, 1, 1, 1, 1},
			medians: []float64{2, 3.2, 4.6, 6.3, 8.2, 10.5},
			most:    []float64{3}, // and a long thin tail, up to 3^n
		},
		BackoffPollyV2: {
			least:   []float64{0},
			medians: []float64{0.9, 1.14, 2.01, 4.02, 8.01, 16},
			most:    []float64{1.38, 2.82, 4.32, 8.58, 17.1, 34.3},
		},
	} {
		t.Run(formula.String(), func(t *testing.T) {
			t.Parallel()
			r := RetryPolicy{Backoff: formula, Base: time.Second, MaxDelay: time.Hour}
			all := simulate(&r, runs, len(want.medians))
			for i, waits := range all {
				slices.Sort(waits)
				wantNear(t, "median", i+1, waits[runs/2], want.medians[i], 0.02)
				if i < len(want.least) {
					wantNear(t, "least", i+1, waits[0], want.least[i], 0.02)
				}
				if i < len(want.most) {
					wantNear(t, "longest", i+1, waits[runs-1], want.most[i], 0.04) // an extreme: rarely reached
				}
			}
			if formula == BackoffDecorrelated {
				wantNear(t, "95th percentile", 6, all[5][runs*95/100], 80, 0.04)
			}
		})
	}
}

// simulate returns the waits of many calls, by attempt.
func simulate(r *RetryPolicy, runs, attempts int) [][]time.Duration {
	all := make([][]time.Duration, attempts)
	for range runs {
		var p pacer
		for i := range all {
			all[i] = append(all[i], p.delay(r, i+1, verdict{}))
		}
	}
	return all
}

// wantNear allows for the given part of want, or of a second for small ones.
func wantNear(t *testing.T, what string, attempt int, got time.Duration, want, part float64) {
	t.Helper()
	if off := math.Abs(got.Seconds() - want); off > part*want && off > 0.01 {
		t.Errorf("%s of wait %d = %v, want %vs", what, attempt, got, want)
	}
}

// The limit is never exceeded, and late waits come up to it: not one attempt
// number is too large, also not those at which 2^n is infinite.
func TestBackoffAtLateAttempts(t *testing.T) {
	for formula := range backoffs {
		r := RetryPolicy{Backoff: formula, Base: time.Second, MaxDelay: 20 * time.Second, NoJitter: true}
		var p pacer
		var longest time.Duration
		for attempt := 1; attempt <= 3000; attempt++ {
			d := p.delay(&r, attempt, verdict{})
			if d < 0 || d > r.MaxDelay {
				t.Fatalf("%v: delay(%d) = %v, want 0s to %v", formula, attempt, d, r.MaxDelay)
			}
			if formula == BackoffPollyV2 && attempt > 10 && d != r.MaxDelay {
				t.Fatalf("%v: delay(%d) = %v, want %v", formula, attempt, d, r.MaxDelay)
			}
			longest = max(longest, d)
		}
		if want := r.MaxDelay * 9 / 10; formula != BackoffNone && longest < want {
			t.Errorf("%v: longest wait = %v, want more than %v", formula, longest, want)
		}
	}
}

// What remembers must not remember more than its own call.
func TestPacerBeginsAnew(t *testing.T) {
	for formula, most := range map[Backoff]time.Duration{
		BackoffDecorrelated: 3 * time.Second, BackoffPollyV2: 1400 * time.Millisecond,
	} {
		r := RetryPolicy{Backoff: formula, Base: time.Second, MaxDelay: time.Hour}
		for range 1000 {
			if d := new(pacer).delay(&r, 1, verdict{}); d > most {
				t.Fatalf("%v: first wait = %v, want at most %v", formula, d, most)
			}
		}
	}
}

func TestPacerNeverGoesBelowZero(t *testing.T) {
	r := RetryPolicy{Backoff: BackoffPollyV2, Base: time.Hour, MaxDelay: time.Hour}
	for _, before := range []float64{1e9, 1e300, math.MaxFloat64} {
		p := pacer{before: before}
		if d := p.computed(&r, 1, verdict{}); d != 0 {
			t.Errorf("computed(1) after v = %v is %v, want 0s", before, d)
		}
	}
}

// A rate limit without a hint doubles the Base of the random formulas, so that
// they keep their shape. MinDelay, Jitter and NoJitter leave them alone.
func TestBackoffAfterARateLimit(t *testing.T) {
	for formula, want := range map[Backoff]float64{
		BackoffFullJitter: 1, BackoffEqualJitter: 1.5, BackoffDecorrelated: 4, BackoffPollyV2: 1.8,
	} {
		r := RetryPolicy{
			Backoff: formula, Base: time.Second, MinDelay: time.Hour, MaxDelay: time.Hour, Jitter: time.Hour, NoJitter: true,
		}
		waits := make([]time.Duration, 50_000)
		for i := range waits {
			waits[i] = new(pacer).delay(&r, 1, verdict{class: ClassRateLimited})
		}
		slices.Sort(waits)
		wantNear(t, formula.String()+": median", 1, waits[len(waits)/2], want, 0.04)
	}
}

// FuzzBackoff looks at the formulas that remember or draw: no policy that New
// accepts, no order of attempts, classes and hints gives a wait outside its bounds.
func FuzzBackoff(f *testing.F) {
	const second = int64(time.Second)
	f.Add(uint8(BackoffFullJitter), second, 20*second, int64(0), int64(0), uint8(0), uint(0))
	f.Add(uint8(BackoffEqualJitter), int64(0), int64(0), int64(1<<63-1), int64(-1), uint8(ClassRateLimited), uint(62))
	f.Add(uint8(BackoffDecorrelated), int64(time.Hour), int64(time.Hour), int64(time.Hour), 30*second, uint8(ClassRateLimited), uint(1))
	f.Add(uint8(BackoffPollyV2), int64(time.Hour)-1, int64(time.Hour)-1, int64(0), int64(0), uint8(ClassOverloaded), uint(1021))
	f.Fuzz(func(t *testing.T, formula uint8, base, most, other, after int64, class uint8, first uint) {
		p := completed(Balanced.Policy())
		r := &p.Retry
		r.Backoff = Backoff(formula) % backoffs
		r.Base, r.MaxDelay = span(base), span(most)
		r.MinDelay = min(r.MinDelay, r.MaxDelay)
		r.Classes[ClassOverloaded].Base = span(other)
		if err := p.check("Policy"); err != nil {
			t.Fatal(err)
		}
		hinted := judge(WithClass(errors.New("x"), Class(class)%classes, time.Duration(after)))
		var own pacer
		for i := range int(8) {
			v := hinted
			if i%2 == 1 {
				v = verdict{class: ClassOverloaded}
			}
			attempt := 1 + int(first%2000) + i
			got := own.delay(r, attempt, v)
			if least, limit := bounds(r, attempt, v); got < least || got > limit {
				t.Errorf("%v: delay(%d, %+v) = %v, want %v to %v", r.Backoff, attempt, v, got, least, limit)
			}
		}
	})
}

// bounds returns between what a wait must be.
func bounds(r *RetryPolicy, attempt int, v verdict) (least, most time.Duration) {
	base := r.base(v.class)
	if v.class == ClassRateLimited && v.after == 0 {
		base *= 2
	}
	c := time.Duration(math.Min(float64(base)*math.Exp2(float64(attempt-1)), float64(r.MaxDelay)))
	switch r.Backoff {
	case BackoffExponential:
		least, most = r.MinDelay, r.MaxDelay+r.Jitter
	case BackoffFullJitter:
		least, most = 0, c
	case BackoffEqualJitter:
		least, most = c/2, c
	case BackoffDecorrelated:
		least, most = min(base, r.MaxDelay), r.MaxDelay
	case BackoffPollyV2:
		least, most = 0, r.MaxDelay
	default:
		least, most = 0, 0
	}
	if v.after > 0 {
		most = max(most, v.after+min(v.after/10, time.Second))
	}
	return max(least, v.after), most
}

func TestPacerAllocatesNothing(t *testing.T) {
	for formula := range backoffs {
		r := RetryPolicy{Backoff: formula, Base: time.Second, MaxDelay: time.Minute}
		if got := testing.AllocsPerRun(100, func() {
			var p pacer
			_ = p.delay(&r, 1, verdict{})
			_ = p.delay(&r, 2, verdict{})
		}); got != 0 {
			t.Errorf("%v: allocations = %v, want 0", formula, got)
		}
	}
}

func BenchmarkDelay(b *testing.B) {
	for formula := range backoffs {
		b.Run(formula.String(), func(b *testing.B) {
			r := RetryPolicy{Backoff: formula, Base: time.Second, MaxDelay: time.Hour, Jitter: time.Second}
			b.ReportAllocs()
			for b.Loop() {
				var p pacer
				_ = p.delay(&r, 3, verdict{})
			}
		})
	}
}
