package trysail

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// linearHistories is how many histories the tests of linearizability check, each. A night may be spent
// on more: go test -run Linearizable -linear.histories=1000000 .
var linearHistories = flag.Uint64("linear.histories", 1000, "concurrent histories to check for linearizability, per kind")

// A step is one operation on something that many use at once: when it began and ended,
// and what it does to a state of the sequential model. It reports false where
// its result would have been another one.
type step[S comparable] struct {
	begin, end int64
	text       string
	apply      func(S) (S, bool)
}

// linearizable looks for an order of the steps, in which none comes before one that had
// ended when it began, and in which each has the result that it had (Herlihy and Wing,
// 1990; the search is that of Wing and Gong, with memory of states). At most 64 steps.
func linearizable[S comparable](start S, steps []step[S]) bool {
	type node struct {
		done  uint64
		state S
	}
	seen := map[node]bool{}
	var search func(n node) bool
	search = func(n node) bool {
		if n.done == 1<<len(steps)-1 {
			return true
		}
		if seen[n] {
			return false
		}
		seen[n] = true
		for i, s := range steps {
			if n.done>>i&1 == 1 || overtakes(i, n.done, steps) {
				continue
			}
			if next, ok := s.apply(n.state); ok && search(node{n.done | 1<<i, next}) {
				return true
			}
		}
		return false
	}
	return search(node{state: start})
}

// overtakes reports whether a step that is not done yet had ended before i began.
func overtakes[S comparable](i int, done uint64, steps []step[S]) bool {
	for j, other := range steps {
		if done>>j&1 == 0 && other.end < steps[i].begin {
			return true
		}
	}
	return false
}

// A tape records what goroutines do.
type tape[S comparable] struct {
	clock atomic.Int64
	mu    sync.Mutex // guards steps
	steps []step[S]
}

// A crowd lets goroutines meet, so that their next steps fall together: a step takes less time
// than a goroutine to begin, and most histories would be a queue otherwise.
type crowd struct {
	size    int64
	arrived atomic.Int64
}

// meet waits for all others to have met as often. It returns a number that nobody else gets.
func (c *crowd) meet() (number int64) {
	number = c.arrived.Add(1)
	for n := (number + c.size - 1) / c.size * c.size; c.arrived.Load() < n; {
		runtime.Gosched() // the others may need this processor
	}
	return number
}

// record runs do, which returns what it was and what it did.
func (p *tape[S]) record(do func() (text string, apply func(S) (S, bool))) {
	begin := p.clock.Add(1)
	text, apply := do()
	end := p.clock.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.steps = append(p.steps, step[S]{begin, end, text, apply})
}

// check wants an order for what was recorded.
func (p *tape[S]) check(t *testing.T, start S, seed uint64) {
	t.Helper()
	if linearizable(start, p.steps) {
		return
	}
	var b strings.Builder
	for _, s := range p.steps {
		fmt.Fprintf(&b, "\n%3d to %3d: %s", s.begin, s.end, s.text)
	}
	t.Errorf("seed %d: no order of the steps explains what came of them, from the state %+v:%v", seed, start, b.String())
}

// Both ways: the search finds an order where there is one, and none where there is none.
func TestLinearizable(t *testing.T) {
	set := func(begin, end int64, to int) step[int] {
		return step[int]{begin, end, "set", func(int) (int, bool) { return to, true }}
	}
	get := func(begin, end int64, want int) step[int] {
		return step[int]{begin, end, "get", func(s int) (int, bool) { return s, s == want }}
	}
	for name, tc := range map[string]struct {
		steps []step[int]
		want  bool
	}{
		"nothing":                         {nil, true},
		"one after the other":             {[]step[int]{set(1, 2, 7), get(3, 4, 7)}, true},
		"an old value after the new one":  {[]step[int]{set(1, 2, 7), get(3, 4, 0)}, false},
		"an old value beside the new one": {[]step[int]{set(1, 4, 7), get(2, 3, 0)}, true},
		"the new value beside it":         {[]step[int]{set(1, 4, 7), get(2, 3, 7)}, true},
		"the new and then the old":        {[]step[int]{set(1, 6, 7), get(2, 3, 7), get(4, 5, 0)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := linearizable(0, tc.steps); got != tc.want {
				t.Errorf("linearizable() = %v, want %v", got, tc.want)
			}
		})
	}
}
