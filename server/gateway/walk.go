package gateway

import (
	"context"
	"time"

	"github.com/trysail-go/trysail"
)

// A walk is the way of a call from target to target.
type walk struct {
	exchange *exchange
	options  []option  // by the route's places
	one      [1]option // what options is mostly
	visited  uint64    // which places, a bit for each
	window   int64     // only targets with a larger one are of use; 0: all are
	here     *visit    // nil before the first target, and after one was left
	last     *target   // the newest one; nil if there was none
	tried    []string  // the names of those before it
	waited   time.Duration
}

// briefWait is how long a call waits altogether for limits to let it through, where no other target takes it.
const briefWait = 2 * time.Second

// arrive begins the visit of the next target. Its error says why no target takes the call.
func (w *walk) arrive(ctx context.Context) error {
	w.look()
	for {
		i := choose(w.options)
		if i >= 0 {
			err := w.enter(ctx, i)
			if err == nil || ctx.Err() != nil {
				return err
			}
			w.refused(i, err)
			continue
		}
		i = soonest(w.options, func(o option) bool { return o.brief })
		if i >= 0 && w.pause(ctx, w.options[i].wait) {
			w.look()
			continue
		}
		return w.compel(ctx)
	}
}

// look finds out how the targets stand.
func (w *walk) look() {
	e := w.exchange
	places := e.route.places
	if w.options == nil {
		w.options = w.one[:]
		if len(places) > 1 {
			w.options = make([]option, len(places))
		}
		for i, p := range places {
			w.options[i].priority = p.priority
			if len(places) > 1 {
				w.options[i].draw = drawOf(p.weight)
			}
		}
	}
	now := e.gateway.now()
	for i := range w.options {
		o, t := &w.options[i], places[i].target
		o.out = w.visited&(1<<i) != 0 || t.out() || !t.takes(e.model) || w.window > 0 && t.Window <= w.window
		if !o.out {
			o.wait, o.brief, o.shut = t.stands(now)
			if wait := e.broke(t); wait > 0 {
				o.wait, o.brief, o.shut = max(o.wait, wait), false, true // no call may pass a limit of ours
			}
		}
	}
}

// refused notes that a target does not take the call after all.
func (w *walk) refused(i int, why error) {
	o := &w.options[i]
	var own bool
	o.wait, o.brief, own = refusalOf(why)
	o.shut = o.shut || own
}

// enter begins the visit of a target that takes calls.
func (w *walk) enter(ctx context.Context, i int) error {
	t := w.exchange.route.places[i].target
	v := &visit{target: t}
	if err := v.unlock(w.exchange.gateway.now(), false); err != nil {
		return err
	}
	if err := v.fund(w.exchange); err != nil {
		return err
	}
	if err := v.reserve(w.exchange); err != nil {
		v.spend(0)
		return err
	}
	permit, err := t.operation.Acquire(ctx)
	if err != nil {
		v.spend(0)
		if v.reservation != nil {
			v.reservation.Cancel()
		}
		return err
	}
	v.permit = permit
	w.begin(i, v)
	return nil
}

func (w *walk) begin(i int, v *visit) {
	if w.last != nil {
		w.tried = append(w.tried, w.last.Name)
	}
	w.visited |= 1 << i
	v.target.visits.Add(1)
	w.here, w.last = v, v.target
}

// compel asks the least bad target when none takes the call: of those that the route has the one that is likely to be back first, with a few
// calls at a time. A call that has been somewhere, or has one place to go only, is refused.
func (w *walk) compel(ctx context.Context) error {
	if len(w.options) > 1 && w.visited == 0 {
		if i := soonest(w.options, func(o option) bool { return !o.shut }); i >= 0 {
			if v := desperate(w.exchange.route.places[i].target, w.exchange.gateway.now()); v != nil {
				if v.fund(w.exchange) == nil {
					w.begin(i, v)
					return nil
				}
				v.target.desperate.Add(-1)
			}
		}
	}
	i := soonest(w.options, func(option) bool { return true })
	if i < 0 {
		return w.exchange.nowhere()
	}
	return w.enter(ctx, i) // which says why not, or has become possible
}

// others reports whether there is another target that takes the call now, and which.
func (w *walk) others() (*target, bool) {
	if w.exchange.control.pinned || len(w.exchange.route.places) == 1 {
		return nil, false
	}
	w.look()
	i := choose(w.options)
	if i < 0 {
		return nil, false
	}
	return w.exchange.route.places[i].target, true
}

// larger reports whether there is another target that takes the call now and longer prompts than the one at hand.
func (w *walk) larger() bool {
	if w.here.target.Window == 0 {
		return false // that another one takes more cannot be known
	}
	before := w.window
	w.window = max(w.window, w.here.target.Window)
	_, ok := w.others()
	w.window = before
	return ok
}

// leave ends the visit at hand, of which err is the outcome.
func (w *walk) leave(err error) {
	v := w.here
	if v == nil {
		return
	}
	w.here = nil
	v.end(&w.exchange.usage, err)
}

// end gives back what a visit has taken.
func (v *visit) end(u *usage, err error) {
	v.target.visits.Add(-1)
	v.spend(0)
	v.settleTokens(u, err)
	if v.permit == nil {
		v.target.desperate.Add(-1)
		return
	}
	v.permit.Done(err)
}

// pause waits for a limit, if that is worth it.
func (w *walk) pause(ctx context.Context, wait time.Duration) bool {
	wait += time.Millisecond // the moment after
	deadline, limited := ctx.Deadline()
	if w.waited+wait > briefWait || limited && time.Until(deadline) <= wait {
		return false
	}
	w.waited += wait
	return pause(ctx, wait)
}

// pause waits, and reports whether ctx lasted.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// A visit is a call's stay at a target.
type visit struct {
	target *target
	permit *trysail.Permit // nil if the target was asked for want of a better one
	key    *credential     // nil: the client's own
	used   uint64          // which credentials have been used, a bit for each
	sends  int
	out    *outgoing // what is sent; nil until it is made

	reservation *trysail.Reservation // of tokens; nil without a limit
	held        float64              // dollars, for the next send
	funded      bool                 // they are held
}

// unlock takes the first credential that can be used and has not been. With anyway, the one that can be used first.
func (v *visit) unlock(now int64, anyway bool) error {
	if len(v.target.keys) == 0 {
		return nil
	}
	best, open := -1, int64(0)
	for i, k := range v.target.keys {
		if v.used&(1<<i) != 0 {
			continue
		}
		until := k.closedUntil(now)
		if best < 0 || until < open {
			best, open = i, until
		}
	}
	if best < 0 || open > 0 && !anyway {
		return v.target.locked(now)
	}
	v.key, v.out = v.target.keys[best], nil
	v.used |= 1 << best
	return nil
}

// spare reports whether there is another credential that can be used.
func (v *visit) spare(now int64) bool {
	for i, k := range v.target.keys {
		if v.used&(1<<i) == 0 && k.closedUntil(now) == 0 {
			return true
		}
	}
	return false
}

// mostDesperate is how many calls at a time are sent to a target that does not take any, for want of a better one.
const mostDesperate = 2

// desperate begins a visit of a target that takes no calls, or returns nil if enough calls do the same.
func desperate(t *target, now int64) *visit {
	if t.desperate.Add(1) > mostDesperate {
		t.desperate.Add(-1)
		return nil
	}
	v := &visit{target: t}
	_ = v.unlock(now, true) // one is as good as another
	return v
}
