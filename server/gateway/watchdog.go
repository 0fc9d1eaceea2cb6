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
	due    atomic.Pointer[timeoutError]
}

// watch starts one. It must be stopped when the attempt has ended.
func watch(parent context.Context, first timeoutError) *watchdog {
	w := &watchdog{}
	w.ctx, w.cancel = context.WithCancelCause(parent)
	w.due.Store(&first)
	w.timer = time.AfterFunc(first.limit, func() { w.cancel(*w.due.Load()) })
	return w
}

// expect replaces what is waited for, from now.
func (w *watchdog) expect(next *timeoutError) {
	w.due.Store(next)
	w.timer.Reset(next.limit)
}

func (w *watchdog) stop() {
	w.timer.Stop()
	w.cancel(nil)
}
