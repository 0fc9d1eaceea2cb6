package api

import (
	"context"
	"time"
)

type (
	healthDetailedView struct {
		Status        string               `json:"status" enum:"healthy,unhealthy" doc:"Unhealthy means that a circuit breaker is open."`
		Healthy       bool                 `json:"healthy"`
		OverallHealth bool                 `json:"overall_health" doc:"The same as healthy."`
		Timestamp     time.Time            `json:"timestamp"`
		UptimeSeconds float64              `json:"uptime_seconds" minimum:"0"`
		Service       string               `json:"service"`
		Version       string               `json:"version"`
		Resilience    healthStatusView     `json:"resilience"`
		Metrics       metricsView          `json:"metrics" doc:"As /metrics has them."`
		Breakers      breakerList          `json:"circuit_breakers" doc:"As /circuit-breakers has them."`
		Configuration configView           `json:"configuration" doc:"As /config has it."`
		Environment   environmentView      `json:"environment"`
		Monitoring    monitoringHealthView `json:"monitoring"`
		Redis         redisHealthView      `json:"redis"`
		Store         storeHealthView      `json:"store" doc:"Where events, alerts, benchmarks, versions and the audit log are kept."`
	}

	environmentView struct {
		Environment string  `json:"environment_detected"`
		Confidence  float64 `json:"confidence" minimum:"0" maximum:"1"`
		Reasoning   string  `json:"reasoning"`
		Preset      string  `json:"recommended_preset"`
	}

	monitoringHealthView struct {
		ActiveAlerts int     `json:"active_alerts" doc:"Raised in the last 24 hours."`
		ErrorRate    float64 `json:"error_rate" minimum:"0" maximum:"1" doc:"Errors of loading a configuration per load, in the last 24 hours."`
	}

	redisHealthView struct {
		Enabled bool  `json:"enabled" doc:"Whether the program shares its state through Redis."`
		Healthy *bool `json:"healthy" doc:"Null when it does not. Without Redis each program goes by what it has seen itself."`
	}
)

func (a *API) healthDetailed(ctx context.Context, in *nothing) (*healthDetailedView, error) {
	brief, err := a.health(ctx, in)
	if err != nil {
		return nil, err
	}
	breakers, err := a.breakers(ctx, in)
	if err != nil {
		return nil, err
	}
	metrics, err := a.metrics(ctx, in)
	if err != nil {
		return nil, err
	}
	configuration, err := a.config(ctx, in)
	if err != nil {
		return nil, err
	}
	status := "healthy"
	if !brief.Healthy {
		status = "unhealthy"
	}
	found, stats := a.detect(), a.monitor.Statistics(24*time.Hour)
	out := healthDetailedView{
		Status: status, Healthy: brief.Healthy, OverallHealth: brief.Healthy, Timestamp: brief.Timestamp,
		UptimeSeconds: milliseconds(time.Since(a.started)) / 1e3, Service: a.service, Version: a.version,
		Resilience: brief.Details, Metrics: *metrics, Breakers: breakers.Breakers, Configuration: *configuration,
		Environment: environmentView{found.Environment, found.Confidence, found.Reasoning, found.Preset},
		Monitoring:  monitoringHealthView{len(stats.ActiveAlerts), stats.ErrorRate},
		Store:       a.storeHealth(),
	}
	if a.redis != nil {
		healthy := a.redis()
		out.Redis = redisHealthView{Enabled: true, Healthy: &healthy}
	}
	return &out, nil
}
