package trysailtest

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/trysail-go/trysail"
)

// String tells what was heard, a line for each event, with the time since the first:
//
//	0s  retry in 2s: attempt 1 failed, transient: scripted failure
//	2s  call ok after 2 attempts in 2s
//
// Where there are several operations, each line names its own.
func (r *Recorder) String() string { return timeline(r.Events(), math.MaxInt) }

// timeline tells the newest of the events, at most so many.
func timeline(events []trysail.Event, most int) string {
	if len(events) == 0 {
		return ""
	}
	start := events[0].Time
	events = events[max(len(events)-most, 0):]
	times, width := make([]string, len(events)), 0
	for i, e := range events {
		times[i] = e.Time.Sub(start).String()
		width = max(width, len(times[i]))
	}
	several := slices.ContainsFunc(events, func(e trysail.Event) bool { return e.Operation != events[0].Operation })
	var b strings.Builder
	for i, e := range events {
		name := ""
		if several {
			name = e.Operation + ": "
		}
		fmt.Fprintf(&b, "%*s  %s%s\n", width, times[i], name, tell(e))
	}
	return b.String()
}

// tell tells an event in a line.
func tell(e trysail.Event) string {
	switch e.Kind {
	case trysail.EventTransition:
		return "breaker " + transition(e)
	case trysail.EventRetry:
		return fmt.Sprintf("retry in %v: attempt %d failed, %s", e.Wait, e.Attempt, failure(e))
	case trysail.EventHedge:
		return fmt.Sprintf("hedge %d after %v", e.Attempt, e.Wait)
	case trysail.EventFallback:
		if e.Err == nil {
			return "fallback ok"
		}
		return "fallback failed, " + failure(e)
	case trysail.EventCall:
		return tellCall(e)
	default:
		return fmt.Sprintf("%v %v", e.Kind, e.Err)
	}
}

func tellCall(e trysail.Event) string {
	waited := ""
	if e.Wait > 0 {
		waited = fmt.Sprintf(", after waiting %v for a place", e.Wait)
	}
	if e.Leaked {
		waited += ", leaked"
	}
	switch {
	case e.Err == nil:
		return fmt.Sprintf("call ok after %s in %v%s", plural(e.Attempt, "attempt"), e.Took, waited)
	case e.Attempt == 0:
		return fmt.Sprintf("call not made%s: %v", waited, cause(e.Err))
	default:
		return fmt.Sprintf("call failed after %s in %v%s, %s", plural(e.Attempt, "attempt"), e.Took, waited, failure(e))
	}
}

// failure tells the class and the dependency's error.
func failure(e trysail.Event) string { return fmt.Sprintf("%v: %v", e.Class, cause(e.Err)) }

// cause is what an Error wraps; what is around that, the line tells already.
func cause(err error) error {
	if e, ok := err.(*trysail.Error); ok { //nolint:errorlint // around an Error there may be more to tell
		return e.Err
	}
	return err
}
