package api

import "context"

func (a *API) health(context.Context, *nothing) (*healthView, error) {
	h := a.orc.Health()
	status := "healthy"
	if !h.Healthy {
		status = "degraded"
	}
	return &healthView{
		Healthy: h.Healthy,
		Status:  status,
		Details: healthStatusView{
			Healthy:          h.Healthy,
			OverallHealth:    h.Healthy,
			OpenBreakers:     listOf(h.Open),
			HalfOpenBreakers: listOf(h.HalfOpen),
			TotalBreakers:    h.Breakers,
			TotalOperations:  h.Operations,
			Timestamp:        instant(h.Time),
		},
		Timestamp: instant(h.Time),
		Service:   a.service,
		Version:   a.version,
	}, nil
}
