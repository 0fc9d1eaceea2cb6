package config_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

// The specification's words, and the table of contract 3.2.
func TestStrategies(t *testing.T) {
	const s = time.Second
	numbers := func(attempts int, budget, base, least, most, jitter time.Duration, threshold int, recovery time.Duration) trysail.Policy {
		return trysail.Policy{
			Retry:   trysail.RetryPolicy{Attempts: attempts, DelayBudget: budget, Base: base, MinDelay: least, MaxDelay: most, Jitter: jitter},
			Breaker: trysail.BreakerPolicy{FailureThreshold: threshold, RecoveryTimeout: recovery, HalfOpenMaxCalls: 1},
		}
	}
	want := []config.StrategyInfo{
		{
			"aggressive", "Fast failures, minimal delays, quick recovery", "Development, testing, fast feedback loops",
			[]string{"Low latency", "Quick failure detection", "Minimal retry delays"},
			numbers(2, 10*s, s/2, s, 5*s, 2*s, 3, 30*s),
		},
		{
			"balanced", "Moderate approach balancing speed and reliability", "General production use, default choice",
			[]string{"Balanced performance", "Good for most scenarios", "Reasonable fault tolerance"},
			numbers(3, 30*s, s, 2*s, 10*s, 2*s, 5, 60*s),
		},
		{
			"conservative", "Higher reliability with longer delays and more retries", "Critical operations, high reliability requirements",
			[]string{"Maximum fault tolerance", "Higher latency tolerance", "Comprehensive retry coverage"},
			numbers(5, 120*s, 2*s, 4*s, 30*s, 2*s, 8, 120*s),
		},
		{
			"critical", "Maximum resilience for mission-critical operations", "Business-critical operations, maximum uptime required",
			[]string{"Highest reliability", "Extensive retry attempts", "Long recovery timeouts"},
			numbers(7, 300*s, 3*s/2, 3*s, 60*s, 5*s, 10, 300*s),
		},
	}
	got := config.Strategies()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("Strategies() = %+v\nwant           %+v", got, want)
	}
	for _, info := range want {
		if got, err := config.StrategyByName(string(info.Strategy)); err != nil || fmt.Sprint(got) != fmt.Sprint(info) {
			t.Errorf("StrategyByName(%s) = %+v, %v", info.Strategy, got, err)
		}
	}
	if _, err := config.StrategyByName("Critical"); err == nil || err.Error() != `unknown strategy "Critical", want one of [aggressive balanced conservative critical]` {
		t.Errorf("StrategyByName(Critical) = %v", err)
	}
}

func overrides(operation string, s trysail.Strategy) map[string]trysail.Strategy {
	return map[string]trysail.Strategy{operation: s}
}

// The steps of contract 2.10, each with all weaker ones said, too.
func TestResolve(t *testing.T) {
	all := config.Said{
		Code:       trysail.Critical,
		Custom:     config.Custom{DefaultStrategy: new(trysail.Balanced), OperationOverrides: overrides("qa", trysail.Aggressive)},
		Legacy:     config.Custom{DefaultStrategy: new(trysail.Critical), OperationOverrides: overrides("answer_question", trysail.Balanced)},
		Registered: trysail.Aggressive,
	}
	const own = 3 // attempts of the operator
	all.Custom.RetryAttempts, all.Legacy.RetryAttempts, all.Legacy.CircuitBreakerThreshold = new(own), new(9), new(17)
	without := func(parts ...string) config.Said {
		said := all
		for _, part := range parts {
			switch part {
			case "code":
				said.Code = ""
			case "custom":
				said.Custom = config.Custom{}
			case "custom override":
				said.Custom.OperationOverrides = nil
			case "legacy":
				said.Legacy = config.Custom{}
			case "legacy override":
				said.Legacy.OperationOverrides = nil
			case "registration":
				said.Registered = ""
			}
		}
		return said
	}
	for name, tc := range map[string]struct {
		preset, operation string
		said              config.Said
		want              trysail.Strategy
		by                config.By
		attempts          int
	}{
		"code goes first":                 {"production", "qa", all, trysail.Critical, config.ByCode, 7},
		"then the operator":               {"production", "qa", without("code"), trysail.Aggressive, config.ByCustom, 2},
		"under the other name, too":       {"production", "answer_question", without("code"), trysail.Aggressive, config.ByCustom, 2},
		"then the variables of old":       {"production", "qa", without("code", "custom override"), trysail.Balanced, config.ByLegacy, own},
		"then the preset":                 {"production", "qa", without("code", "custom", "legacy"), trysail.Critical, config.ByPreset, 7},
		"then the program":                {"production", "chat", without("code"), trysail.Aggressive, config.ByRegistration, 2},
		"then the operator's default":     {"production", "chat", without("code", "registration"), trysail.Balanced, config.ByDefault, own},
		"then the old default":            {"production", "chat", without("code", "registration", "custom"), trysail.Critical, config.ByDefault, 9},
		"then the preset's default":       {"production", "chat", config.Said{}, trysail.Conservative, config.ByDefault, 5},
		"names are case-sensitive":        {"production", "QA", config.Said{}, trysail.Conservative, config.ByDefault, 5},
		"an operation named as strategy":  {"simple", "critical", config.Said{}, trysail.Balanced, config.ByDefault, 3},
		"default strategy, own numbers":   {"simple", "qa", config.Said{Code: trysail.Balanced}, trysail.Balanced, config.ByCode, 3},
		"other strategy, its own numbers": {"simple", "qa", config.Said{Code: trysail.Conservative}, trysail.Conservative, config.ByCode, 5},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := config.NewManager().Resolve(tc.preset, tc.operation, tc.said)
			if err != nil || got.Strategy != tc.want || got.By != tc.by || got.Policy.Retry.Attempts != tc.attempts {
				t.Errorf("Resolve(%s, %s) = %s by %s with %d attempts, %v; want %s, %s, %d",
					tc.preset, tc.operation, got.Strategy, got.By, got.Policy.Retry.Attempts, err, tc.want, tc.by, tc.attempts)
			}
		})
	}
}

// Nobody says anything: the fourth step.
func TestResolveOfNothing(t *testing.T) {
	got, err := config.Preset{}.Resolve("qa", config.Said{})
	if err != nil || got.Strategy != trysail.Balanced || got.By != config.ByDefault {
		t.Errorf("Resolve on no preset = %s by %s, %v, want balanced by default", got.Strategy, got.By, err)
	}
}

func TestResolveRefuses(t *testing.T) {
	const words = `want one of [aggressive balanced conservative critical]`
	m := config.NewManager()
	for name, tc := range map[string]struct {
		preset string
		said   config.Said
		want   string
	}{
		"an unknown preset":      {"prod", config.Said{}, "Invalid preset 'prod'. Available: ['simple', 'development', 'production']"},
		"an unknown strategy":    {"simple", config.Said{Code: "bold"}, `operation 'qa': unknown strategy "bold", ` + words},
		"one that is overruled":  {"production", config.Said{Registered: "bold"}, `operation 'qa': unknown strategy "bold", ` + words},
		"an unknown default":     {"production", config.Said{Custom: config.Custom{DefaultStrategy: new(trysail.Strategy("bold"))}}, `operation 'qa': unknown strategy "bold", ` + words},
		"an unknown override":    {"simple", config.Said{Custom: config.Custom{OperationOverrides: overrides("qa", "bold")}}, `operation 'qa': unknown strategy "bold", ` + words},
		"an unknown old default": {"simple", config.Said{Legacy: config.Custom{DefaultStrategy: new(trysail.Strategy(""))}}, `operation 'qa': unknown strategy "", ` + words},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := m.Resolve(tc.preset, "qa", tc.said); err == nil || err.Error() != tc.want {
				t.Errorf("Resolve = %v, want %s", err, tc.want)
			}
		})
	}
}

// What Resolve says is what the engine does.
func TestResolveAgreesWithTheEngine(t *testing.T) {
	choices := append([]trysail.Strategy{""}, trysail.Strategies()...)
	for _, preset := range config.Presets() {
		for _, operation := range []string{"qa", "answer_question", "sentiment", "chat"} {
			for i := range len(choices) * len(choices) * len(choices) {
				override, registered, fallback := choices[i%5], choices[i/5%5], choices[i/25]
				said := config.Said{Registered: registered, Custom: config.Custom{RetryAttempts: new(4)}}
				if override != "" {
					said.Custom.OperationOverrides = overrides("qa", override)
				}
				if fallback != "" {
					said.Custom.DefaultStrategy = new(fallback)
				}
				checkAgainstEngine(t, preset, operation, said)
			}
		}
	}
}

func checkAgainstEngine(t *testing.T, preset config.Preset, operation string, said config.Said) {
	t.Helper()
	orc, err := trysail.New(preset.With(said.Custom))
	if err != nil {
		t.Fatal(err)
	}
	op, err := orc.Register(operation, trysail.OperationConfig{Strategy: said.Registered})
	if err != nil {
		t.Fatal(err)
	}
	got, err := preset.Resolve(operation, said)
	if err != nil {
		t.Fatal(err)
	}
	policy := op.Policy()
	policy.Breaker.ProbeTimeout, policy.Breaker.Enforce = got.Policy.Breaker.ProbeTimeout, got.Policy.Breaker.Enforce // defaults of the engine
	if got.Strategy != op.Strategy() || got.Policy.Retry != policy.Retry || got.Policy.Breaker != policy.Breaker {
		t.Errorf("Resolve(%s) on %s = %s %+v, the engine does %s %+v", operation, preset.Key, got.Strategy, got.Policy, op.Strategy(), policy)
	}
}

func ExampleStrategies() {
	for _, s := range config.Strategies() {
		fmt.Println(s.Strategy, s.Policy.Retry.Attempts, slices.Min(s.Characteristics))
	}
	// Output:
	// aggressive 2 Low latency
	// balanced 3 Balanced performance
	// conservative 5 Comprehensive retry coverage
	// critical 7 Extensive retry attempts
}

func ExampleManager_Resolve() {
	got, err := config.NewManager().Resolve("production", "answer_question", config.Said{})
	fmt.Println(got.Strategy, got.By, err)
	// Output: critical preset <nil>
}
