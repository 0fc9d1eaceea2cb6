package trysail

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// ErrThrottled means that a call was dropped because the dependency takes fewer calls than
// are made. The dependency was not called. The error that wraps it says how many it took.
var ErrThrottled = errors.New("throttled")

// A throttle drops a share of the calls, so that a dependency that takes only some of
// them is not offered many more. With made and taken calls of the window, the share is
//
//	(made - Factor·taken) / (made + 1)
//
// Dropped calls count as made. The formula is that of Google's Site Reliability Engineering,
// chapter 21, "Client-Side Throttling"; the ceiling is that of Envoy's admission control,
// so that a recovery is always seen.
//
// Calls are counted when they end: those under way say nothing yet, and of calls that
// take a minute there are always many.
type throttle struct {
	name     string
	dropping atomic.Bool // the share is more than 0; written under mu

	mu      sync.Mutex // guards what follows
	policy  ThrottlePolicy
	window  *window // a call that was not taken, or was dropped, is a failure in it
	dropped uint64
}

func newThrottle(name string, p ThrottlePolicy, now int64) *throttle {
	t := &throttle{name: name}
	t.reconfigure(p, now)
	return t
}

// reconfigure puts the throttle under a checked policy. What it knows stays unless the window is
// another one.
func (t *throttle) reconfigure(p ThrottlePolicy, now int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	shape := &BreakerPolicy{Window: p.Window}
	if t.window == nil || !t.window.fits(shape) {
		t.window = newWindow(shape, now)
	}
	t.policy = p
	t.weigh(now)
}

// admit lets a call through, or returns why not. As long as nothing is dropped it costs one load.
func (t *throttle) admit(now int64) *Error {
	if !t.dropping.Load() {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	share := t.weigh(now)
	if share == 0 || rand.Float64() >= share {
		return nil
	}
	t.dropped++
	w := t.window.at(now)
	t.window.add(now, heldFailure)
	why := &throttledError{taken: w.calls - w.failures, made: w.calls, window: t.policy.Window}
	return &Error{Operation: t.name, Class: ClassOverloaded, Err: why}
}

// count notes how a call has ended.
func (t *throttle) count(s signal, now int64) {
	if s == signalNone {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var e entry
	if s != signalTaken {
		e = heldFailure
	}
	t.window.add(now, e)
	t.weigh(now)
}

// weigh returns the share of calls that must be dropped now. It is called under the lock.
func (t *throttle) weigh(now int64) (share float64) {
	w := t.window.at(now)
	if made, taken := float64(w.calls), float64(w.calls-w.failures); w.calls >= t.policy.MinCalls {
		share = max((made-t.policy.Factor*taken)/(made+1), 0)
	}
	t.dropping.Store(share > 0)
	return min(share, t.policy.MaxShare)
}

// A throttledError says how much of what was made the dependency took.
type throttledError struct {
	taken, made int
	window      time.Duration
}

func (e *throttledError) Error() string {
	return fmt.Sprintf("%v: the dependency took %d of the last %d calls, within %v", ErrThrottled, e.taken, e.made, e.window)
}

func (*throttledError) Unwrap() error { return ErrThrottled }

// A ThrottleSnapshot is the throttle of an operation at one moment.
type ThrottleSnapshot struct {
	Calls   int     // of the window: those that ended with a word about the dependency, and dropped ones
	Taken   int     // of the window: those that the dependency took
	Share   float64 // of the calls that come, how many are dropped: 0 to MaxShare
	Dropped uint64  // since the beginning
}

func (t *throttle) snapshot(now int64) ThrottleSnapshot {
	t.mu.Lock()
	defer t.mu.Unlock()
	share := t.weigh(now)
	w := t.window.at(now)
	return ThrottleSnapshot{Calls: w.calls, Taken: w.calls - w.failures, Share: share, Dropped: t.dropped}
}
