package model_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/trysail-go/trysail"
)

// play has rapid make up histories, each of which runs in a bubble of its own. All in one bubble would be few: rapid
// would take the hours that pass in there for its own, and end early.
func play(t *testing.T, history func(*rapid.T)) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) { rapid.SyncTest(t, history) })
}

// pick draws one of a few values, of which each is as likely as the others.
func pick[T any](t *rapid.T, label string, values ...T) T {
	return rapid.SampledFrom(values).Draw(t, label)
}

// A verdict is what came of a call, and when: since the history began.
type verdict struct {
	at    time.Duration
	why   string        // see reasons
	after time.Duration // when to come back
}

// said returns the verdict of a call that has ended with err.
func said(at time.Duration, err error) verdict {
	v := verdict{at: at, why: reasons(err)}
	var e *trysail.Error
	if errors.As(err, &e) {
		v.after = e.RetryAfter
	}
	return v
}

// reasons names all that an error says about why there was no call, after its class; "in" means that there was one.
func reasons(err error) string {
	if err == nil {
		return "in"
	}
	said := []string{trysail.Classify(err).String() + ":"}
	for _, reason := range []struct {
		name string
		err  error
	}{
		{"full", trysail.ErrBulkheadFull},
		{"limited", trysail.ErrLimited},
		{"over the burst", trysail.ErrOverBurst},
		{"open", trysail.ErrOpen},
		{"deadline", context.DeadlineExceeded},
		{"total", trysail.ErrTotalTimeout},
		{"gone", context.Canceled},
	} {
		if errors.Is(err, reason.err) {
			said = append(said, reason.name)
		}
	}
	return strings.Join(said, " ")
}

// callers make calls that may have to wait, and note what comes of them.
type callers struct {
	start time.Time
	leave map[int]context.CancelFunc

	mu       sync.Mutex // guards verdicts
	verdicts map[int]verdict
}

func newCallers() *callers {
	return &callers{start: time.Now(), leave: map[int]context.CancelFunc{}, verdicts: map[int]verdict{}}
}

// now is how long the history lasts.
func (c *callers) now() time.Duration { return time.Since(c.start) }

// call makes a call for a caller who waits for patience at most, or for ever if that is 0. It returns when the call
// has come to an end or has to wait.
func (c *callers) call(ctx context.Context, id int, patience time.Duration, enter func(context.Context) error) {
	limit := context.WithCancel
	if patience > 0 {
		limit = func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, patience)
		}
	}
	ctx, cancel := limit(ctx)
	c.leave[id] = cancel
	go func() {
		err := enter(ctx)
		v := said(c.now(), err)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.verdicts[id] = v
	}()
	synctest.Wait()
}

// home sends everybody home who still waits, so that the next history begins with nobody.
func (c *callers) home() {
	for _, cancel := range c.leave {
		cancel()
	}
	synctest.Wait()
}

// agree wants what came of the calls to be what the model says.
func (c *callers) agree(t *rapid.T, want map[int]verdict) {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if maps.Equal(c.verdicts, want) {
		return
	}
	for _, id := range slices.Sorted(maps.Keys(c.leave)) {
		got, ended := c.verdicts[id]
		model, ends := want[id]
		if got != model || ended != ends {
			t.Errorf("call %d: ended is %t with %+v; in the model that is %t with %+v", id, ended, got, ends, model)
		}
	}
	t.FailNow()
}

// counted returns the counters of an operation, without the times.
func counted(op *trysail.Operation) trysail.OperationMetrics {
	m := op.Metrics()
	m.Operation, m.LastSuccess, m.LastFailure, m.AverageResponse, m.P95Response = "", time.Time{}, time.Time{}, 0, 0
	return m
}

// nextTime draws how long nothing happens: often until just before the instant at which something falls due, or until it.
func nextTime(t *rapid.T, due, now time.Duration, others ...time.Duration) time.Duration {
	if due > now {
		others = append(others, due-now, due-now, max(due-now-1, 1))
	}
	return rapid.SampledFrom(others).Draw(t, "time")
}
