package gateway

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// A timeoutError says which limit a provider has passed.
type timeoutError struct {
	what  string
	limit time.Duration
}

// Error names the limit.
func (t timeoutError) Error() string {
	return fmt.Sprintf("the provider did not send %s within %v", t.what, t.limit)
}

// Timeout lets others see that it is one.
func (timeoutError) Timeout() bool { return true }

// A watchdog ends an attempt that makes no progress. The cause of its context's
// end is the timeoutError that was due.
//
// Its timer is rarely touched: where it fires too early, because something else is waited for by now, it is set again. A
// stream would otherwise set it three times for each event.
type watchdog struct {
	ctx    context.Context //nolint:containedctx // it lives as long as the attempt it belongs to
	cancel context.CancelCauseFunc
	begun  time.Time
	timer  *time.Timer
	alarm  atomic.Int64                 // when the timer fires; like all times here in nanoseconds since begun
	due    atomic.Pointer[timeoutError] // what is waited for
	until  atomic.Int64                 // when it is due; never while somebody else is waited for
}

// never is later than any limit.
const never = int64(1) << 61

// watch starts one. It must be stopped when the attempt has ended.
func watch(parent context.Context, first timeoutError) *watchdog {
	w := &watchdog{begun: time.Now()}
	w.ctx, w.cancel = context.WithCancelCause(parent)
	w.due.Store(&first)
	w.until.Store(int64(first.limit))
	w.alarm.Store(int64(first.limit))
	w.timer = time.AfterFunc(first.limit, w.look)
	return w
}

// expect replaces what is waited for, from now.
func (w *watchdog) expect(next *timeoutError) {
	w.due.Store(next)
	w.move(w.now() + int64(next.limit))
}

// aside runs f, which waits for somebody else than the provider, without letting the
// provider's time run on.
func (w *watchdog) aside(f func() error) error {
	begun, until := w.now(), w.until.Swap(never)
	err := f()
	w.move(until + w.now() - begun)
	return err
}

func (w *watchdog) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

func (w *watchdog) now() int64 { return int64(time.Since(w.begun)) }

// move sets when the provider is late. The timer is brought forward if it would fire later.
func (w *watchdog) move(until int64) {
	w.until.Store(until)
	if until < w.alarm.Load() {
		w.alarm.Store(until)
		w.timer.Reset(time.Duration(max(until-w.now(), 0)))
	}
}

// look is what the timer does: nothing has come in time, or it fires again when that would be so. It looks again after
// it has set the timer, for move may have brought it forward in between.
func (w *watchdog) look() {
	for {
		until, now := w.until.Load(), w.now()
		if until <= now {
			w.cancel(*w.due.Load())
			return
		}
		w.alarm.Store(until)
		w.timer.Reset(time.Duration(until - now))
		if w.until.Load() >= until {
			return
		}
	}
}
