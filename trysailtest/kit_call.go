package trysailtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
)

// A Call is what came of one call: how often and when the dependency was asked, and how
// it ended. It comes from [Run] or [Dependency.Trace].
//
// Waits are exact in a bubble, and random unless the policy has RetryPolicy.NoJitter: see [Exact].
type Call struct {
	// Attempts is how many attempts were made; 0 if the call was refused.
	Attempts int

	// Waits are the times between the end of an attempt and the begin of the next, one for
	// each attempt that began while no other was running, but the first.
	Waits []time.Duration

	// Hedges are, for each attempt that began beside others, how long after the one
	// before.
	Hedges []time.Duration

	// Took is how long the call took, waits at limiter and bulkhead included.
	Took time.Duration

	// Err is the error that the caller got.
	Err error
}

// Run makes a call under op, whose attempts go as script says: see [ParseOutcomes].
//
//	trysailtest.Run(t, op, "fail x2, ok").Want(t, "ok after 3 attempts in 4s, waits 2s 2s")
func Run(t testing.TB, op *trysail.Operation, script string) Call {
	t.Helper()
	d := NewDependency(t, "answer", script)
	return d.Trace(func() error {
		_, err := trysail.Do(t.Context(), op, trysail.Hedged(op, d.Call))
		return err
	})
}

// Trace runs call, which should lead to attempts at d, and returns how that went. It is for
// code of your own that makes the call. A panic that d has made up becomes the Call's Err;
// any other goes on its way. While it runs, nobody else may call d.
func (d *Dependency[T]) Trace(call func() error) Call {
	before := len(d.since(0)) // without waiting: in a bubble, only one goroutine may
	began := time.Now()
	c := Call{Err: guarded(call), Took: time.Since(began)}
	c.follow(d.since(before))
	return c
}

// guarded returns the error of call, or the panic of a script.
func guarded(call func() error) (err error) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if scripted, ok := v.(error); ok && errors.Is(scripted, errScriptedPanic) {
			err = scripted
			return
		}
		panic(v)
	}()
	return call()
}

// follow takes down the attempts.
func (c *Call) follow(attempts []Attempt) {
	c.Attempts = len(attempts)
	var ended time.Time // when the last one to end ended
	for i, a := range attempts {
		switch {
		case i == 0:
		case a.Beside > 0:
			c.Hedges = append(c.Hedges, a.Began.Sub(attempts[i-1].Began))
		default:
			c.Waits = append(c.Waits, a.Began.Sub(ended))
		}
		if a.Ended.After(ended) {
			ended = a.Ended
		}
	}
}

// Want fails the test unless c reads like want, blanks aside: see [Call.String].
func (c Call) Want(t testing.TB, want string) {
	t.Helper()
	wantText(t, "the call", c.String(), want)
}

// String tells the call in a line, such as
//
//	ok after 3 attempts in 6s, waits 2s 4s
//	ok after 2 attempts in 7s, hedged after 5s
//	rate_limited after 3 attempts in 4s, waits 2s 2s
//	transient after 1 attempt in 20s: time limit of the attempt has passed
//	not called in 0s: circuit breaker is open
//
// A failure is told by its class, and by what trysail itself has to say about it.
func (c Call) String() string {
	var b strings.Builder
	switch {
	case c.Attempts > 0:
		fmt.Fprintf(&b, "%s after %s in %v", c.end(), plural(c.Attempts, "attempt"), c.Took)
	case c.Err != nil:
		fmt.Fprintf(&b, "not called in %v", c.Took)
	default:
		fmt.Fprintf(&b, "ok without an attempt in %v", c.Took)
	}
	list(&b, "waits", c.Waits)
	list(&b, "hedged after", c.Hedges)
	if reason := c.reason(); reason != "" {
		b.WriteString(": " + reason)
	}
	return b.String()
}

// end tells how the call ended, in a word.
func (c Call) end() string {
	switch {
	case c.Err == nil:
		return "ok"
	case errors.Is(c.Err, errScriptedPanic):
		return "panic"
	default:
		return trysail.Classify(c.Err).String()
	}
}

// reason is what the policies have to say about the end of the call.
func (c Call) reason() string {
	for _, known := range []error{
		trysail.ErrThrottled, trysail.ErrLimited, trysail.ErrOverBurst, trysail.ErrBulkheadFull, trysail.ErrOpen,
		trysail.ErrBudget, trysail.ErrTotalTimeout, trysail.ErrAttemptTimeout,
		context.DeadlineExceeded, // the caller's, then
	} {
		if errors.Is(c.Err, known) {
			return known.Error()
		}
	}
	if c.Attempts == 0 && c.Err != nil {
		return cause(c.Err).Error()
	}
	return ""
}

// list writes times behind their name, if there are any.
func list(b *strings.Builder, name string, times []time.Duration) {
	if len(times) > 0 {
		fmt.Fprintf(b, ", %s", name)
	}
	for _, d := range times {
		fmt.Fprintf(b, " %v", d)
	}
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// wantText compares two texts, line by line and word by word.
func wantText(t testing.TB, what, got, want string) {
	t.Helper()
	if words(got) != words(want) {
		t.Errorf("%s went\n%s\nwant\n%s", what, indented(got), indented(words(want)))
	}
}

// words is text without the blanks that mean nothing.
func words(text string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimSpace(text)) {
		b.WriteString(strings.Join(strings.Fields(line), " ") + "\n")
	}
	return b.String()
}

func indented(text string) string {
	return "\t" + strings.ReplaceAll(strings.Trim(text, "\n"), "\n", "\n\t")
}
