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
