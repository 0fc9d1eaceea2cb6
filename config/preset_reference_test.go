package config_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

func TestPresetsPage(t *testing.T) {
	keepFresh(t, "../docs/reference/presets.md", presetTable()+strategyTable()+templateTable(t)+recommendationTable()+detectionTable())
}

func presetTable() string {
	rows := map[string][]string{}
	for _, p := range config.Presets() {
		add := func(what, value string) { rows[what] = append(rows[what], value) }
		add("for people", p.Name+": "+p.Description)
		add("default strategy", string(p.DefaultStrategy))
		add("strategies of operations", overridesText(p.OperationOverrides))
		add("environments", strings.Join(p.EnvironmentContexts, ", "))
		policyRows(add, p.Config().Default)
	}
	return "\n## Presets\n" + table([]string{"simple", "development", "production"}, rows,
		append([]string{"for people", "default strategy", "strategies of operations", "environments"}, policyNames...))
}

func strategyTable() string {
	rows := map[string][]string{}
	var names []string
	for _, s := range config.Strategies() {
		add := func(what, value string) { rows[what] = append(rows[what], value) }
		names = append(names, string(s.Strategy))
		add("what it is", s.Description)
		add("for", s.UseCase)
		add("what to expect", strings.Join(s.Characteristics, ", "))
		policyRows(add, s.Policy)
	}
	return "\n## Strategies\n" + table(names, rows, append([]string{"what it is", "for", "what to expect"}, policyNames...))
}

var policyNames = []string{
	"attempts", "budget for waits", "first wait, doubling", "least and longest wait", "jitter on top", "failures that open the breaker", "recovery timeout",
}

func policyRows(add func(what, value string), p trysail.Policy) {
	add("attempts", fmt.Sprint(p.Retry.Attempts))
	add("budget for waits", fmt.Sprint(p.Retry.DelayBudget))
	add("first wait, doubling", fmt.Sprint(p.Retry.Base))
	add("least and longest wait", fmt.Sprintf("%v, %v", p.Retry.MinDelay, p.Retry.MaxDelay))
	add("jitter on top", fmt.Sprintf("up to %v", p.Retry.Jitter))
	add("failures that open the breaker", fmt.Sprint(p.Breaker.FailureThreshold))
	add("recovery timeout", fmt.Sprint(p.Breaker.RecoveryTimeout))
}

func templateTable(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("\n## Templates\n\n| key | name | for | numbers |\n|---|---|---|---|\n")
	for _, tmpl := range config.Templates() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | `%s` |\n", tmpl.Key, tmpl.Name, tmpl.Description, text(t, tmpl.Custom))
	}
	return b.String()
}

func recommendationTable() string {
	var b strings.Builder
	b.WriteString("\n## Recommendation by name\n\n| environment | preset | confidence | reasoning |\n|---|---|---|---|\n")
	for _, name := range []string{
		"development", "dev", "testing", "test", "staging", "stage", "production", "prod", "live",
		"preprod-testing", "integration-tests", "uat-2", "sandbox-testing", "devbox", "stable-main", "prod-eu", "nonprod", "device", "domain",
	} {
		r := config.Recommend(name)
		fmt.Fprintf(&b, "| `%s` | %s | %.2f | %s |\n", name, r.Preset, r.Confidence, r.Reasoning)
	}
	return b.String()
}

func detectionTable() string {
	var b strings.Builder
	b.WriteString("\n## Recommendation by detection\n\n| what there is | environment | preset | confidence |\n|---|---|---|---|\n")
	for _, things := range [][]string{
		{"ENVIRONMENT=production"},
		{"ENVIRONMENT=production", "NODE_ENV=production"},
		{"ENVIRONMENT=production", "NODE_ENV=development"},
		{"ENVIRONMENT=production", ".env", ".git"},
		{"ENVIRONMENT=staging", "DEBUG=false"},
		{"NODE_ENV=production"},
		{"ENVIRONMENT=prod-eu"},
		{"ENVIRONMENT=qa"},
		{"DEBUG=true"},
		{"DEBUG=false"},
		{"DEBUG=false", "PRODUCTION=true"},
		{".env", ".git"},
		{"HOSTNAME=prod-web-1"},
		{"HOSTNAME=dev-box"},
	} {
		r := config.Detect(around(things...))
		fmt.Fprintf(&b, "| `%s` | %s | %s | %v |\n", strings.Join(things, "`, `"), r.Environment, r.Preset, r.Confidence)
	}
	return b.String()
}

func table(columns []string, rows map[string][]string, order []string) string {
	var b strings.Builder
	b.WriteString("\n| | " + strings.Join(columns, " | ") + " |\n|" + strings.Repeat("---|", len(columns)+1) + "\n")
	for _, what := range order {
		b.WriteString("| " + what + " | " + strings.Join(rows[what], " | ") + " |\n")
	}
	return b.String()
}

func overridesText(overrides map[string]trysail.Strategy) string {
	if len(overrides) == 0 {
		return "none"
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(overrides)) {
		all = append(all, fmt.Sprintf("`%s` %s", name, overrides[name]))
	}
	return strings.Join(all, ", ")
}

// The how-to shows code that is run: it stands in ExampleManager_Register.
func TestOwnPresetPage(t *testing.T) {
	file, err := os.ReadFile("../docs/how-to/own-preset.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, begins := strings.Cut(string(file), "```go\n")
	code, _, ends := strings.Cut(rest, "```\n")
	if !begins || !ends || code == "" {
		t.Fatal("the how-to has no Go code")
	}
	source, err := os.ReadFile("manager_test.go")
	if err != nil {
		t.Fatal(err)
	}
	unindented := strings.ReplaceAll(string(source), "\n\t", "\n")
	if !strings.Contains(unindented, code) {
		t.Errorf("ExampleManager_Register does not have the code of the how-to:\n%s", code)
	}
}
