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
type watchdog struct {
	ctx    context.Context //nolint:containedctx // it lives as long as the attempt it belongs to
	cancel context.CancelCauseFunc
	timer  *time.Timer
	until  time.Time // when it is due
	due    atomic.Pointer[timeoutError]
}

// watch starts one. It must be stopped when the attempt has ended.
func watch(parent context.Context, first timeoutError) *watchdog {
	w := &watchdog{}
	w.ctx, w.cancel = context.WithCancelCause(parent)
	w.due.Store(&first)
	w.until = time.Now().Add(first.limit)
	w.timer = time.AfterFunc(first.limit, func() { w.cancel(*w.due.Load()) })
	return w
}

// expect replaces what is waited for, from now.
func (w *watchdog) expect(next *timeoutError) {
	w.due.Store(next)
	w.until = time.Now().Add(next.limit)
	w.timer.Reset(next.limit)
}

// aside runs f, which waits for somebody else than the provider, without letting the
// provider's time run on.
func (w *watchdog) aside(f func() error) error {
	begun := time.Now()
	w.timer.Stop()
	err := f()
	w.until = w.until.Add(time.Since(begun))
	w.timer.Reset(max(time.Until(w.until), 0))
	return err
}

func (w *watchdog) stop() {
	w.timer.Stop()
	w.cancel(nil)
}
