package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/config"
)

func TestSchemaCommand(t *testing.T) {
	got := try{args: []string{"config", "schema"}}.run(t)
	if got.code != 0 || got.stdout != string(config.Schema()) || got.stderr != "" {
		t.Errorf("exit code %d, %d bytes, want 0 and the schema\n%s", got.code, len(got.stdout), got.stderr)
	}
	if !json.Valid([]byte(got.stdout)) {
		t.Errorf("it is no JSON:\n%s", got.stdout)
	}
}

func TestPresetCommands(t *testing.T) {
	answer, table := try{args: []string{"presets"}}.answer(t, 0)
	list, _ := answer.([]any)
	if len(list) != len(config.Presets()) {
		t.Fatalf("presets lists %v", answer)
	}
	for i, p := range config.Presets() {
		if at(t, answer, i, "preset_name") != p.Key || at(t, answer, i, "retry_attempts") != float64(p.RetryAttempts) ||
			at(t, answer, i, "recovery_timeout") != p.RecoveryTimeout.Seconds() || !strings.Contains(table, p.Key+" ") {
			t.Errorf("%v, want %v, and a row in\n%s", list[i], p, table)
		}
		one, shown := try{args: []string{"presets", "show", p.Key}}.answer(t, 0)
		if at(t, one, "circuit_breaker_threshold") != float64(p.CircuitBreakerThreshold) || !strings.Contains(shown, "default_strategy") {
			t.Errorf("presets show %s says %v", p.Key, one)
		}
	}
	bad := try{args: []string{"presets", "show", "prod"}}.run(t)
	if bad.code != 2 || !strings.Contains(bad.stderr, "Invalid preset 'prod'. Available: ['simple', 'development', 'production']") {
		t.Errorf("an unknown preset: exit code %d\n%s", bad.code, bad.stderr)
	}
}

func TestRecommendCommand(t *testing.T) {
	for name, tc := range map[string]struct {
		args   []string
		env    []string
		preset string
	}{
		"a name":             {[]string{"production-eu"}, nil, "production"},
		"a trap":             {[]string{"nonprod"}, nil, "simple"},
		"what is found here": {nil, []string{"ENVIRONMENT=production"}, "production"},
	} {
		t.Run(name, func(t *testing.T) {
			answer, table := try{args: append([]string{"presets", "recommend"}, tc.args...), env: tc.env}.answer(t, 0)
			confidence, ok := at(t, answer, "confidence").(float64)
			if at(t, answer, "recommended_preset") != tc.preset || !ok || confidence <= 0 || confidence > 1 || at(t, answer, "reasoning") == "" {
				t.Errorf("it says %v, want %s", answer, tc.preset)
			}
			if at(t, answer, "auto_detected") != (len(tc.args) == 0) || !strings.HasPrefix(table, tc.preset+"  (confidence ") {
				t.Errorf("it says %v and\n%s", answer, table)
			}
		})
	}
}

func TestTemplateCommands(t *testing.T) {
	answer, table := try{args: []string{"templates"}}.answer(t, 0)
	for i, template := range config.Templates() {
		if at(t, answer, i, "template_name") != template.Key || !strings.Contains(table, template.Key+" ") {
			t.Errorf("%v, want %s, and a row in\n%s", at(t, answer, i), template.Key, table)
		}
		shown := try{args: []string{"templates", "show", template.Key}}.run(t)
		if custom, report := config.Validate([]byte(shown.stdout), config.ValidateOptions{}); !report.Valid() || *custom.RetryAttempts != *template.Custom.RetryAttempts {
			t.Errorf("templates show %s prints\n%s", template.Key, shown.stdout)
		}
		line := try{args: []string{"templates", "show", template.Key, "--output", "env"}}.run(t)
		file, err := config.ParseEnvFile(".env", []byte(line.stdout))
		if err != nil {
			t.Fatal(err)
		}
		document, _ := file.Value("RESILIENCE_CUSTOM_CONFIG")
		if _, report := config.Validate([]byte(document), config.ValidateOptions{}); !report.Valid() {
			t.Errorf("the line of %s holds %q: %v", template.Key, document, report.Err())
		}
		suggested, _ := try{args: []string{"templates", "suggest", "-"}, stdin: shown.stdout}.answer(t, 0)
		if at(t, suggested, "suggested_template") != template.Key {
			t.Errorf("the numbers of %s suggest %v", template.Key, suggested)
		}
	}
	if bad := (try{args: []string{"templates", "show", "quick"}}).run(t); bad.code != 2 || !strings.Contains(bad.stderr, "Unknown template: quick") {
		t.Errorf("an unknown template: exit code %d\n%s", bad.code, bad.stderr)
	}
	if bad := (try{args: []string{"templates", "suggest", "-"}, stdin: `{"retry_attempts": 15}`}).run(t); bad.code != 1 || !strings.Contains(bad.stderr, "retry_attempts") {
		t.Errorf("a bad document: exit code %d\n%s", bad.code, bad.stderr)
	}
	far, _ := try{args: []string{"templates", "suggest", "-"}, stdin: `{"retry_attempts": 3, "circuit_breaker_threshold": 2, "default_strategy": "conservative"}`}.answer(t, 3)
	if at(t, far, "suggested_template") != nil {
		t.Errorf("numbers that no template is near to suggest %v", far)
	}
}

// NO_COLOR wins where there is a terminal; elsewhere there are no colours anyway.
func TestColours(t *testing.T) {
	for name, tc := range map[string]struct {
		page    page
		colours bool
	}{
		"a terminal": {page{colours: true}, true},
		"elsewhere":  {page{}, false},
	} {
		(&verdict{File: "x", Errors: []finding{{Message: "bad \x1b[31m text\nand more"}}}).show(&tc.page)
		text := tc.page.bytes()
		if bytes.Contains(text, []byte("\x1b[31minvalid")) != tc.colours || bytes.Contains(text, []byte("bad \x1b")) || bytes.Count(text, []byte("\n")) != 2 {
			t.Errorf("%s: it prints %q", name, text)
		}
	}
	var out bytes.Buffer
	if newPage(&program{stdout: &out, lookup: func(string) (string, bool) { return "", false }}).colours {
		t.Error("a buffer is taken for a terminal")
	}
}
