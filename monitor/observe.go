package monitor

import "github.com/trysail-go/trysail"

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
	out.origin, out.value = meaning(&e)
	out.metadata = metadataOfEvent(&e, out.value)
	c.record(&out)
}

// meaning returns what an event counts as, and its value.
func meaning(e *trysail.Event) (origin, float64) {
	switch e.Kind {
	case trysail.EventTransition:
		return originBreaker, float64(e.Generation)
	case trysail.EventRetry, trysail.EventHedge:
		return originOther, milliseconds(max(e.Wait, 0))
	case trysail.EventFallback:
		if e.Err == nil {
			return originOther, 1
		}
	case trysail.EventCall:
		return originOther, milliseconds(max(e.Took, 0))
	default: // of which nothing is known
	}
	return originOther, 0
}

// metadataOfEvent writes the metadata of an event field by field, of which all together fit: there may be one for every
// call, and fields of any type would be garbage.
func metadataOfEvent(of *trysail.Event, value float64) Metadata {
	var room [usual]byte
	e := encoder{text: append(room[:0], '{')}.key("event")
	switch of.Kind {
	case trysail.EventTransition:
		e = e.string(breakerTransition).key("from").string(of.From.String()).key("to").string(of.To.String())
		e = e.key("generation").natural(of.Generation).key("reason").string(of.Reason)
	case trysail.EventRetry:
		e = e.string(callRetry).key("attempt").integer(int64(of.Attempt)).key("class").string(of.Class.String()).key("wait_ms").float(value)
	case trysail.EventHedge:
		e = e.string(callHedge).key("attempt").integer(int64(of.Attempt)).key("wait_ms").float(value)
	case trysail.EventFallback:
		e = e.string(callFallback).outcome(of)
	case trysail.EventCall:
		e = e.string(callEnd).key("attempt").integer(int64(of.Attempt)).outcome(of)
	default:
		e = e.string(of.Kind.String())
	}
	return e.metadata()
}

// outcome writes how something ended.
func (e encoder) outcome(of *trysail.Event) encoder {
	e = e.key("succeeded").bool(of.Err == nil)
	if of.Err != nil {
		e = e.key("class").string(of.Class.String())
	}
	return e
}

var _ trysail.Observer = (*Collector)(nil)
