package api

import "github.com/trysail-go/trysail/config"

// The views of presets.
type (
	presetView struct {
		PresetName   string   `json:"preset_name" doc:"What operators write." example:"production"`
		Name         string   `json:"name" doc:"For people." example:"Production"`
		Description  string   `json:"description"`
		Environments []string `json:"environment_contexts" nullable:"false" doc:"The environments that it is meant for."`

		RetryAttempts           int               `json:"retry_attempts" doc:"The first attempt included."`
		CircuitBreakerThreshold int               `json:"circuit_breaker_threshold" doc:"Failed calls in a row that open a breaker."`
		RecoveryTimeout         int               `json:"recovery_timeout" doc:"Seconds."`
		DefaultStrategy         string            `json:"default_strategy" enum:"aggressive,balanced,conservative,critical"`
		OperationOverrides      map[string]string `json:"operation_overrides" doc:"Operations with a strategy of their own."`
	}

	presetDetailsView struct {
		PresetName    string            `json:"preset_name" doc:"What operators write." example:"production"`
		Name          string            `json:"name" doc:"For people." example:"Production"`
		Description   string            `json:"description"`
		Environments  []string          `json:"environment_contexts" nullable:"false" doc:"The environments that it is meant for."`
		Configuration presetNumbersView `json:"configuration"`
		Resilience    policyView        `json:"resilience_config" doc:"What operations do that follow the default strategy."`

		// Once more, for those who look for them here.
		RetryAttempts           int    `json:"retry_attempts" doc:"As in configuration."`
		CircuitBreakerThreshold int    `json:"circuit_breaker_threshold" doc:"As in configuration."`
		RecoveryTimeout         int    `json:"recovery_timeout" doc:"As in configuration."`
		DefaultStrategy         string `json:"default_strategy" enum:"aggressive,balanced,conservative,critical" doc:"As in configuration."`
	}

	presetNumbersView struct {
		RetryAttempts           int               `json:"retry_attempts" doc:"The first attempt included."`
		CircuitBreakerThreshold int               `json:"circuit_breaker_threshold" doc:"Failed calls in a row that open a breaker."`
		RecoveryTimeout         int               `json:"recovery_timeout" doc:"Seconds."`
		DefaultStrategy         string            `json:"default_strategy" enum:"aggressive,balanced,conservative,critical"`
		OperationOverrides      map[string]string `json:"operation_overrides" doc:"Operations with a strategy of their own."`
	}

	recommendationView struct {
		Environment string   `json:"environment_detected" doc:"As it was asked for, or as it was found."`
		Preset      string   `json:"recommended_preset"`
		Confidence  float64  `json:"confidence" minimum:"0" maximum:"1"`
		Reasoning   string   `json:"reasoning"`
		Available   []string `json:"available_presets" nullable:"false"`
		Detected    bool     `json:"auto_detected"`
	}

	detectionView struct {
		Environment string       `json:"environment_detected" doc:"Ends with (auto-detected)." example:"production (auto-detected)"`
		Preset      string       `json:"recommended_preset"`
		Confidence  float64      `json:"confidence" minimum:"0" maximum:"1"`
		Reasoning   string       `json:"reasoning"`
		Available   []string     `json:"available_presets" nullable:"false"`
		Detected    bool         `json:"auto_detected"`
		Method      string       `json:"detection_method" enum:"environment_variable,environment_variables_and_context" doc:"Whether one variable said it all."`
		Signals     []signalView `json:"signals" nullable:"false" doc:"Everything that hints at an environment, in the order in which it was looked at."`
	}

	signalView struct {
		Environment string  `json:"environment" enum:"development,testing,staging,production"`
		Source      string  `json:"source" example:"ENVIRONMENT=prod"`
		Confidence  float64 `json:"confidence" minimum:"0" maximum:"1"`
		Reasoning   string  `json:"reasoning"`
	}
)

func viewOfPreset(p *config.Preset) presetView {
	n := numbersOf(p)
	return presetView{
		p.Key, p.Name, p.Description, listOf(p.EnvironmentContexts),
		n.RetryAttempts, n.CircuitBreakerThreshold, n.RecoveryTimeout, n.DefaultStrategy, n.OperationOverrides,
	}
}

func numbersOf(p *config.Preset) presetNumbersView {
	overrides := make(map[string]string, len(p.OperationOverrides))
	for name, strategy := range p.OperationOverrides {
		overrides[name] = string(strategy)
	}
	return presetNumbersView{
		RetryAttempts: p.RetryAttempts, CircuitBreakerThreshold: p.CircuitBreakerThreshold, RecoveryTimeout: wholeSeconds(p.RecoveryTimeout),
		DefaultStrategy: string(p.DefaultStrategy), OperationOverrides: overrides,
	}
}

func viewOfPresetDetails(p *config.Preset) (presetDetailsView, error) {
	plan, err := planOf(p.Config())
	if err != nil {
		return presetDetailsView{}, err
	}
	cfg, n := plan.Configuration(), numbersOf(p)
	return presetDetailsView{
		p.Key, p.Name, p.Description, listOf(p.EnvironmentContexts), n, viewOfDefault(&cfg),
		n.RetryAttempts, n.CircuitBreakerThreshold, n.RecoveryTimeout, n.DefaultStrategy,
	}, nil
}
