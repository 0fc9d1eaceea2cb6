package api

import (
	"context"
	"time"
)

type (
	dashboardView struct {
		Timestamp   time.Time                `json:"timestamp"`
		Health      dashboardHealthView      `json:"health"`
		Performance dashboardPerformanceView `json:"performance"`
		Operations  []string                 `json:"operations" nullable:"false" doc:"Names, sorted."`
		Alerts      []string                 `json:"alerts" nullable:"false" doc:"What somebody should look at, in a sentence each."`
		Summary     summaryView              `json:"summary"`
	}

	dashboardHealthView struct {
		Healthy  bool `json:"overall_healthy"`
		Open     int  `json:"open_circuit_breakers"`
		HalfOpen int  `json:"half_open_circuit_breakers"`
		Breakers int  `json:"total_circuit_breakers"`
	}

	dashboardPerformanceView struct {
		Calls       uint64  `json:"total_calls"`
		Succeeded   uint64  `json:"successful_calls"`
		Failed      uint64  `json:"failed_calls"`
		Retries     uint64  `json:"retry_attempts"`
		SuccessRate float64 `json:"success_rate" minimum:"0" maximum:"100" doc:"Percent; 0 without calls."`
	}
)

// A failure rate is high when fewer than this percentage of the calls succeeds, of more than this many.
const (
	poorRate  = 80
	fewCalls  = 10
	poorAlert = "High failure rate detected"
)

func (a *API) dashboard(ctx context.Context, in *nothing) (*dashboardView, error) {
	health := a.orc.Health()
	metrics, err := a.metrics(ctx, in)
	if err != nil {
		return nil, err
	}
	sum := metrics.Summary
	out := dashboardView{
		Timestamp:   instant(health.Time),
		Health:      dashboardHealthView{health.Healthy, len(health.Open), len(health.HalfOpen), health.Breakers},
		Performance: dashboardPerformanceView{sum.Calls, sum.Succeeded, sum.Failed, sum.Retries, sum.SuccessRate},
		Operations:  a.operationNames(),
		Alerts:      []string{},
		Summary:     sum,
	}
	for _, name := range health.Open {
		out.Alerts = append(out.Alerts, "Circuit breaker open: "+name)
	}
	if sum.SuccessRate < poorRate && sum.Calls > fewCalls {
		out.Alerts = append(out.Alerts, poorAlert)
	}
	return &out, nil
}
