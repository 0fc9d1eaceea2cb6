package trysail

import (
	"sync"
	"testing"
	"time"
)

// Nothing is lost, counted twice or left out of the figures when successes are spread.
func TestSpreadSuccesses(t *testing.T) {
	const callers, each = 8, 5000
	for range 20 {
		var c counters
		var all sync.WaitGroup
		for range callers {
			all.Go(func() {
				for i := range int64(each) {
					c.success(0, i%100*int64(time.Millisecond))
				}
			})
		}
		all.Wait()
		m := c.snapshot(clock{base: time.Now()})
		if m.Succeeded != callers*each || m.Calls != m.Succeeded {
			t.Fatalf("snapshot() = %+v, want %d successes", m, callers*each)
		}
		if m.AverageResponse < 48*time.Millisecond || m.AverageResponse > 51*time.Millisecond ||
			m.P95Response < 92*time.Millisecond || m.P95Response > 96*time.Millisecond {
			t.Fatalf("snapshot() = %+v, want 49.5ms in the mean and 94ms for 95 of 100", m)
		}
	}
}

// Who calls alone needs no spread, however often.
func TestNoSpreadForOneCaller(t *testing.T) {
	var c counters
	for i := range int64(100_000) {
		c.success(0, i)
	}
	if c.spread.Load() != nil {
		t.Error("a single caller has made a spread")
	}
}

// A meeting in a bucket makes the spread, and what was counted before stays.
func TestSpreadBeginsWithAMeeting(t *testing.T) {
	var c counters
	c.success(0, int64(time.Second))
	c.spreadOut() // as if another processor had been faster
	c.success(0, int64(time.Second))
	used := 0
	for i := range c.spread.Load() {
		if c.spread.Load()[i].total() == 1 {
			used++
		}
	}
	if c.succeeded.total() != 1 || used != 1 || c.snapshot(clock{}).Succeeded != 2 {
		t.Errorf("%d in the first histogram and %d spread, want one each", c.succeeded.total(), used)
	}
}

// Goroutines are told apart, or they would meet again in the spread.
func TestSpreadTellsGoroutinesApart(t *testing.T) {
	var s spread
	var mu sync.Mutex // guards seen
	seen := map[*histogram]int{}
	block := make(chan struct{})
	var all sync.WaitGroup
	for range 64 { // alive at the same time, so that none has the stack of another
		all.Go(func() {
			h := s.mine()
			mu.Lock()
			seen[h]++
			mu.Unlock()
			<-block
		})
	}
	for done := false; !done; {
		mu.Lock()
		n := 0
		for _, of := range seen {
			n += of
		}
		done = n == 64
		mu.Unlock()
	}
	close(block)
	all.Wait()
	if len(seen) < 4 {
		t.Errorf("64 goroutines share %d of 8 histograms, want at least 4", len(seen))
	}
}
