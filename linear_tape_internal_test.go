package trysail

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// linearHistories is how many histories the tests of linearizability check, each. A night may be spent
// on more: go test -run Linearizable -linear.histories=1000000 .
var linearHistories = flag.Uint64("linear.histories", 1000, "concurrent histories to check for linearizability, per kind")

// linearBouts is how many bouts a history has, and linearSteps how many steps the goroutines of a bout make, all together.
const (
	linearBouts = 8
	linearSteps = 12
)

// histories makes histories, each in a bubble of its own, where time passes only while nobody does anything, and from a seed
// of its own, until one of them is wrong.
func histories(t *testing.T, history func(t *testing.T, seed uint64, r *rand.Rand)) {
	t.Helper()
	for seed := range *linearHistories {
		synctest.Test(t, func(t *testing.T) { history(t, seed, rand.New(rand.NewPCG(seed, 0))) })
		if t.Failed() {
			return
		}
	}
}

// A tape records what goroutines do to something, bout by bout.
type tape[S comparable] struct {
	hand[S] // of who begins the bouts: what it does, nobody else does anything beside
	clock   atomic.Int64
	states  []S // in one of which is what they use
	seed    uint64
	bouts   uint64
}

// start makes a tape ready for a history.
func (p *tape[S]) start(seed uint64, state S) {
	p.hand.clock, p.seed, p.states = &p.clock, seed, []S{state}
}

// A hand records the steps of one goroutine. It shares nothing but the clock, and what a step was is put into words
// later: the less there is to do between the steps, the more of them collide.
type hand[S comparable] struct {
	*rand.Rand
	clock *atomic.Int64
	steps int // how many it makes
	deeds []deed[S]
}

// A deed is a step and what tells about it.
type deed[S comparable] struct {
	begin, end int64
	tell       func() (text string, apply func(S) (S, bool))
}

// record runs do, which does something and returns what tells about it.
func (h *hand[S]) record(do func() func() (string, func(S) (S, bool))) {
	begin := h.clock.Add(1)
	tell := do()
	h.deeds = append(h.deeds, deed[S]{begin, h.clock.Add(1), tell})
}

// recordLate is record for what may take effect only after do has returned: at the end of the bout at the latest.
func (h *hand[S]) recordLate(do func() func() (string, func(S) (S, bool))) {
	h.record(do)
	h.deeds[len(h.deeds)-1].end = 0
}

// bout lets n goroutines make steps at the same time, each with a hand of its own. Then it wants an order for all that has been
// recorded since the bout before.
func (p *tape[S]) bout(t *testing.T, n int, steps func(i int, h *hand[S])) {
	t.Helper()
	p.bouts++
	crowd := crowd{size: int64(n), room: n <= runtime.GOMAXPROCS(0)}
	hands := make([]hand[S], n)
	var all sync.WaitGroup
	for i := range hands {
		hands[i] = hand[S]{rand.New(rand.NewPCG(p.seed, p.bouts<<8|uint64(i))), &p.clock, linearSteps / n, make([]deed[S], 0, 2*linearSteps)}
		all.Go(func() {
			crowd.meet()
			steps(i, &hands[i])
		})
	}
	all.Wait()
	over := p.clock.Add(1)
	deeds := p.deeds
	for _, h := range hands {
		deeds = append(deeds, h.deeds...)
	}
	for i := range deeds {
		if deeds[i].end == 0 {
			deeds[i].end = over
		}
	}
	p.deeds = nil
	p.check(t, deeds)
}

// check wants an order for what was done.
func (p *tape[S]) check(t *testing.T, deeds []deed[S]) {
	t.Helper()
	steps := make([]step[S], len(deeds))
	for i, d := range deeds {
		_, apply := d.tell()
		steps[i] = step[S]{begin: d.begin, end: d.end, apply: apply}
	}
	before := p.states
	if p.states = orders(before, steps); len(p.states) > 0 {
		return
	}
	var b strings.Builder
	for _, d := range deeds {
		text, _ := d.tell()
		fmt.Fprintf(&b, "\n%3d to %3d: %s", d.begin, d.end, text)
	}
	t.Fatalf("seed %d, bout %d: no order of the steps explains what came of them, from the state %+v:%v", p.seed, p.bouts, before, b.String())
}

// A crowd lets goroutines meet, so that their next steps fall together: a step takes less time
// than a goroutine to begin, and most histories would be a queue otherwise.
type crowd struct {
	size    int64
	room    bool // there is a processor for each of them
	arrived atomic.Int64
}

// crowdSpins is how often a goroutine that has a processor for itself looks whether the others have come, before it lets
// something else run. More of it finds more on a quiet machine, and burns the processor on a busy one.
const crowdSpins = 1_000

// meet waits for all others to have met as often.
func (c *crowd) meet() {
	number := c.arrived.Add(1)
	last := (number + c.size - 1) / c.size * c.size
	for spins := 1; c.arrived.Load() < last; spins++ {
		if !c.room || spins%crowdSpins == 0 {
			runtime.Gosched()
		}
	}
}

// crowdSize draws how many goroutines take part in a bout: mostly two, because then both run at the same moment wherever there are
// two processors.
func crowdSize(r *rand.Rand) int { return []int{2, 2, 2, 3, 4}[r.IntN(5)] }

// end wants an order for what came after the last bout.
func (p *tape[S]) end(t *testing.T) {
	t.Helper()
	p.check(t, p.deeds)
}
