package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// The example of docs/how-to/fail-over.md.
const failOverFile = "../../../docs/how-to/fail-over.yaml"

// failOver returns it, with the variables that it needs.
func failOver(t *testing.T) (text string, variables []string) {
	t.Helper()
	content, err := os.ReadFile(failOverFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(content), []string{"OPENAI_API_KEY=hunter1", "AZURE_OPENAI_API_KEY=hunter2", "AZURE_OPENAI_API_KEY_2=hunter3", "ANTHROPIC_API_KEY=hunter4"}
}

// The page quotes the example as it is.
func TestFailOverPageHasTheExample(t *testing.T) {
	text, _ := failOver(t)
	page, err := os.ReadFile("../../../docs/how-to/fail-over.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(text, "preset: production\n")
	if !strings.Contains(string(page), strings.TrimSpace(example)) {
		t.Error("docs/how-to/fail-over.md does not show what is in fail-over.yaml")
	}
}

func TestValidateTargets(t *testing.T) {
	text, variables := failOver(t)
	run := func(text string, code int) outcome {
		t.Helper()
		got := try{args: []string{"config", "validate", "trysail.yaml"}, env: variables, files: map[string]string{"trysail.yaml": text}}.run(t)
		if got.code != code || strings.Contains(got.stdout+got.stderr, "hunter") {
			t.Errorf("exit code %d, want %d, and no secret:\n%s%s", got.code, code, got.stdout, got.stderr)
		}
		return got
	}
	if got := run(text, 0); !strings.Contains(got.stdout, "trysail.yaml: valid, 0 errors, 0 warnings") {
		t.Errorf("it says\n%s", got.stdout)
	}
	got := run(strings.Replace(text, "targets: [local, openai]", "targets: [locl, anthropic, openai]", 1), exitNo)
	for _, want := range []string{
		`line 37, column 17: error: gateway.routes[0].targets[0]: found the target "locl", which is not known, want openai, azure, local or anthropic`,
		`line 37, column 34: error: gateway.routes[0].targets[2]: found the target openai, which speaks openai, want one that speaks anthropic, as anthropic does`,
	} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("it lacks %q:\n%s", want, got.stdout)
		}
	}
	warned := run("gateway:\n  targets: {far: {protocol: openai, base_url: 'http://far.example/v1', api_key: '${OPENAI_API_KEY}'}, anthropic: {}}\n  routes: [{targets: [far]}, {targets: [anthropic]}, {targets: [far]}]\n", 0)
	for _, want := range []string{
		"line 2: warning: gateway.targets.far.base_url: the target far gets its key over http, which others on the way can read: want https",
		"line 3: warning: gateway.routes[2]: no request reaches it, because the route route-1 before it takes all of openai: want that one last",
	} {
		if !strings.Contains(warned.stdout, want) {
			t.Errorf("it lacks %q:\n%s", want, warned.stdout)
		}
	}
}

// Everything that is in force, with where it is from: a golden file.
func TestShowTargets(t *testing.T) {
	text, variables := failOver(t)
	r := try{args: []string{"config", "show", "--origin", "--config", "trysail.yaml"}, env: variables, files: map[string]string{"trysail.yaml": text}}
	_, table := r.answer(t, 0)
	var lines []string
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "gateway.") {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
	}
	if strings.Contains(table, "hunter") {
		t.Error("it shows a secret")
	}
	compareGolden(t, "config_show_targets", strings.Join(lines, "\n")+"\n")
}

// Targets of the environment are shown with their variables, also those that an env file sets.
func TestShowTargetsOfTheEnvironment(t *testing.T) {
	answer, _ := try{
		args: []string{"config", "show"}, env: []string{"ANTHROPIC_API_KEY=hunter1", "GOOGLE_API_KEY=hunter2"},
		files: map[string]string{".env": "\nANTHROPIC_BASE_URL=https://a.example\n"},
	}.answer(t, 0)
	got := valuesIn(t, answer)
	for name, want := range map[string]string{
		"gateway.targets.anthropic.protocol": "anthropic from default",
		"gateway.targets.anthropic.base_url": "https://a.example from variable ANTHROPIC_BASE_URL (.env:2)",
		"gateway.targets.anthropic.api_key":  "[secret] from variable ANTHROPIC_API_KEY",
		"gateway.targets.gemini.base_url":    "https://generativelanguage.googleapis.com from default",
		"gateway.targets.gemini.api_key":     "[secret] from variable GOOGLE_API_KEY",
		"gateway.targets.openai.base_url":    "",
		"gateway.targets.simulated.base_url": "",
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
	answer, _ = try{args: []string{"config", "show"}}.answer(t, 0)
	if got := valuesIn(t, answer); got["gateway.targets.simulated-gemini.base_url"] != "simulated from default" {
		t.Errorf("without anything: %q", got)
	}
	refused := try{args: []string{"config", "show"}, env: []string{"ANTHROPIC_BASE_URL=http://localhost:8000"}}.run(t)
	if refused.code != exitUsage || !strings.Contains(refused.stderr, "ANTHROPIC_BASE_URL: found \"http://localhost:8000\", which is this server itself") {
		t.Errorf("exit code %d\n%s", refused.code, refused.stderr)
	}
}

func TestDiffOfTargets(t *testing.T) {
	text, variables := failOver(t)
	changed := strings.NewReplacer("weight: 9", "weight: 1", "env: AZURE_OPENAI_API_KEY_2", "env: OPENAI_API_KEY", "region: swedencentral", "draining: true").Replace(text)
	answer, _ := try{
		args: []string{"config", "diff", "a.yaml", "b.yaml"}, env: variables, files: map[string]string{"a.yaml": text, "b.yaml": changed},
	}.answer(t, exitNo)
	want := []string{
		"gateway.targets.azure.draining: <nil> -> true",
		"gateway.routes.chat.targets: openai (priority 0, weight 9), azure (priority 0), local (priority 1) -> openai (priority 0), azure (priority 0), local (priority 1)",
		"gateway.targets.azure.region: swedencentral -> <nil>",
		"gateway.targets.azure.credentials[1]: [secret] -> [another secret]",
	}
	if got := changesIn(t, answer); !slices.Equal(got, want) {
		t.Errorf("changes are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
