package trysail

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func newBudget(t testing.TB, cfg RetryBudgetConfig) *RetryBudget {
	t.Helper()
	b, err := NewRetryBudget(cfg)
	if err != nil {
		t.Fatalf("NewRetryBudget(%+v) = %v", cfg, err)
	}
	return b
}

// grants returns how many of n retries of that cost are allowed at once.
func (b *RetryBudget) grants(at time.Duration, n int, cost Cost) (granted int) {
	for range n {
		if b.allow(b.clock, int64(at), cost) {
			granted++
		}
	}
	return granted
}

func (b *RetryBudget) makeCalls(at time.Duration, n int) {
	for range n {
		b.begin(b.clock, int64(at))
	}
}

func TestBudgetCountsRetries(t *testing.T) {
	const s = time.Second
	b := newBudget(t, RetryBudgetConfig{})
	for _, step := range []struct {
		at    time.Duration
		calls int
		want  int // retries that are allowed then
		why   string
	}{
		{0, 0, 12, "the floor: 0.2/s for a minute"},
		{0, 9, 0, "nine calls allow nothing yet"},
		{0, 1, 1, "ten calls allow one retry"},
		{59 * s, 20, 2, "all of it is in the window"},
		{65*s - 1, 0, 0, "what began in the first five seconds may be five seconds late"},
		{65 * s, 0, 12, "it has left: 20 calls and 2 retries are in the window"},
		{120*s - 1, 100, 10, "20 + 100 calls allow 12 and the floor, of which 2 + 12 are made"},
		{20 * time.Minute, 0, 12, "after a long quiet time"},
		{21*time.Minute - 1, 50, 5, "the grid of buckets began anew"},
		{21*time.Minute + 5*s, 0, 12, "and slides as before"},
	} {
		b.makeCalls(step.at, step.calls)
		if got := b.grants(step.at, 500, 0); got != step.want {
			t.Errorf("after %v and %d calls: %d retries, want %d: %s", step.at, step.calls, got, step.want, step.why)
		}
	}
	if s := b.Snapshot(); s.DeniedByCount == 0 || s.DeniedByCost != 0 {
		t.Errorf("Snapshot() = %+v, want denials by count only", s)
	}
}

func TestBudgetWeighsCost(t *testing.T) {
	b := newBudget(t, RetryBudgetConfig{Floor: 1000, CostShare: 0.1, CostReserve: 5})
	for _, step := range []struct {
		at     time.Duration
		earned Cost // by successes
		cost   Cost
		want   int
		why    string
	}{
		{0, 0, 6, 0, "the reserve is 5"},
		{0, 0, 2, 2, "two of them fit"},
		{0, 0, 1, 1, "and one more unit"},
		{0, 0, 0, 99, "what has no known cost is not weighed"},
		{0, 99, 10, 0, "9.9 more"},
		{0, 1, 10, 1, "10 more"},
		{0, -100, 1, 0, "nothing earns less than nothing"},
		{30 * time.Second, 1000, 1, 99, "100 more"},
		{65 * time.Second, 0, 1, 6, "1000 in the window, and 99 risked"},
		{10 * time.Minute, 0, 5, 1, "the reserve again"},
	} {
		b.succeed(b.clock, int64(step.at), step.earned)
		if got := b.grants(step.at, 99, step.cost); got != step.want {
			t.Errorf("at %v, retries at %d: %d, want %d: %s", step.at, step.cost, got, step.want, step.why)
		}
	}
	if s := b.Snapshot(); s.DeniedByCount != 0 || s.DeniedByCost == 0 {
		t.Errorf("Snapshot() = %+v, want denials by cost only", s)
	}
}

func TestBudgetBoundsHostileCosts(t *testing.T) {
	b := newBudget(t, RetryBudgetConfig{Share: 1, CostShare: 1})
	for range 100 {
		b.begin(b.clock, 0)
		b.succeed(b.clock, 0, 1<<63-1)
		b.succeed(b.clock, 0, -1<<63)
	}
	if got := b.grants(0, 200, 1<<63-1); got != 100 {
		t.Errorf("%d retries at the highest cost, want 100", got)
	}
	bucket, ok := b.take(b.clock, 0, -1<<63)
	if !ok {
		t.Error("take() of a negative cost = false, want true")
	}
	b.giveBack(bucket, -1<<63)
	if s := b.Snapshot(); s.Spent != 100*maxCost || s.Risked != 100*maxCost {
		t.Errorf("Snapshot() = %+v, want 100 times %d", s, maxCost)
	}
}

// A retry that was allowed but not made, because the caller left during the wait,
// does not use up the budget.
func TestBudgetTakesBack(t *testing.T) {
	b := newBudget(t, RetryBudgetConfig{CostReserve: 24})
	if got := b.grants(0, 20, 2); got != 12 {
		t.Fatalf("%d retries, want 12", got)
	}
	first := b.begun
	b.giveBack(b.begun, 2)
	if got := b.grants(0, 20, 2); got != 1 {
		t.Errorf("%d retries after one was given back, want 1", got)
	}
	later := 10 * time.Minute
	b.makeCalls(later, 1)
	b.giveBack(first, 2)
	if s := b.Snapshot(); s.Retries != 0 || s.Risked != 0 {
		t.Errorf("Snapshot() = %+v, want no retries, and no fewer than none", s)
	}
	if got := b.grants(later, 20, 2); got != 12 {
		t.Errorf("%d retries after one was given back that the window did not hold any more, want 12", got)
	}
}

// Operations of different orchestrators count time from different moments.
func TestBudgetOfSeveralClocks(t *testing.T) {
	b := newBudget(t, RetryBudgetConfig{})
	older := clock{b.clock.base.Add(-time.Hour)}
	b.makeCalls(0, 9)
	b.begin(older, int64(time.Hour)) // the same moment
	if got := b.grants(0, 20, 0); got != 13 {
		t.Errorf("%d retries, want 13: ten calls and the floor", got)
	}
	if b.allow(older, int64(time.Hour+time.Minute), 0) {
		t.Error("allow() a minute later = true, want false: the window is the same by both clocks")
	}
	if !b.allow(older, int64(time.Hour+65*time.Second), 0) {
		t.Error("allow() 65 s later = false, want true")
	}
}

// TestBudgetInvariant plays random histories and checks what a budget promises,
// from a record of every event and without buckets.
func TestBudgetInvariant(t *testing.T) {
	for seed := range uint64(100) {
		h := newBudgetHistory(t, seed)
		for range 700 {
			if h.step(); t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	}
}

// A budgetHistory is what has happened to a budget.
type budgetHistory struct {
	t       *testing.T
	rand    *rand.Rand
	cfg     RetryBudgetConfig
	b       *RetryBudget
	start   time.Duration
	now     time.Duration
	outage  bool
	returns bool // allowed retries are given back
	events  []budgetEvent
	all     account // their sum
	granted []grant // and not given back
}

// A grant is a retry that was allowed.
type grant struct {
	cost   Cost
	bucket int64
	event  int
}

type budgetEvent struct {
	at time.Duration
	account
}

func newBudgetHistory(t *testing.T, seed uint64) *budgetHistory {
	r := rand.New(rand.NewPCG(seed, 0))
	h := &budgetHistory{t: t, rand: r, returns: seed%3 == 0, cfg: RetryBudgetConfig{
		Share:       []float64{0.1, 0.05, 1, r.Float64() + 1e-9}[r.IntN(4)],
		Floor:       []Rate{0.2, 1e-9, 10, Rate(r.Float64() + 1e-9)}[r.IntN(4)],
		Window:      []time.Duration{time.Minute, time.Second, time.Hour, time.Second + time.Duration(r.Int64N(1e10))}[r.IntN(4)],
		CostShare:   0.01 + 0.9*r.Float64(),
		CostReserve: Cost(r.Int64N(50)),
	}}
	h.start = time.Duration(r.Int64N(2e18) - 1e18)
	h.now = h.start
	h.b = newBudget(t, h.cfg)
	return h
}

func (h *budgetHistory) step() {
	w := int64(h.cfg.Window)
	switch h.rand.IntN(12) {
	case 0:
		h.now += time.Duration(h.rand.Int64N(w / 5))
	case 1:
		h.now += time.Duration(w/12 - 1 + h.rand.Int64N(3))
	case 2:
		h.outage = !h.outage
	case 3:
		if h.rand.IntN(20) == 0 {
			h.now += time.Duration(h.rand.Int64N(4 * w))
		}
	case 4, 5, 6:
		for range h.rand.IntN(30) {
			h.b.begin(h.b.clock, int64(h.now))
			h.note(account{calls: 1})
			if cost := Cost(h.rand.Int64N(20)); !h.outage {
				h.b.succeed(h.b.clock, int64(h.now), cost)
				h.note(account{spent: cost})
			}
		}
	case 7:
		if n := len(h.granted); h.returns && n > 0 {
			i := h.rand.IntN(n)
			g := h.granted[i]
			h.granted = slices.Delete(h.granted, i, i+1)
			h.b.giveBack(g.bucket, g.cost)
			h.events[g.event].account = account{} // as if nobody had asked
			h.all.add(account{retries: -1, risked: -g.cost})
		}
	default:
		h.want(Cost(h.rand.Int64N(3) * h.rand.Int64N(20)))
	}
}

func (h *budgetHistory) note(a account) {
	h.events = append(h.events, budgetEvent{h.now, a})
	h.all.add(a)
}

func (a *account) add(b account) {
	a.calls += b.calls
	a.retries += b.retries
	a.spent += b.spent
	a.risked += b.risked
}

// since adds up what has happened after the moment.
func (h *budgetHistory) since(at time.Duration) (sum account) {
	for i := len(h.events) - 1; i >= 0 && h.events[i].at > at; i-- {
		sum.add(h.events[i].account)
	}
	return sum
}

// want asks for a retry and judges the answer.
func (h *budgetHistory) want(cost Cost) {
	bucket, ok := h.b.take(h.b.clock, int64(h.now), cost)
	if ok {
		h.note(account{retries: 1, risked: cost})
		h.granted = append(h.granted, grant{cost, bucket, len(h.events) - 1})
		h.check(cost)
	}
	// The window is at least Window long, and at most one bucket longer.
	short, long := h.since(h.now-h.cfg.Window), h.since(h.now-h.cfg.Window-time.Duration(h.b.width)-1)
	reserve := float64(h.cfg.Floor) * h.cfg.Window.Seconds()
	byCount := func(retries, calls int64) bool { return float64(retries) <= h.cfg.Share*float64(calls)+reserve+1e-6 }
	byCost := func(risked, spent Cost) bool {
		return cost == 0 || float64(risked) <= h.cfg.CostShare*float64(spent)+float64(h.cfg.CostReserve)+1e-6
	}
	switch {
	case ok && !byCount(short.retries, long.calls):
		h.t.Errorf("allow(%d) = true at %v, want false: %d retries for %d calls", cost, h.now-h.start, short.retries, long.calls)
	case ok && !byCost(short.risked, long.spent):
		h.t.Errorf("allow(%d) = true at %v, want false: %d risked for %d spent", cost, h.now-h.start, short.risked, long.spent)
	case !ok && byCount(long.retries+2, short.calls) && byCost(long.risked+cost+1, short.spent):
		h.t.Errorf("allow(%d) = false at %v, want true: %+v", cost, h.now-h.start, long)
	}
}

// check compares the whole history with the promise.
func (h *budgetHistory) check(cost Cost) {
	all, t := h.all, (h.now - h.start).Seconds()
	if most := h.b.most(all.calls, t); float64(all.retries) > most {
		h.t.Errorf("%d retries for %d calls in %v s, want at most %v", all.retries, all.calls, t, most)
	}
	windows := t/h.cfg.Window.Seconds() + 1
	most := h.cfg.CostShare*float64(all.spent) + windows*float64(h.cfg.CostReserve) + 1e-6
	if cost > 0 && float64(all.risked) > most {
		h.t.Errorf("retries cost %d for %d spent, want at most %v", all.risked, all.spent, most)
	}
}

// most is the promise: how many retries there are at most for so many calls
// within so many seconds.
func (b *RetryBudget) most(calls int64, seconds float64) float64 {
	window := float64(b.width) * (budgetMarks - 1) / 1e9
	return b.cfg.Share*float64(calls) + b.floor*seconds/window + b.floor + 1e-6
}

// TestBudgetUnderStress lets many callers fail at once while time passes. Every
// call and every retry must be counted, and the promise must hold throughout.
func TestBudgetUnderStress(t *testing.T) {
	const callers, rounds = 16, 3000
	b := newBudget(t, RetryBudgetConfig{Window: time.Second, Floor: 5, CostReserve: 1e9})
	var now, calls, retries atomic.Int64
	var wg sync.WaitGroup
	for id := range uint64(callers) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(id, 1))
			for range rounds {
				at := now.Add(r.Int64N(int64(2 * time.Millisecond)))
				at -= r.Int64N(int64(time.Second)) // read long ago
				b.begin(b.clock, at)
				calls.Add(1)
				switch {
				case r.IntN(3) == 0:
					b.succeed(b.clock, at, 1)
				default:
					bucket, ok := b.take(b.clock, at, 1)
					if !ok {
						break
					}
					if r.IntN(4) == 0 {
						b.giveBack(bucket, 1)
						continue
					}
					retries.Add(1)
				}
				if r.IntN(100) == 0 {
					_ = b.Snapshot()
				}
			}
		})
	}
	wg.Wait()
	if got := b.total(); got.calls != callers*rounds || got.retries != retries.Load() {
		t.Errorf("counted %+v, want %d calls and %d retries", got, callers*rounds, retries.Load())
	}
	took := time.Duration(now.Load()).Seconds() + 1
	if most := b.most(calls.Load(), took); float64(retries.Load()) > most {
		t.Errorf("%d retries for %d calls in %v s, want at most %v", retries.Load(), calls.Load(), took, most)
	}
	if least := 0.05 * float64(calls.Load()); float64(retries.Load()) < least {
		t.Errorf("%d retries for %d calls, want at least %v: the budget is there to be used", retries.Load(), calls.Load(), least)
	}
}

func TestBudgetAllocatesNothing(t *testing.T) {
	b := newBudget(t, RetryBudgetConfig{CostReserve: 1e9})
	at := int64(0)
	if got := testing.AllocsPerRun(1000, func() {
		at += int64(time.Second)
		b.begin(b.clock, at)
		b.succeed(b.clock, at, 1)
		if bucket, ok := b.take(b.clock, at, 1); ok {
			b.giveBack(bucket, 1)
		}
	}); got != 0 {
		t.Errorf("allocations = %v, want 0", got)
	}
}

func BenchmarkBudget(b *testing.B) {
	c := clock{base: time.Now()}
	now := c.now()
	used := newBudget(b, RetryBudgetConfig{})
	for name, f := range map[string]func(){
		"success":           func() { used.begin(c, now); used.succeed(c, now, 0) },
		"success with cost": func() { used.begin(c, now); used.succeed(c, now, 5) },
		"retry":             func() { bucket, _ := used.take(c, now, 0); used.giveBack(bucket, 0) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
	denying := newBudget(b, RetryBudgetConfig{})
	denying.grants(time.Duration(now), 50, 0)
	b.Run("denial", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = denying.allow(c, now, 0)
		}
	})
	b.Run("success in parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				used.begin(c, now)
			}
		})
	})
}

func TestBudgetTellsDenialsApart(t *testing.T) {
	b := newBudget(t, RetryBudgetConfig{Floor: 1, Window: 10 * time.Second, CostReserve: 5})
	b.grants(0, 8, 1)  // five fit into the reserve, three do not
	b.grants(0, 12, 0) // five fit into the floor
	if s := b.Snapshot(); s.DeniedByCost != 3 || s.DeniedByCount != 7 {
		t.Errorf("%d denied by cost and %d by count, want 3 and 7", s.DeniedByCost, s.DeniedByCount)
	}
}

// What comes at the very instant at which a bucket begins belongs to it, and so stays for the
// whole window.
func TestBudgetKeepsTheFirstInstantOfABucket(t *testing.T) {
	const s = time.Second
	for at, want := range map[time.Duration]int{13*s - 1: 5, 13 * s: 5, 14*s - 1: 5, 14 * s: 0} {
		b := newBudget(t, RetryBudgetConfig{Share: 1, Floor: 1e-9, Window: 12 * s})
		b.makeCalls(0, 1) // the buckets begin at 0, 1s, 2s and so on
		b.makeCalls(s, 5)
		if at < 13*s {
			want++ // the first call is there still
		}
		if got := b.grants(at, 99, 0); got != want {
			t.Errorf("%d retries are allowed after %v, want %d", got, at, want)
		}
	}
}
