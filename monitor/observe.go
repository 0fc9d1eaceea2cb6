package monitor

import (
	"github.com/trysail-go/trysail"
)

// What the metadata's "event" of an engine's event says.
const (
	breakerTransition = "breaker_transition"
	callRetry         = "retry"
	callHedge         = "hedge"
	callFallback      = "fallback"
	callEnd           = "call"
)

// Observe implements [trysail.Observer]: give the collector to trysail.Config's Observer. Every event becomes a
// [PerformanceEvent] of the operation, at the engine's time. Its metadata has "event", which is
// "breaker_transition", "retry", "hedge", "fallback" or "call", and
//
//   - of a breaker_transition "from", "to", "generation" and "reason"; the value is the generation;
//   - of a retry "attempt", "class" and "wait_ms", which is the value;
//   - of a hedge "attempt" and "wait_ms", which is the value;
//   - of a fallback "succeeded" and, if it did not, "class"; the value is 1 if it succeeded, otherwise 0;
//   - of a call "succeeded", "attempt" and, if it failed, "class"; the value is how many milliseconds it ran.
//
// The texts of errors are not kept: what providers answer may hold what users wrote.
func (c *Collector) Observe(e trysail.Event) {
	out := entry{kind: PerformanceEvent, operation: clip(e.Operation, maxName)}
	if !e.Time.IsZero() {
		out.at = e.Time.UnixNano()
	}
	wait := milliseconds(max(e.Wait, 0))
	switch e.Kind {
	case trysail.EventTransition:
		out.origin, out.value = originBreaker, float64(e.Generation)
		out.metadata = metadataOf(nil, field{"event", breakerTransition}, field{"from", e.From.String()}, field{"to", e.To.String()},
			field{"generation", e.Generation}, field{"reason", e.Reason})
	case trysail.EventRetry:
		out.value = wait
		out.metadata = metadataOf(nil, field{"event", callRetry}, field{"attempt", e.Attempt}, field{"class", e.Class.String()}, field{"wait_ms", wait})
	case trysail.EventHedge:
		out.value = wait
		out.metadata = metadataOf(nil, field{"event", callHedge}, field{"attempt", e.Attempt}, field{"wait_ms", wait})
	case trysail.EventFallback:
		if e.Err == nil {
			out.value = 1
		}
		out.metadata = metadataOf(nil, outcome(e, field{"event", callFallback})...)
	case trysail.EventCall:
		out.value = milliseconds(max(e.Took, 0))
		out.metadata = metadataOf(nil, outcome(e, field{"event", callEnd}, field{"attempt", e.Attempt})...)
	default:
		out.metadata = metadataOf(nil, field{"event", e.Kind.String()})
	}
	c.record(&out)
}

// outcome adds to fields how something ended.
func outcome(e trysail.Event, fields ...field) []field {
	fields = append(fields, field{"succeeded", e.Err == nil})
	if e.Err != nil {
		fields = append(fields, field{"class", e.Class.String()})
	}
	return fields
}

var _ trysail.Observer = (*Collector)(nil)
