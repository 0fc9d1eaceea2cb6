package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

// presetsCmd holds the commands about presets.
type presetsCmd struct {
	List      presetListCmd      `cmd:"" default:"withargs" help:"List the presets."`
	Show      presetShowCmd      `cmd:"" help:"Show one preset with all its numbers."`
	Recommend presetRecommendCmd `cmd:"" help:"Recommend a preset for an environment, by its name or by what is found here."`
}

// presetView is a preset as programs read it; the fields are those of the internal API.
type presetView struct {
	Key                     string                      `json:"preset_name"`
	Name                    string                      `json:"name"`
	Description             string                      `json:"description"`
	RetryAttempts           int                         `json:"retry_attempts"`
	CircuitBreakerThreshold int                         `json:"circuit_breaker_threshold"`
	RecoveryTimeout         int                         `json:"recovery_timeout"` // seconds
	DefaultStrategy         trysail.Strategy            `json:"default_strategy"`
	OperationOverrides      map[string]trysail.Strategy `json:"operation_overrides"`
	EnvironmentContexts     []string                    `json:"environment_contexts"`
}

func viewOfPreset(p config.Preset) presetView {
	return presetView{
		Key: p.Key, Name: p.Name, Description: p.Description,
		RetryAttempts: p.RetryAttempts, CircuitBreakerThreshold: p.CircuitBreakerThreshold,
		RecoveryTimeout: int(p.RecoveryTimeout / time.Second), DefaultStrategy: p.DefaultStrategy,
		OperationOverrides: p.OperationOverrides, EnvironmentContexts: p.EnvironmentContexts,
	}
}

type presetListCmd struct{ output }

// Help is shown by "trysail presets --help".
func (presetListCmd) Help() string {
	return `Exit code: 0, or 1 if the answer cannot be written.`
}

// Run lists the presets.
func (c *presetListCmd) Run(p *program) error {
	views := make([]presetView, 0, len(config.Presets()))
	for _, preset := range config.Presets() {
		views = append(views, viewOfPreset(preset))
	}
	return c.print(p, views, func(s *page) {
		rows := make([][]string, len(views))
		for i, v := range views {
			rows[i] = []string{
				v.Key, strconv.Itoa(v.RetryAttempts), strconv.Itoa(v.CircuitBreakerThreshold), seconds(v.RecoveryTimeout),
				string(v.DefaultStrategy), strings.Join(v.EnvironmentContexts, ", "),
			}
		}
		s.table([]string{"PRESET", "ATTEMPTS", "OPENS AFTER", "RECOVERS IN", "STRATEGY", "FOR"}, rows)
	})
}

type presetShowCmd struct {
	Preset string `arg:"" help:"Its name, such as production."`
	output
}

// Help is shown by "trysail presets show --help".
func (presetShowCmd) Help() string {
	return `Exit code: 0, 1 if the answer cannot be written, 2 if there is no such preset.`
}

// Run shows one preset.
func (c *presetShowCmd) Run(p *program) error {
	preset, err := config.Find(c.Preset)
	if err != nil {
		return usageError{err}
	}
	v := viewOfPreset(preset)
	return c.print(p, v, func(s *page) {
		s.line("%s: %s", s.paint(bold, v.Key), v.Description)
		s.line("")
		s.table([]string{"SETTING", "VALUE"}, append([][]string{
			{"retry_attempts", strconv.Itoa(v.RetryAttempts)},
			{"circuit_breaker_threshold", strconv.Itoa(v.CircuitBreakerThreshold)},
			{"recovery_timeout", seconds(v.RecoveryTimeout)},
			{"default_strategy", string(v.DefaultStrategy)},
		}, overrideRows(v.OperationOverrides)...))
	})
}

// overrideRows are the rows of strategies that single operations have.
func overrideRows(overrides map[string]trysail.Strategy) [][]string {
	rows := make([][]string, 0, len(overrides))
	for operation, strategy := range overrides {
		rows = append(rows, []string{"operation_overrides." + operation, string(strategy)})
	}
	slices.SortFunc(rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	return rows
}

func seconds(n int) string { return fmt.Sprintf("%d s", n) }
