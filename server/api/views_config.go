package api

import (
	"encoding/json"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

// The views of configurations. Times are in seconds.
type (
	// policyView is what an operation does about failures, as far as the specification has names for it.
	policyView struct {
		Strategy       string            `json:"strategy" enum:"aggressive,balanced,conservative,critical"`
		Retry          retryConfigView   `json:"retry_config"`
		Breaker        breakerConfigView `json:"circuit_breaker_config"`
		EnableBreaker  bool              `json:"enable_circuit_breaker"`
		EnableRetry    bool              `json:"enable_retry"`
		TimeoutSeconds *float64          `json:"timeout_seconds" doc:"Of each attempt; null when nothing but the caller bounds it."`
	}

	retryConfigView struct {
		Attempts   int     `json:"max_attempts" doc:"The first attempt included."`
		MaxDelay   int     `json:"max_delay_seconds" doc:"Of all waits of a call together, rounded up."`
		Multiplier float64 `json:"exponential_multiplier" doc:"The first wait; it doubles with each attempt."`
		Min        float64 `json:"exponential_min" doc:"No wait is shorter."`
		Max        float64 `json:"exponential_max" doc:"No wait is longer, before jitter is added."`
		Jitter     bool    `json:"jitter"`
		JitterMax  float64 `json:"jitter_max" doc:"The most that is added to a wait at random."`
	}

	breakerConfigView struct {
		FailureThreshold int `json:"failure_threshold" doc:"Failed calls in a row that open the breaker."`
		RecoveryTimeout  int `json:"recovery_timeout" doc:"Rounded up."`
		HalfOpenMaxCalls int `json:"half_open_max_calls"`
	}

	configView struct {
		PresetName    string                `json:"preset_name" doc:"The preset that everything else was put on; legacy when old variables alone say what is wanted."`
		Legacy        bool                  `json:"is_legacy_config" doc:"Whether old variables took effect."`
		Configuration policyView            `json:"configuration" doc:"Of operations that follow the default strategy."`
		Strategies    map[string]string     `json:"operation_strategies" doc:"By operation: those that are registered or configured, and the five of the specification."`
		Custom        orNull[customView]    `json:"custom_overrides" doc:"Numbers that were put on the preset; null when there are none."`
		ByStrategy    map[string]policyView `json:"strategies" doc:"What each strategy stands for; the default one with the configured numbers."`
		Operations    map[string]policyView `json:"operations" doc:"What each operation of operation_strategies does."`
		Source        string                `json:"source" enum:"preset,custom,legacy,reload,fallback,program" doc:"What decided. Program: it was configured in code."`
		Version       int                   `json:"config_version" minimum:"0" doc:"Counts from 1; 0 when the program does not reload."`
		LoadedAt      *time.Time            `json:"loaded_at" doc:"Null when the program does not reload."`
		Enabled       bool                  `json:"enabled" doc:"False: every call runs plainly, once, and is only counted."`
		Warnings      []string              `json:"warnings" nullable:"false" doc:"What the operator should know of loading."`
	}

	// customView is a custom configuration; its schema comes from the table of fields.
	customView config.Custom
)

// Schema implements [huma.SchemaProvider].
func (customView) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Properties: map[string]*huma.Schema{}}
	for _, f := range config.Fields() {
		field := &huma.Schema{Type: string(f.Kind), Description: f.Meaning}
		enum := make([]any, len(f.Enum))
		for i, word := range f.Enum {
			enum[i] = word
		}
		switch f.Kind {
		case config.KindInteger, config.KindNumber:
			field.Minimum, field.Maximum = &f.Min, &f.Max
		case config.KindString:
			field.Enum = enum
		case config.KindObject:
			field.AdditionalProperties = &huma.Schema{Type: huma.TypeString, Enum: enum}
		case config.KindBoolean:
		}
		s.Properties[f.Name] = field
	}
	s.PrecomputeMessages()
	return s
}

// viewOfCustom is c, or null if it says nothing.
func viewOfCustom(c config.Custom) orNull[customView] {
	if text, err := json.Marshal(c); err == nil && string(text) == "{}" {
		return orNull[customView]{}
	}
	return orNull[customView]{(*customView)(&c)}
}

// viewOfPolicy shows p. With off, nothing of it takes effect.
func viewOfPolicy(strategy trysail.Strategy, p *trysail.Policy, off bool) policyView {
	v := policyView{
		Strategy: string(strategy),
		Retry: retryConfigView{
			Attempts: p.Retry.Attempts, MaxDelay: wholeSeconds(p.Retry.DelayBudget), Multiplier: p.Retry.Base.Seconds(),
			Min: p.Retry.MinDelay.Seconds(), Max: p.Retry.MaxDelay.Seconds(), Jitter: !p.Retry.NoJitter, JitterMax: p.Retry.Jitter.Seconds(),
		},
		Breaker: breakerConfigView{
			FailureThreshold: p.Breaker.FailureThreshold, RecoveryTimeout: wholeSeconds(p.Breaker.RecoveryTimeout),
			HalfOpenMaxCalls: p.Breaker.HalfOpenMaxCalls,
		},
		EnableBreaker: !off && !p.Breaker.Disabled,
		EnableRetry:   !off && !p.Retry.Disabled,
	}
	if p.Attempt > 0 {
		seconds := p.Attempt.Seconds()
		v.TimeoutSeconds = &seconds
	}
	return v
}

// viewOfDefault shows what operations do that follow the default strategy.
func viewOfDefault(cfg *trysail.Config) policyView {
	return viewOfPolicy(cfg.DefaultStrategy, &cfg.Default, cfg.Disabled)
}
