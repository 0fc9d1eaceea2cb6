package trysail

import (
	"math"
	"slices"
	"testing"
)

// A step is one operation on something that many use at once: when it began and ended,
// and what it does to a state of the sequential model. It reports false where
// its result would have been another one.
type step[S comparable] struct {
	begin, end int64
	text       string
	apply      func(S) (S, bool)
}

// orders looks for orders of the steps in which none comes before one that had
// ended when it began, and in which each has the result that it had (Herlihy and Wing,
// 1990; the search is that of Wing and Gong, with memory of states). They begin in one of the states from, and
// orders returns the states in which they end: none if there is no such order. At most 64 steps.
func orders[S comparable](from []S, steps []step[S]) (ends []S) {
	type node struct {
		done  uint64
		state S
	}
	seen := map[node]bool{}
	var search func(n node)
	search = func(n node) {
		if seen[n] {
			return
		}
		seen[n] = true
		if n.done == 1<<len(steps)-1 {
			ends = append(ends, n.state)
			return
		}
		first := firstEnd(n.done, steps)
		for i, s := range steps {
			if n.done>>i&1 == 1 || first < s.begin {
				continue
			}
			if next, ok := s.apply(n.state); ok {
				search(node{n.done | 1<<i, next})
			}
		}
	}
	for _, state := range from {
		search(node{state: state})
	}
	return ends
}

// firstEnd returns when the first of the steps ended that are not done yet.
func firstEnd[S comparable](done uint64, steps []step[S]) int64 {
	first := int64(math.MaxInt64)
	for i, s := range steps {
		if done>>i&1 == 0 {
			first = min(first, s.end)
		}
	}
	return first
}

// linearizable reports whether there is such an order.
func linearizable[S comparable](start S, steps []step[S]) bool {
	return len(orders([]S{start}, steps)) > 0
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

// A history may leave more than one state possible, and what comes then may end in either.
func TestOrdersReturnsAllEnds(t *testing.T) {
	set := func(to int) step[int] {
		return step[int]{1, 4, "set", func(int) (int, bool) { return to, true }}
	}
	if got := orders([]int{0}, []step[int]{set(1), set(2)}); !slices.Contains(got, 1) || !slices.Contains(got, 2) || len(got) != 2 {
		t.Errorf("orders(two at the same time) = %v, want both ends", got)
	}
	add := step[int]{5, 6, "add", func(s int) (int, bool) { return s + 10, true }}
	if got := orders([]int{1, 2}, []step[int]{add}); !slices.Equal(got, []int{11, 12}) {
		t.Errorf("orders(from two states) = %v, want [11 12]", got)
	}
}
