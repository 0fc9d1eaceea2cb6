package trysail

import (
	"container/list"
	"context"
	"time"
)

// A line is the callers who wait for their turn with a limiter, in the order in
// which they came.
type line struct {
	turns list.List   // of *turn
	timer *time.Timer // runs while somebody waits, until the turn of the first
}

// A turn is a place in the line.
type turn struct {
	n      float64
	cost   int64
	full   int64         // when the bucket is full again after it
	latest int64         // the caller does not want it after this instant
	place  *list.Element // nil once it is decided
	err    *Error        // why it was refused; nil if it was granted
	done   chan struct{} // closed when it is decided
}

// queue waits for n units that were not free a moment ago.
func (l *Limiter) queue(ctx context.Context, n float64) error {
	t, err := l.join(n, untilDeadline(ctx))
	if t == nil {
		return err
	}
	select {
	case <-t.done:
	case <-ctx.Done():
	}
	if ctx.Err() != nil { // also when both came at once
		l.leave(t)
		return goneWaiting(ctx, &Error{Operation: l.name, Class: ClassRateLimited, Err: ErrLimited})
	}
	if t.err != nil {
		return t.err
	}
	return nil
}

// untilDeadline returns how long ctx lasts.
func untilDeadline(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return time.Until(deadline)
	}
	return longestDebt
}

// join takes a place in the line. It returns neither that nor an error if the units
// have come free meanwhile.
func (l *Limiter) join(n float64, left time.Duration) (*turn, error) {
	now := l.clock.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.pace.fits(n) {
		return nil, l.misfit(n)
	}
	cost := l.pace.cost(n)
	latest := now + int64(min(l.maxWait, left-1)) // a turn at the deadline would be of no use
	at, full := l.take(now, cost)
	if at <= now {
		return nil, nil
	}
	if at > latest {
		return nil, l.refuse(time.Duration(at - now))
	}
	l.waits++
	l.full = full
	t := &turn{n: n, cost: cost, full: full, latest: latest, done: make(chan struct{})}
	t.place = l.line.turns.PushBack(t)
	l.serve(now)
	return t, nil
}

// leave gives a turn back, whether it has come or not.
func (l *Limiter) leave(t *turn) {
	now := l.clock.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.serve(now)
	switch {
	case t.place != nil:
		l.line.turns.Remove(t.place)
		t.place = nil
		l.rebase(now, l.base)
	case t.err == nil:
		l.credit(now, t.cost)
	}
}

// serve grants the turns that are due and sets the timer for the next one. It is
// called under the lock.
func (l *Limiter) serve(now int64) {
	for e := l.line.turns.Front(); e != nil; e = l.line.turns.Front() {
		t := e.Value.(*turn)
		if due := max(t.full-l.pace.depth, l.notBefore); due > now {
			l.wakeAfter(time.Duration(due - now))
			return
		}
		l.base = t.full
		l.decide(t, nil)
	}
	if l.line.timer != nil {
		l.line.timer.Stop()
	}
}

// decide takes a turn out of the line.
func (l *Limiter) decide(t *turn, err *Error) {
	l.line.turns.Remove(t.place)
	t.place, t.err = nil, err
	close(t.done)
}

func (l *Limiter) wakeAfter(d time.Duration) {
	if l.line.timer == nil {
		l.line.timer = time.AfterFunc(d, l.tick)
		return
	}
	l.line.timer.Reset(d)
}

func (l *Limiter) tick() {
	now := l.clock.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.serve(now)
}

// rebase lets those who wait queue up anew behind another instant. Those for whom it
// has become too late, or their amount too large, are refused.
func (l *Limiter) rebase(now, base int64) {
	l.base, l.full = base, base
	for e := l.line.turns.Front(); e != nil; {
		t := e.Value.(*turn)
		e = e.Next()
		if !l.pace.fits(t.n) {
			l.decide(t, l.misfit(t.n))
			continue
		}
		cost := l.pace.cost(t.n)
		at, full := l.next(now, cost)
		if at > t.latest {
			l.decide(t, l.refuse(time.Duration(at-now)))
			continue
		}
		t.cost, t.full, l.full = cost, full, full
	}
	l.serve(now)
}

// credit gives back what was taken and not used. A full bucket stays full.
func (l *Limiter) credit(now, cost int64) {
	l.serve(now)
	if l.base > now {
		l.rebase(now, l.base-cost)
	}
}

// charge takes what was used without having been taken, free or not.
func (l *Limiter) charge(now, cost int64) {
	l.serve(now)
	l.rebase(now, min(max(l.base, now)+cost, now+longestDebt))
}
