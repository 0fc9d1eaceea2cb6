package perf

import (
	"fmt"
	"strconv"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

// presets are the keys of the built-in presets, operations the short names that the specification knows.
func presets() []string { return []string{"simple", "development", "production"} }

func operations() []string {
	return []string{"summarize", "sentiment", "key_points", "questions", "qa"}
}

// customs, legacies and documents are what the contract (6.2) lets be loaded and checked.
func customs() []custom {
	return []custom{
		{`{"retry_attempts": 4, "circuit_breaker_threshold": 7}`, 4},
		{`{"retry_attempts": 6, "circuit_breaker_threshold": 9, "operation_overrides": {"summarize": "critical"}}`, 6},
		{`{"retry_attempts": 3, "circuit_breaker_threshold": 5, "exponential_multiplier": 1.5, "jitter_enabled": true}`, 3},
	}
}

// A custom is a custom configuration, a legacy a set of old variables, each with what shows that it took effect.
type (
	custom struct {
		text     string
		attempts int
	}
	legacy struct {
		variables map[string]string
		attempts  int
	}
)

func legacies() []legacy {
	return []legacy{
		{map[string]string{
			"RETRY_MAX_ATTEMPTS": "3", "CIRCUIT_BREAKER_FAILURE_THRESHOLD": "5", "DEFAULT_RESILIENCE_STRATEGY": "balanced",
		}, 3},
		{map[string]string{
			"RETRY_MAX_ATTEMPTS": "5", "CIRCUIT_BREAKER_FAILURE_THRESHOLD": "10", "DEFAULT_RESILIENCE_STRATEGY": "conservative",
			"SUMMARIZE_RESILIENCE_STRATEGY": "conservative",
		}, 5},
	}
}

func wantAttempts(loaded config.Loaded, want int) error {
	if got := loaded.Trysail.Default.Retry.Attempts; got != want {
		return fmt.Errorf("it gives %d attempts, want %d", got, want)
	}
	return nil
}

func documents() []string {
	return []string{
		`{"retry_attempts": 3, "circuit_breaker_threshold": 5}`,
		`{"retry_attempts": 6, "circuit_breaker_threshold": 9, "operation_overrides": {"summarize": "critical"}}`,
		`{"retry_attempts": 10, "circuit_breaker_threshold": 15, "exponential_multiplier": 2.0}`,
	}
}

func presetLoading() (iteration, error) {
	manager := config.NewManager()
	return timed(func(n notes) error {
		for _, key := range presets() {
			p, err := manager.Get(key)
			if err != nil {
				return err
			}
			if p.Key != key {
				return fmt.Errorf("preset %q was asked for, got %q", key, p.Key)
			}
			n["preset_"+key+"_loaded"] = true
		}
		return nil
	}), nil
}

// loadPreset loads what RESILIENCE_PRESET says, as a program does at its start.
func loadPreset(key string) (config.Loaded, error) {
	loaded, err := config.Load(config.Variables(map[string]string{"RESILIENCE_PRESET": key}))
	if err == nil && loaded.Preset.Key != key {
		err = fmt.Errorf("RESILIENCE_PRESET=%s loaded the preset %q", key, loaded.Preset.Key)
	}
	return loaded, err
}

func settingsInit() (iteration, error) {
	return timed(func(n notes) error {
		for _, key := range presets() {
			if _, err := loadPreset(key); err != nil {
				return err
			}
			n["settings_"+key+"_initialized"] = true
		}
		return nil
	}), nil
}

func resilienceConfig() (iteration, error) {
	return timed(func(n notes) error {
		for _, key := range presets() {
			loaded, err := loadPreset(key)
			if err != nil {
				return err
			}
			for _, op := range operations() {
				r, err := loaded.Preset.Resolve(op, config.Said{Custom: loaded.Custom})
				if err != nil {
					return err
				}
				if r.Policy.Retry.Attempts < 1 {
					return fmt.Errorf("preset %s gives %s %d attempts", key, op, r.Policy.Retry.Attempts)
				}
			}
			n["config_"+key+"_loaded"] = len(loaded.Effective()) > 0
		}
		return nil
	}), nil
}

func serviceInitialization() (iteration, error) {
	return timed(func(n notes) error {
		for _, key := range presets() {
			loaded, err := loadPreset(key)
			if err != nil {
				return err
			}
			orc, err := trysail.New(loaded.Trysail)
			if err != nil {
				return err
			}
			for _, name := range operations() {
				op, err := orc.Register(name, trysail.OperationConfig{})
				if err != nil {
					return err
				}
				n["service_"+key+"_"+name+"_config"] = op.Policy().Retry.Attempts >= 1
			}
		}
		return nil
	}), nil
}

func customConfig() (iteration, error) {
	customs := customs()
	return timed(func(n notes) error {
		for i, c := range customs {
			loaded, err := config.Load(config.Variables(map[string]string{
				"RESILIENCE_PRESET": "simple", "RESILIENCE_CUSTOM_CONFIG": c.text,
			}))
			if err != nil {
				return err
			}
			if loaded.Refused != nil {
				return fmt.Errorf("custom configuration %d: %w", i, loaded.Refused)
			}
			if err := wantAttempts(loaded, c.attempts); err != nil {
				return fmt.Errorf("custom configuration %d: %w", i, err)
			}
			n["custom_config_"+strconv.Itoa(i)+"_loaded"] = true
		}
		return nil
	}), nil
}

func legacyConfig() (iteration, error) {
	sets := legacies()
	return timed(func(n notes) error {
		for i, set := range sets {
			loaded, err := config.Load(config.Variables(set.variables))
			if err != nil {
				return err
			}
			if !loaded.Legacy {
				return fmt.Errorf("set %d of old variables was not taken for one", i)
			}
			if err := wantAttempts(loaded, set.attempts); err != nil {
				return fmt.Errorf("set %d of old variables: %w", i, err)
			}
			prefix := "legacy_config_" + strconv.Itoa(i)
			n[prefix+"_loaded"], n[prefix+"_detected"] = true, loaded.Legacy
		}
		return nil
	}), nil
}

func validations() (iteration, error) {
	var texts [][]byte
	for _, text := range documents() {
		texts = append(texts, []byte(text))
	}
	return timed(func(n notes) error {
		for i, text := range texts {
			_, report := config.Validate(text, config.ValidateOptions{})
			prefix := "config_" + strconv.Itoa(i)
			n[prefix+"_valid"], n[prefix+"_errors"] = report.Valid(), len(report.Errors)
			if err := report.Err(); err != nil {
				return fmt.Errorf("configuration %d: %w", i, err)
			}
		}
		return nil
	}), nil
}
