package api

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"
)

// A breakerList is an object of breakers by their names. They are sorted by them.
type breakerList []breakerView

// Schema implements [huma.SchemaProvider].
func (breakerList) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(typeOf[map[string]breakerView](), true, "")
}

// MarshalJSON implements [json.Marshaler].
func (l breakerList) MarshalJSON() ([]byte, error) {
	var w writer
	l.writeTo(&w)
	return w.text, w.err
}

var _ json.Marshaler = breakerList(nil)

func (v breakersView) writeTo(w *writer) {
	w.raw(`{"circuit_breakers":`)
	v.Breakers.writeTo(w)
	w.raw(`,"total_count":`)
	w.integer(v.Total)
	w.raw(`,"healthy_count":`)
	w.integer(v.Healthy)
	w.raw(`,"open_count":`)
	w.integer(v.Open)
	w.raw(`,"half_open_count":`)
	w.integer(v.HalfOpen)
	w.raw(`,"timestamp":`)
	w.time(&v.Timestamp)
	w.raw(`}`)
}

func (l breakerList) writeTo(w *writer) {
	w.raw(`{`)
	for i := range l {
		if i > 0 {
			w.raw(`,`)
		}
		w.string(l[i].Name)
		w.raw(`:`)
		l[i].writeTo(w)
	}
	w.raw(`}`)
}

func (v *breakerView) writeTo(w *writer) {
	w.raw(`{"name":`)
	w.string(v.Name)
	w.raw(`,"state":`)
	w.string(v.State)
	w.raw(`,"reason":`)
	w.string(v.Reason)
	w.raw(`,"failure_count":`)
	w.integer(v.FailureCount)
	w.raw(`,"threshold":`)
	w.integer(v.Threshold)
	w.raw(`,"failure_threshold":`)
	w.integer(v.FailureThreshold)
	w.raw(`,"recovery_timeout":`)
	w.integer(v.RecoveryTimeout)
	w.raw(`,"half_open_max_calls":`)
	w.integer(v.HalfOpenMaxCalls)
	w.raw(`,"last_failure":`)
	w.time(v.LastFailure)
	w.raw(`,"last_failure_time":`)
	w.time(v.LastFailureTime)
	w.raw(`,"opened_at":`)
	w.time(v.OpenedAt)
	w.raw(`,"next_attempt_at":`)
	w.time(v.NextAttemptAt)
	w.raw(`,"metrics":`)
	v.Metrics.writeTo(w)
	w.raw(`,"override":`)
	v.Override.writeTo(w)
	w.raw(`}`)
}

// writeTo leaves what is there to encoding/json: few breakers are under an operator's word.
func (o orNull[View]) writeTo(w *writer) {
	if o.value == nil {
		w.raw(`null`)
		return
	}
	text, err := o.MarshalJSON()
	if err != nil {
		w.fail(err)
	}
	w.text = append(w.text, text...)
}

func (v *countsView) writeTo(w *writer) {
	w.raw(`{"total_calls":`)
	w.count(v.Calls)
	w.raw(`,"successful_calls":`)
	w.count(v.Succeeded)
	w.raw(`,"failed_calls":`)
	w.count(v.Failed)
	w.raw(`,"rejected_calls":`)
	w.count(v.Rejected)
	w.raw(`,"fallback_calls":`)
	w.count(v.Fallbacks)
	w.raw(`,"retry_attempts":`)
	w.count(v.Retries)
	w.raw(`,"circuit_breaker_opens":`)
	w.count(v.Opens)
	w.raw(`,"circuit_breaker_half_opens":`)
	w.count(v.HalfOpens)
	w.raw(`,"circuit_breaker_closes":`)
	w.count(v.Closes)
	w.raw(`,"success_rate":`)
	w.number(v.SuccessRate)
	w.raw(`,"failure_rate":`)
	w.number(v.FailureRate)
	w.raw(`,"last_success":`)
	w.time(v.LastSuccess)
	w.raw(`,"last_failure":`)
	w.time(v.LastFailure)
	w.raw(`,"avg_response_time_ms":`)
	w.number(v.AverageMS)
	w.raw(`,"p95_response_time_ms":`)
	w.number(v.P95MS)
	w.raw(`}`)
}
