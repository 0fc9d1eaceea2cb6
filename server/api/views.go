package api

import (
	"encoding/json"
	"math"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/trysail-go/trysail"
)

// The views are the JSON shapes of the answers. Rates are percent, times are
// RFC 3339 in UTC and null when there is none.
type (
	healthView struct {
		Healthy   bool             `json:"healthy" doc:"Whether no circuit breaker is open."`
		Status    string           `json:"status" enum:"healthy,degraded"`
		Details   healthStatusView `json:"details"`
		Timestamp time.Time        `json:"timestamp"`
		Service   string           `json:"service"`
		Version   string           `json:"version"`
	}

	healthStatusView struct {
		Healthy          bool      `json:"healthy"`
		OverallHealth    bool      `json:"overall_health" doc:"The same as healthy."`
		OpenBreakers     []string  `json:"open_circuit_breakers" nullable:"false" doc:"Names, sorted."`
		HalfOpenBreakers []string  `json:"half_open_circuit_breakers" nullable:"false" doc:"Names, sorted."`
		TotalBreakers    int       `json:"total_circuit_breakers"`
		TotalOperations  int       `json:"total_operations"`
		Timestamp        time.Time `json:"timestamp"`
	}

	metricsView struct {
		Operations map[string]countsView        `json:"operations"`
		Breakers   map[string]breakerCountsView `json:"circuit_breakers"`
		Summary    summaryView                  `json:"summary"`
	}

	// countsView are the counters of one operation.
	countsView struct {
		Calls       uint64     `json:"total_calls" doc:"Finished calls, refused ones included."`
		Succeeded   uint64     `json:"successful_calls"`
		Failed      uint64     `json:"failed_calls" doc:"Refused calls and those that a fallback answered are among them."`
		Rejected    uint64     `json:"rejected_calls" doc:"Calls that the circuit breaker refused."`
		Fallbacks   uint64     `json:"fallback_calls" doc:"Failed calls that a fallback answered."`
		Retries     uint64     `json:"retry_attempts" doc:"Attempts after the first."`
		Opens       uint64     `json:"circuit_breaker_opens"`
		HalfOpens   uint64     `json:"circuit_breaker_half_opens"`
		Closes      uint64     `json:"circuit_breaker_closes" doc:"Resets by hand are not counted."`
		SuccessRate float64    `json:"success_rate" minimum:"0" maximum:"100" doc:"Percent; 0 without calls."`
		FailureRate float64    `json:"failure_rate" minimum:"0" maximum:"100" doc:"Percent; 0 without calls."`
		LastSuccess *time.Time `json:"last_success"`
		LastFailure *time.Time `json:"last_failure"`
		AverageMS   float64    `json:"avg_response_time_ms" doc:"Of calls that ran, waits between attempts included."`
		P95MS       float64    `json:"p95_response_time_ms" doc:"95 % of the calls that ran were at least as fast."`
	}

	breakerCountsView struct {
		State            string     `json:"state" enum:"closed,open,half-open,forced-open,disabled,metrics-only"`
		FailureThreshold int        `json:"failure_threshold"`
		RecoveryTimeout  int        `json:"recovery_timeout" doc:"Seconds."`
		Metrics          countsView `json:"metrics"`
	}

	summaryView struct {
		Operations      int       `json:"total_operations"`
		Breakers        int       `json:"total_circuit_breakers"`
		HealthyBreakers int       `json:"healthy_circuit_breakers" doc:"Those that are not open."`
		Calls           uint64    `json:"total_calls"`
		Succeeded       uint64    `json:"successful_calls"`
		Failed          uint64    `json:"failed_calls"`
		Retries         uint64    `json:"retry_attempts"`
		SuccessRate     float64   `json:"overall_success_rate" minimum:"0" maximum:"100" doc:"Percent; 0 without calls."`
		Timestamp       time.Time `json:"timestamp"`
	}

	operationView struct {
		Operation string              `json:"operation"`
		Strategy  string              `json:"strategy" doc:"The strategy that the operation follows."`
		Metrics   countsView          `json:"metrics"`
		Breaker   orNull[breakerView] `json:"circuit_breaker" doc:"Null when the operation has none."`
	}

	breakersView struct {
		Breakers  breakerList `json:"circuit_breakers"`
		Total     int         `json:"total_count"`
		Healthy   int         `json:"healthy_count" doc:"Those that are not open."`
		Open      int         `json:"open_count"`
		HalfOpen  int         `json:"half_open_count"`
		Timestamp time.Time   `json:"timestamp"`
	}

	breakerView struct {
		Name             string     `json:"name"`
		State            string     `json:"state" enum:"closed,open,half-open,forced-open,disabled,metrics-only" doc:"The last three are an operator's word."`
		Reason           string     `json:"reason" doc:"Why it is in that state; empty at first."`
		FailureCount     int        `json:"failure_count" doc:"Failed calls in a row, those that opened the breaker included."`
		Threshold        int        `json:"threshold" doc:"Failed calls in a row that open the breaker."`
		FailureThreshold int        `json:"failure_threshold" doc:"The same as threshold."`
		RecoveryTimeout  int        `json:"recovery_timeout" doc:"Seconds during which an open breaker refuses every call."`
		HalfOpenMaxCalls int        `json:"half_open_max_calls" doc:"Probes that may run at once while half-open."`
		LastFailure      *time.Time `json:"last_failure" doc:"The last failure that the breaker counted since it was reset."`
		LastFailureTime  *time.Time `json:"last_failure_time" doc:"The same as last_failure."`
		OpenedAt         *time.Time `json:"opened_at" doc:"Null unless open or half-open."`
		NextAttemptAt    *time.Time `json:"next_attempt_at" doc:"When probes are let through; null unless open."`
		Metrics          countsView `json:"metrics"`

		Override orNull[overrideView] `json:"override" doc:"An operator's word, while it holds; otherwise null."`
	}

	overrideView struct {
		Reason      string     `json:"reason"`
		Author      string     `json:"author"`
		ExpiresAt   *time.Time `json:"expires_at" doc:"Null when it holds until it is lifted."`
		WouldOpen   uint64     `json:"would_open" doc:"How often the rules would have opened the breaker while it is metrics-only."`
		WouldReject uint64     `json:"would_reject" doc:"How many calls they would have refused."`
	}

	resetView struct {
		Message       string    `json:"message"`
		Name          string    `json:"name"`
		BreakerName   string    `json:"breaker_name" doc:"The same as name."`
		PreviousState string    `json:"previous_state" enum:"closed,open,half-open,forced-open,disabled,metrics-only"`
		NewState      string    `json:"new_state" enum:"closed"`
		ResetAt       time.Time `json:"reset_timestamp"`
	}

	// emptyView is an object without properties.
	emptyView struct{}
)

func viewOfCounts(m trysail.OperationMetrics) countsView {
	return countsView{
		Calls: m.Calls, Succeeded: m.Succeeded, Failed: m.Failed,
		Rejected: m.Rejected, Fallbacks: m.Fallbacks, Retries: m.Retries,
		Opens: m.Opens, HalfOpens: m.HalfOpens, Closes: m.Closes,
		SuccessRate: percent(m.SuccessRate()), FailureRate: percent(m.FailureRate()),
		LastSuccess: maybe(m.LastSuccess), LastFailure: maybe(m.LastFailure),
		AverageMS: milliseconds(m.AverageResponse), P95MS: milliseconds(m.P95Response),
	}
}

// viewOfBreaker shows op's breaker b. The snapshot comes before the counters: it makes
// transitions that are due, and the counters should have them.
func viewOfBreaker(op *trysail.Operation, b *trysail.Breaker) breakerView {
	s := b.Snapshot()
	failed := maybe(s.LastFailure)
	v := breakerView{
		Name:             s.Operation,
		State:            s.State.String(),
		Reason:           s.Reason,
		FailureCount:     s.Failures,
		Threshold:        s.FailureThreshold,
		FailureThreshold: s.FailureThreshold,
		RecoveryTimeout:  wholeSeconds(s.RecoveryTimeout),
		HalfOpenMaxCalls: s.HalfOpenMaxCalls,
		LastFailure:      failed,
		LastFailureTime:  failed,
		OpenedAt:         maybe(s.OpenedAt),
		NextAttemptAt:    maybe(s.NextAttemptAt),
		Metrics:          viewOfCounts(op.Metrics()),
	}
	switch s.State {
	case trysail.ForcedOpen, trysail.Disabled, trysail.MetricsOnly:
		v.Override.value = &overrideView{s.Override.Reason, s.Override.Author, maybe(s.ExpiresAt), s.WouldOpen, s.WouldReject}
	default: // the rules decide
	}
	return v
}

// instant is t as the API shows it: UTC, and cut to what every client can parse.
func instant(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// maybe is instant, or nil for the zero time.
func maybe(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = instant(t)
	return &t
}

// percent turns a share into percent with two decimals.
func percent(share float64) float64 { return math.Round(share*1e4) / 100 }

// milliseconds has three decimals.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }

// wholeSeconds rounds up, so that a short timeout does not look like none.
func wholeSeconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// listOf is names as JSON shows a list: never null.
func listOf(names []string) []string { return append([]string{}, names...) }

// orNull is a view that may be null. A pointer would do for the JSON, but huma's
// schema of a pointer to a struct leaves null out.
type orNull[View any] struct{ value *View }

// MarshalJSON implements [json.Marshaler].
func (o orNull[View]) MarshalJSON() ([]byte, error) {
	if o.value == nil {
		return []byte("null"), nil
	}
	return json.Marshal(o.value)
}

// Schema implements [huma.SchemaProvider].
func (orNull[View]) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{r.Schema(typeOf[View](), true, ""), {Type: "null"}}}
}
