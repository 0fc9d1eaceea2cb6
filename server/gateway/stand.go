package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/trysail-go/trysail"
)

// stands says whether the target takes calls: how long it is until it does, 0 if it does now; whether it waits for nothing but a limit; and
// whether an operator keeps it shut.
func (t *target) stands(now int64) (wait time.Duration, brief, shut bool) {
	state := trysail.Closed
	b := t.breaker()
	if b != nil {
		state = b.State()
	}
	switch state {
	case trysail.Open:
		wait = max(time.Until(b.Snapshot().NextAttemptAt), time.Nanosecond)
	case trysail.ForcedOpen:
		shut, wait = true, time.Hour
	default: // it takes calls, or as many as it says when it is asked
	}
	if len(t.keys) == 0 {
		return wait, false, shut
	}
	until, _ := t.parked(now)
	if until > 0 && state == trysail.Closed && t.parkedOpen.Swap(false) {
		t.unpark() // an operator has closed the breaker that the parking had opened
		until = 0
	}
	if until > 0 {
		return max(wait, time.Duration(until-now)), false, shut
	}
	gate := t.keys[0].closedUntil(now)
	for _, k := range t.keys[1:] {
		gate = min(gate, k.closedUntil(now))
	}
	return max(wait, time.Duration(max(gate-now, 0))), wait == 0 && gate > 0, shut
}

// unpark ends the parking of all accounts.
func (t *target) unpark() {
	for _, k := range t.keys {
		k.unpark(false)
	}
}

// wellFor is how long ago the newest failure of a target is that is well.
const wellFor = 10 * time.Second

// well reports whether nothing is known against the target.
func (t *target) well(now int64) bool {
	failed := t.failed.Load()
	b := t.breaker()
	return (failed == 0 || now-failed > int64(wellFor)) && (b == nil || b.State() == trysail.Closed)
}

// A lockedError is the refusal of a target all of whose accounts are closed or parked.
type lockedError struct {
	target string
	wait   time.Duration
	parked string // why; empty if a short rate limit closes them
}

// Error says what closes them.
func (l *lockedError) Error() string {
	if l.parked != "" {
		return fmt.Sprintf("target %q: no credential can be used: %s", l.target, l.parked)
	}
	return fmt.Sprintf("target %q: the provider's rate limit is reached", l.target)
}

// RetryAfter returns how long it is until one of them can be used.
func (l *lockedError) RetryAfter() time.Duration { return l.wait }

// locked returns why no credential can be used.
func (t *target) locked(now int64) error {
	l := &lockedError{target: t.Name}
	if until, reason := t.parked(now); until > 0 {
		l.parked, l.wait = cmp.Or(reason, "parked"), time.Duration(until-now)
		return l
	}
	for i, k := range t.keys {
		if wait := time.Duration(k.closedUntil(now) - now); i == 0 || wait < l.wait {
			l.wait = max(wait, 0)
		}
	}
	return l
}

// A nowhereError is that of a call for which its route has no target at all.
type nowhereError struct {
	model   string
	drained bool // there are targets with the model
}

// Error says why.
func (n *nowhereError) Error() string {
	if n.drained {
		return fmt.Sprintf("all targets of the route that have the model %q are drained", n.model)
	}
	return fmt.Sprintf("no target of the route has the model %q", n.model)
}

// nowhere returns why the route has no target for the call.
func (e *exchange) nowhere() error {
	n := &nowhereError{model: e.model}
	for _, p := range e.route.places {
		n.drained = n.drained || p.target.out() && p.target.takes(e.model)
	}
	return n
}

// refusalOf says for how long a target refuses, whether it waits for nothing but a limit, and whether that is one of our own, which no call may pass.
func refusalOf(why error) (wait time.Duration, brief, own bool) {
	var (
		locked  *lockedError
		refused *trysail.Error
		broke   *budgetError
	)
	switch {
	case errors.As(why, &broke):
		return broke.wait, false, true
	case errors.As(why, &locked):
		return max(locked.wait, time.Nanosecond), locked.parked == "", false
	case errors.As(why, &refused):
		limited := errors.Is(why, trysail.ErrLimited)
		return max(refused.RetryAfter, time.Nanosecond), limited && refused.RetryAfter > 0, !errors.Is(why, trysail.ErrOpen)
	default:
		return time.Hour, false, true
	}
}
