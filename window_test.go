package trysail

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// An ended call, as the naive window remembers it: all of them, for ever.
type ended struct {
	at                 int64
	failed, slow, left bool
}

// naiveWindow looks at every call that ever ended.
type naiveWindow struct {
	width int64 // of a twelfth of the window; 0: it holds the newest most calls
	most  int
	all   []ended
	now   int64 // the latest that was seen
}

func (n *naiveWindow) add(e ended) {
	n.now = max(n.now, e.at)
	e.at = n.now // what is late counts as if it came now
	n.all = append(n.all, e)
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// entry is what a window holds of the call.
func (e ended) entry() entry {
	return heldFailure*entry(one(e.failed)) | heldSlow*entry(one(e.slow)) | heldLeft*entry(one(e.left))
}

func (n *naiveWindow) at(now int64) (t tally) {
	n.now = max(n.now, now)
	held := n.all
	if n.width == 0 {
		held = held[max(0, len(held)-n.most):]
	}
	for _, e := range held {
		if n.width == 0 || floor(n.now, n.width)-floor(e.at, n.width) < 12 {
			t.calls++
			t.failures += one(e.failed)
			t.slow += one(e.slow)
			t.left += one(e.left)
			t.bad += one(e.failed || e.slow)
		}
	}
	return t
}

// floor is a/b rounded down, by way of numbers that are not the code's.
func floor(a, b int64) int64 {
	q := a / b
	if q*b > a {
		q--
	}
	return q
}

// naiveInFlight remembers when each call under way began.
type naiveInFlight struct {
	width  int64
	starts []int64
	now    int64
}

func (n *naiveInFlight) overdue(now int64) (count int) {
	n.now = max(n.now, now)
	for _, start := range n.starts {
		if floor(n.now, n.width)-floor(start, n.width) > 16 {
			count++
		}
	}
	return count
}

// timeStep is one that matters: none, back by what two callers may differ, a small one
// or one over everything.
func timeStep(n uint64, length int64) int64 {
	part := int64(n >> 8)
	switch n % 8 {
	case 0, 1:
		return 0
	case 2:
		return -1 - part%(length/12) // as between callers that wait for the lock
	case 3:
		return 1
	case 4:
		return part % (length/4 + 1)
	case 5:
		return length / 12
	case 6:
		return length - 1 + part%3
	default:
		return part % (3*length + 1)
	}
}

func TestWindowAgreesWithANaiveOne(t *testing.T) {
	for name, policy := range map[string]BreakerPolicy{
		"two minutes":     {Window: 2 * time.Minute},
		"a second":        {Window: time.Second}, // it has no twelfth in whole nanoseconds
		"an hour":         {Window: time.Hour},
		"one call":        {WindowCalls: 1},
		"seven calls":     {WindowCalls: 7},
		"a hundred calls": {WindowCalls: 100, Window: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(40) {
				r := rand.New(rand.NewPCG(seed, 1))
				now := int64(r.Uint64()>>20) - 1<<43 // inside a bubble instants may be negative
				compareWindows(t, &policy, now, func() (uint64, bool) { return r.Uint64(), r.IntN(600) > 0 })
			}
		})
	}
}

// compareWindows drives a window and the naive one by random numbers until there are none.
func compareWindows(t *testing.T, p *BreakerPolicy, now int64, next func() (uint64, bool)) {
	t.Helper()
	w := newWindow(p, now)
	n := &naiveWindow{most: p.WindowCalls, now: now}
	if p.WindowCalls == 0 {
		n.width = int64(p.Window) / 12
	}
	for i := 0; ; i++ {
		x, ok := next()
		if !ok {
			return
		}
		now += timeStep(x>>8, int64(max(p.Window, time.Second)))
		if x%4 > 0 {
			e := ended{at: now, failed: x&16 > 0, slow: x&32 > 0, left: x&64 > 0}
			w.add(now, e.entry())
			n.add(e)
		}
		if got, want := w.at(now), n.at(now); got != want {
			t.Fatalf("step %d: at(%d) = %+v, want %+v", i, now, got, want)
		}
	}
}

func TestInFlightAgreesWithANaiveOne(t *testing.T) {
	for _, limit := range []time.Duration{1600 * time.Millisecond, 30 * time.Second, time.Hour, 32, 16} {
		t.Run(limit.String(), func(t *testing.T) {
			for seed := range uint64(40) {
				r := rand.New(rand.NewPCG(seed, 2))
				now := int64(r.Uint64()>>20) - 1<<43
				compareInFlight(t, limit, now, func() (uint64, bool) { return r.Uint64(), r.IntN(600) > 0 })
			}
		})
	}
}

// compareInFlight drives an inFlight and the naive one by random numbers until there are none.
func compareInFlight(t *testing.T, limit time.Duration, now int64, next func() (uint64, bool)) {
	t.Helper()
	f := newInFlight(limit, now)
	n := &naiveInFlight{width: int64(limit) / 16, now: now}
	for i := 0; ; i++ {
		x, ok := next()
		if !ok {
			break
		}
		now += timeStep(x>>8, int64(limit))
		switch {
		case x%4 < 2:
			f.begin(now)
			n.starts, n.now = append(n.starts, now), max(n.now, now)
		case x%4 == 2 && len(n.starts) > 0:
			k := int(x >> 40 % uint64(len(n.starts)))
			f.end(n.starts[k])
			n.starts = slices.Delete(n.starts, k, k+1)
		default: // time passes, and no more
		}
		if got, want := f.overdue(now), n.overdue(now); got != want {
			t.Fatalf("step %d: overdue(%d) = %d, want %d", i, now, got, want)
		}
	}
	for _, start := range n.starts {
		f.end(start)
	}
	if got := f.overdue(math.MaxInt64 - int64(2*limit)); got != 0 {
		t.Fatalf("overdue(late) with none under way = %d, want 0", got)
	}
}

// An outcome stays for eleven twelfths of the window at least and for the whole of
// it at most, wherever in its bucket it came.
func TestOutcomeLeavesTheWindowATwelfthEarlyAtMost(t *testing.T) {
	const length, twelfth = int64(2 * time.Minute), int64(10 * time.Second)
	for _, now := range []int64{1, twelfth - 1, twelfth, twelfth + 1, 5*twelfth + 77, -1, -twelfth, -twelfth - 1, -7*twelfth + 3} {
		t.Run(fmt.Sprint("at ", now), func(t *testing.T) {
			policy := &BreakerPolicy{Window: time.Duration(length)}
			holds := func(age int64) bool {
				w := newWindow(policy, now-3*length)
				w.add(now, heldFailure|heldSlow)
				return w.at(now+age) == tally{calls: 1, failures: 1, slow: 1, bad: 1}
			}
			if !holds(length - twelfth) {
				t.Errorf("an outcome of the age %v is gone, want it to stay", time.Duration(length-twelfth))
			}
			if holds(length) {
				t.Errorf("an outcome of the age %v is there, want it gone", time.Duration(length))
			}
			leaves := floor(now, twelfth)*twelfth + length - now
			if !holds(leaves-1) || holds(leaves) {
				t.Errorf("holds(%v), holds(%v) = %v, %v; want true, false",
					leaves-1, leaves, holds(leaves-1), holds(leaves))
			}
		})
	}
}

// A call is noticed when it has taken longer than the limit, never earlier, and a
// sixteenth of the limit later at the latest.
func TestOverdueIsNoticedASixteenthLateAtMost(t *testing.T) {
	for _, limit := range []time.Duration{30 * time.Second, time.Second, time.Hour, 16} {
		part := int64(limit) / 16
		for _, start := range []int64{1, part - 1, part, part + 1, 3*part + part/2, -1, -part, -9*part - 1} {
			t.Run(fmt.Sprint(limit, " at ", start), func(t *testing.T) {
				overdue := func(age int64) bool {
					f := newInFlight(limit, start-1)
					f.begin(start)
					return f.overdue(start+age) == 1
				}
				if overdue(int64(limit)) {
					t.Errorf("overdue after %v = true, want false: that is not longer", limit)
				}
				if !overdue(int64(limit) + part) {
					t.Errorf("overdue after %v = false, want true", limit+time.Duration(part))
				}
				notice := (floor(start, part)+17)*part - start
				if overdue(notice-1) || !overdue(notice) {
					t.Errorf("overdue(%v), overdue(%v) = %v, %v; want false, true",
						notice-1, notice, overdue(notice-1), overdue(notice))
				}
			})
		}
	}
}

// Limits that have no sixteenth in whole nanoseconds must not make a call overdue early.
func TestOverdueIsNeverNoticedEarly(t *testing.T) {
	for limit := time.Duration(1); limit < 200; limit++ {
		for start := range int64(40) {
			f := newInFlight(limit, start)
			f.begin(start)
			if got := f.overdue(start + int64(limit)); got != 0 {
				t.Fatalf("overdue(%d ns after the begin at %d) with a limit of %d ns = %d, want 0", limit, start, limit, got)
			}
		}
	}
}

func TestWindowFitsItsOwnShapeOnly(t *testing.T) {
	minute, hour := BreakerPolicy{Window: time.Minute}, BreakerPolicy{Window: time.Hour}
	five, six := BreakerPolicy{Window: time.Minute, WindowCalls: 5}, BreakerPolicy{Window: time.Minute, WindowCalls: 6}
	all := []*BreakerPolicy{&minute, &hour, &five, &six}
	for i, a := range all {
		for j, b := range all {
			if got := newWindow(a, 1).fits(b); got != (i == j) {
				t.Errorf("window of %v and %d calls fits %v and %d calls = %v, want %v",
					a.Window, a.WindowCalls, b.Window, b.WindowCalls, got, i == j)
			}
		}
	}
}

// A share of which the policy holds the nearest binary number must be reached by
// exactly that many calls: 7 of 25 are 0.28.
func TestShareIsReachedExactly(t *testing.T) {
	for whole := 1; whole <= 1000; whole++ {
		for part := 1; part <= whole; part++ {
			share := float64(part) / float64(whole)
			if !reaches(part, whole, share) {
				t.Fatalf("reaches(%d, %d, %v) = false, want true", part, whole, share)
			}
			if reaches(part-1, whole, share) {
				t.Fatalf("reaches(%d, %d, %v) = true, want false", part-1, whole, share)
			}
		}
	}
	if reaches(0, 10, 0) || reaches(0, 0, 0.5) || reaches(0, 0, 0) {
		t.Error("reaches(0, ...) = true, want false: nothing is no reason")
	}
}

// FuzzWindow looks at the arithmetic on time: whatever the instants, windows and calls
// under way are what counting one by one says.
func FuzzWindow(f *testing.F) {
	f.Add(int64(1), int64(time.Minute), 0, []byte("\x05\x00\x00\x00\x00\x00\x00\x00"))
	f.Add(int64(-1<<40), int64(time.Second), 3, []byte("\xff\x06\x01\x02\x03\x04\x05\x06\x01\x07\xff\xff\xff\xff\xff\xff"))
	f.Add(int64(1<<40), int64(time.Hour), 10_000, []byte("12345678abcdefgh87654321"))
	f.Fuzz(func(t *testing.T, now, length int64, most int, numbers []byte) {
		now >>= 20 // a clock's instants span centuries, not more
		p := &BreakerPolicy{
			Window:      time.Second + time.Duration(uint64(length)%uint64(time.Hour-time.Second+1)),
			WindowCalls: int(uint(most) % 101),
		}
		reader := func() func() (uint64, bool) {
			rest := numbers
			return func() (x uint64, ok bool) {
				if len(rest) < 8 {
					return 0, false
				}
				for _, b := range rest[:8] {
					x = x<<8 | uint64(b)
				}
				rest = rest[8:]
				return x, true
			}
		}
		compareWindows(t, p, now, reader())
		p.WindowCalls = 0
		compareWindows(t, p, now, reader())
		compareInFlight(t, p.Window/16*16, now, reader())
	})
}
