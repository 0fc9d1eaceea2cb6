package trysail

import (
	"testing"
	"testing/synctest"
	"time"
)

// What is known about attempts is of the newest 500 to 1000, and of the last ten to twenty minutes.
func TestHedgingForgets(t *testing.T) {
	p := &HedgePolicy{Percentile: 0.5}
	learn := func(h *hedging, n int, took time.Duration) {
		for range n {
			h.learn(p, took)
		}
	}
	want := func(t *testing.T, h *hedging, want time.Duration) {
		t.Helper()
		got, known := h.delay(p)
		if known != (want > 0) || got < want || float64(got) > 1.05*float64(want) {
			t.Errorf("delay() = %v, %t; want %v", got, known, want)
		}
	}
	newHedging := func() *hedging { return newHedging(clock{base: time.Now()}) }
	for name, f := range map[string]func(t *testing.T){
		"by number": func(t *testing.T) {
			h := newHedging()
			learn(h, 500, time.Second)
			want(t, h, time.Second)
			learn(h, 499, 3*time.Second)
			h.refresh()
			want(t, h, time.Second) // 500 of 999
			learn(h, 1, 3*time.Second)
			want(t, h, 3*time.Second) // the first half has gone
		},
		"by time": func(t *testing.T) {
			h := newHedging()
			learn(h, 20, time.Second)
			time.Sleep(10 * time.Minute)
			want(t, h, time.Second)
			time.Sleep(10 * time.Minute)
			want(t, h, 0)
		},
		"nearly, in silence": func(t *testing.T) {
			h := newHedging()
			learn(h, 20, time.Second)
			time.Sleep(20*time.Minute - 2)
			want(t, h, time.Second)
		},
		"a moment before the end of a turn": func(t *testing.T) {
			h := newHedging()
			learn(h, 20, time.Second)
			time.Sleep(10 * time.Minute) // a turn ends
			want(t, h, time.Second)
			time.Sleep(10*time.Minute - 1)
			want(t, h, time.Second)
			time.Sleep(time.Nanosecond)
			want(t, h, 0)
		},
		"little by little": func(t *testing.T) {
			h := newHedging()
			learn(h, 20, time.Second)
			want(t, h, time.Second)
			learn(h, 21, 3*time.Second) // 21 of 41
			want(t, h, 3*time.Second)
		},
		"in silence": func(t *testing.T) {
			h := newHedging()
			learn(h, 20, time.Second)
			time.Sleep(20 * time.Minute)
			want(t, h, 0)
		},
	} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
	}
}

// An attempt that was ended without an answer is slow if it ran as long as it may, or as long as those that are hedged.
func TestWhatIsLate(t *testing.T) {
	const s = time.Second
	for name, tc := range map[string]struct {
		limit, took, delay time.Duration
		known, want        bool
	}{
		"a moment before the limit":     {limit: 32 * s, took: 31*s - 1},
		"as good as the limit":          {limit: 32 * s, took: 31 * s, want: true},
		"no limit, and nothing known":   {took: 31 * s},
		"sooner than others are hedged": {took: 2*s - 1, delay: 2 * s, known: true},
		"when others are hedged":        {took: 2 * s, delay: 2 * s, known: true, want: true},
		"under a limit that is far":     {limit: 32 * s, took: 2 * s, delay: 2 * s, known: true, want: true},
		"over the limit":                {limit: s, took: 2 * s, want: true},
	} {
		h := &hedger{set: &settings{policy: &Policy{Attempt: tc.limit}}}
		if got := h.late(tc.took, tc.delay, tc.known); got != tc.want {
			t.Errorf("%s: late() = %t, want %t", name, got, tc.want)
		}
	}
}
