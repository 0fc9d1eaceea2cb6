package trysail

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// ErrBudget means that no further attempt was made because the retry budget is
// used up. The dependency's own error is found beside it.
var ErrBudget = errors.New("retry budget is used up")

// A RetryBudget bounds the attempts beyond the first of all calls that share it,
// so that retries cannot multiply the load in an outage. A retry is made when both
// its number and its cost are allowed:
//
//	retries in the window <= Share·(calls in the window) + Floor·Window
//	their cost            <= CostShare·(cost of the window's successes) + CostReserve
//
// Refused calls are no calls here. It follows that in the time t since the
// beginning, whatever fails and whenever,
//
//	retries <= Share·calls + Floor·t + Floor·Window
//
// A RetryBudget comes from [NewRetryBudget] and takes effect as RetryPolicy.Budget.
// It is safe for concurrent use, also by operations of several orchestrators. A call
// costs it an atomic addition, and one more when it succeeds and has a cost.
type RetryBudget struct {
	cfg   RetryBudgetConfig
	floor float64 // of a window
	width int64   // of a bucket, in ns
	clock clock

	calls atomic.Int64 // since the beginning
	spent atomic.Int64 // since the beginning
	due   atomic.Int64 // when the next bucket begins, by clock; written under mu

	mu      sync.Mutex           // guards what follows
	retries int64                // since the beginning, as is the next
	risked  Cost                 // what the retries cost
	marks   [budgetMarks]account // what there was when each of the newest buckets began
	newest  int                  // of marks
	begun   int64                // buckets since the beginning
	denied  [2]uint64            // by number, by cost
}

// budgetMarks is one more than the parts of a window, so that a window is never
// shorter than it is said to be: otherwise the bound on retries would not hold.
const budgetMarks = 12 + 1

// never is the instant before all others.
const never = math.MinInt64

// An account is what has happened since the beginning, or between two moments.
// Sums of cost may wrap around; their differences over a window are right nevertheless.
type account struct {
	calls, retries int64
	spent, risked  Cost
}

// NewRetryBudget returns a budget, or an error that names every bad field.
func NewRetryBudget(cfg RetryBudgetConfig) (*RetryBudget, error) {
	cfg.Share = cmp.Or(cfg.Share, 0.1)
	cfg.Floor = cmp.Or(cfg.Floor, 0.2)
	cfg.Window = cmp.Or(cfg.Window, time.Minute)
	cfg.CostShare = cmp.Or(cfg.CostShare, 0.1)
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("retry budget: %w", err)
	}
	b := &RetryBudget{
		cfg:   cfg,
		floor: float64(cfg.Floor) * cfg.Window.Seconds(),
		width: (int64(cfg.Window) + budgetMarks - 2) / (budgetMarks - 1),
		clock: clock{base: time.Now()},
	}
	b.due.Store(never)
	return b, nil
}

// Config returns what b was made with, every field filled in.
func (b *RetryBudget) Config() RetryBudgetConfig { return b.cfg }

// String says what b allows, such as "0.1 of the calls and 0.2/s, over 1m0s". For
// nil it is "none".
func (b *RetryBudget) String() string {
	if b == nil {
		return "none"
	}
	return fmt.Sprintf("%v of the calls and %v/s, over %v", b.cfg.Share, b.cfg.Floor, b.cfg.Window)
}

// A BudgetSnapshot is a [RetryBudget] at one moment.
type BudgetSnapshot struct {
	// Of the window.
	Calls   uint64  // begun, refused ones not included
	Retries uint64  // allowed
	Allowed float64 // how many retries the window allows altogether
	Spent   Cost    // by successful calls
	Risked  Cost    // by retries

	// Since the beginning: retries that were not made.
	DeniedByCount uint64 // too many
	DeniedByCost  uint64 // not too many, but too expensive
}

// Snapshot returns what b holds now.
func (b *RetryBudget) Snapshot() BudgetSnapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slide(b.clock.now())
	w := b.window()
	return BudgetSnapshot{
		Calls: uint64(w.calls), Retries: uint64(w.retries), Allowed: b.allowed(w),
		Spent: w.spent, Risked: w.risked,
		DeniedByCount: b.denied[0], DeniedByCost: b.denied[1],
	}
}

// begin counts a call. Here and below, now is an instant of c; operations of
// different orchestrators have different clocks.
func (b *RetryBudget) begin(c clock, now int64) {
	b.reach(c, now)
	b.calls.Add(1)
}

// succeed counts what a successful call has cost.
func (b *RetryBudget) succeed(c clock, now int64, cost Cost) {
	if cost <= 0 {
		return
	}
	b.reach(c, now)
	b.spent.Add(int64(min(cost, maxCost)))
}

// allow reports whether a hedge may be made, and counts it if so.
func (b *RetryBudget) allow(c clock, now int64, cost Cost) bool {
	_, ok := b.take(c, now, cost)
	return ok
}

// Take reports whether an attempt may be made that no operation makes by itself, such as one at another server when the first has
// failed, and counts it as a retry if so. On a nil budget it is always true.
func (b *RetryBudget) Take(cost Cost) bool { return b == nil || b.allow(b.clock, b.clock.now(), cost) }

// take reports whether a retry may be made, and counts it if so, in a bucket that it returns: for giveBack.
func (b *RetryBudget) take(c clock, now int64, cost Cost) (bucket int64, ok bool) {
	cost = min(max(cost, 0), maxCost)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slide(b.local(c, now))
	w := b.window()
	switch {
	case float64(w.retries+1) > b.allowed(w):
		b.denied[0]++
		return 0, false
	case cost > 0 && float64(w.risked+cost) > b.cfg.CostShare*float64(w.spent)+float64(b.cfg.CostReserve):
		b.denied[1]++
		return 0, false
	}
	b.retries++
	b.risked += cost
	return b.begun, true
}

// giveBack takes back a retry that was taken in the bucket and not made after all: from all that there was since, so that
// a window that does not hold it any more allows nothing in its place.
func (b *RetryBudget) giveBack(bucket int64, cost Cost) {
	cost = min(max(cost, 0), maxCost)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.retries--
	b.risked -= cost
	for since := range min(b.begun-bucket, budgetMarks) {
		mark := &b.marks[(b.newest+budgetMarks-int(since))%budgetMarks]
		mark.retries--
		mark.risked -= cost
	}
}

// local turns an instant of c into one of b's own clock.
func (b *RetryBudget) local(c clock, at int64) int64 { return at + int64(c.base.Sub(b.clock.base)) }

// reach begins the buckets that are due. Mostly none is, and it takes no lock.
func (b *RetryBudget) reach(c clock, now int64) {
	if at := b.local(c, now); at >= b.due.Load() {
		b.turn(at)
	}
}

func (b *RetryBudget) turn(now int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slide(now)
}

// slide moves the window on to now. Time that goes backwards, as between callers
// that read their clocks at the same moment, changes nothing. Nobody can have
// counted anything between due and now, because whoever counts comes here first.
func (b *RetryBudget) slide(now int64) {
	due := b.due.Load()
	if now < due {
		return
	}
	begun, next := int64(budgetMarks), now+b.width
	if due != never && now-due < budgetMarks*b.width {
		begun = (now-due)/b.width + 1
		next = due + begun*b.width
	}
	for range min(begun, budgetMarks) {
		b.newest = (b.newest + 1) % budgetMarks
		b.marks[b.newest] = b.total()
	}
	b.begun += begun
	b.due.Store(next)
}

// total returns what has happened since the beginning.
func (b *RetryBudget) total() account {
	return account{calls: b.calls.Load(), retries: b.retries, spent: Cost(b.spent.Load()), risked: b.risked}
}

// window returns what has happened since the oldest mark.
func (b *RetryBudget) window() account {
	now, then := b.total(), &b.marks[(b.newest+1)%budgetMarks]
	return account{now.calls - then.calls, now.retries - then.retries, now.spent - then.spent, now.risked - then.risked}
}

// allowed returns how many retries a window allows altogether.
func (b *RetryBudget) allowed(w account) float64 { return b.cfg.Share*float64(w.calls) + b.floor }
