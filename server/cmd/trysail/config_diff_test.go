package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// changesIn returns what an answer of config diff says, as "name: old -> new".
func changesIn(t *testing.T, answer any) []string {
	t.Helper()
	list, ok := at(t, answer, "changes").([]any)
	if !ok {
		t.Fatalf("changes is no list: %v", answer)
	}
	all := []string{}
	for _, c := range list {
		all = append(all, fmt.Sprintf("%v: %v -> %v", at(t, c, "name"), at(t, c, "old", "value"), at(t, c, "new", "value")))
	}
	return all
}

func TestDiff(t *testing.T) {
	files := map[string]string{
		"a.json": `{"retry_attempts": 4}`, "same.json": "{\n  \"retry_attempts\": 4\n}", "b.json": `{"retry_attempts": 5, "operation_overrides": {"qa": "critical"}}`,
		"a.yaml": "policy: {retry: {attempts: 4}}\n", "server.yaml": "custom: {retry_attempts: 4}\nserver: {addr: 'localhost:1', api_key: '${KEY}'}\n",
		"other.yaml": "custom: {retry_attempts: 4}\nserver: {addr: 'localhost:2', api_key: '${OTHER}'}\n",
	}
	secrets := []string{"KEY=hunter2", "OTHER=hunter3"}
	everyone := []any{"chat", "key_points", "qa", "questions", "sentiment", "summarize"}
	for name, tc := range map[string]struct {
		args       []string
		env        []string
		want       []string
		operations []any
	}{
		"a file and itself":                    {[]string{"a.json", "a.json"}, nil, nil, nil},
		"the same in other words":              {[]string{"a.json", "same.json"}, nil, nil, nil},
		"a file of another kind, the same":     {[]string{"a.json", "a.yaml"}, nil, nil, nil},
		"two custom configurations":            {[]string{"a.json", "b.json"}, nil, []string{"retry_attempts: 4 -> 5", "operations.qa.strategy: <nil> -> critical"}, everyone},
		"the environment does not count":       {[]string{"a.json", "same.json"}, []string{"RESILIENCE_PRESET=production"}, nil, nil},
		"on a preset":                          {[]string{"a.json", "same.json", "--preset", "production"}, nil, nil, nil},
		"settings of the server, secrets":      {[]string{"server.yaml", "other.yaml"}, secrets, []string{"server.addr: localhost:1 -> localhost:2", "server.api_key: [secret] -> [another secret]"}, nil},
		"what is in force":                     {[]string{"a.json"}, nil, []string{"retry_attempts: 3 -> 4"}, everyone},
		"in force already":                     {[]string{"a.json"}, []string{`RESILIENCE_CUSTOM_CONFIG={"retry_attempts": 4}`}, nil, nil},
		"in force but for the server":          {[]string{"server.yaml"}, append(secrets, `RESILIENCE_CUSTOM_CONFIG={"retry_attempts": 4}`, "API_KEY=hunter2"), []string{"server.addr: 127.0.0.1:8000 -> localhost:1"}, nil},
		"a configuration file in place of one": {[]string{"other.yaml"}, append(secrets, "TRYSAIL_CONFIG=a.yaml"), []string{"server.addr: 127.0.0.1:8000 -> localhost:2", "server.api_key: none -> [secret]"}, nil},
		"a flag goes before the file":          {[]string{"other.yaml", "--addr", "localhost:2"}, append(secrets, "TRYSAIL_CONFIG=server.yaml"), []string{"server.api_key: [secret] -> [another secret]"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			code := 0
			if tc.want != nil {
				code = exitNo
			}
			answer, table := try{args: append([]string{"config", "diff"}, tc.args...), env: tc.env, files: files}.answer(t, code)
			if got := changesIn(t, answer); !slices.Equal(got, tc.want) {
				t.Errorf("changes are %q, want %q", got, tc.want)
			}
			operations, _ := at(t, answer, "operations").([]any)
			if !slices.Equal(operations, tc.operations) {
				t.Errorf("operations are %v, want %v", operations, tc.operations)
			}
			if at(t, answer, "differ") != (code == exitNo) || strings.Contains(table, "no difference") != (code == 0) || strings.Contains(table, "hunter") {
				t.Errorf("exit code %d, %v, and the table is\n%s", code, answer, table)
			}
		})
	}
}

// One file against what is in force: its numbers are its own, not those of the variable that it stands for.
func TestDiffSaysWhereTheFileSaysIt(t *testing.T) {
	files := map[string]string{
		"new.json":  "{\n  \"retry_attempts\": 4,\n  \"operation_overrides\": {\n    \"qa\": \"critical\"\n  }\n}\n",
		"tabs.json": "{\n\t\"retry_attempts\": 4}",
	}
	env := []string{`RESILIENCE_CUSTOM_CONFIG={"retry_attempts": 5, "recovery_timeout": 70}`}
	for name, tc := range map[string]struct {
		file string
		want map[string]string
	}{
		"with lines": {"new.json", map[string]string{
			"retry_attempts": "file new.json:2", "operations.qa.strategy": "file new.json:4", "recovery_timeout": "preset simple",
		}},
		"indented by tabs": {"tabs.json", map[string]string{"retry_attempts": "file tabs.json:2", "recovery_timeout": "preset simple"}},
	} {
		t.Run(name, func(t *testing.T) {
			answer, table := try{args: []string{"config", "diff", tc.file}, env: env, files: files}.answer(t, exitNo)
			got := map[string]string{}
			changes, _ := at(t, answer, "changes").([]any)
			for _, c := range changes {
				got[fmt.Sprint(at(t, c, "name"))] = fmt.Sprintf("%v %v", at(t, c, "new", "source"), at(t, c, "new", "detail"))
				if old := at(t, c, "old"); old != nil && at(t, c, "old", "source") == "file" {
					t.Errorf("the old value of %v is from a file: %v", at(t, c, "name"), old)
				}
			}
			if !maps.Equal(got, tc.want) {
				t.Errorf("new values are from %v, want %v", got, tc.want)
			}
			if strings.Contains(table, customVariable) {
				t.Errorf("the table names the variable that the file stands for:\n%s", table)
			}
		})
	}
}

func TestDiffOfWhatIsNoGood(t *testing.T) {
	files := map[string]string{"good.json": `{"retry_attempts": 4}`, "bad.json": `{"retry_attempts": 15}`, "bad.yaml": "polizy: {}\n", "never.yaml": "policy: {retry: {min_delay: 50s}}\n"}
	for name, tc := range map[string]struct {
		args []string
		env  []string
		code int
		want []string
	}{
		"both":                     {[]string{"bad.json", "bad.yaml"}, nil, 1, []string{"bad.json: Field 'retry_attempts' value 15 above maximum 10: retry_attempts must be between 1 and 10", "bad.yaml:1:1: polizy"}},
		"one, against here":        {[]string{"bad.json"}, nil, 1, []string{"bad.json: ", "retry_attempts must be between 1 and 10"}},
		"a file, against here":     {[]string{"bad.yaml"}, nil, 1, []string{"bad.yaml:1:1: polizy"}},
		"what does not fit":        {[]string{"never.yaml", "good.json"}, nil, 1, []string{"never.yaml:1:18: policy.retry.min_delay"}},
		"what is in force":         {[]string{"good.json"}, []string{"RESILIENCE_PRESET=prod"}, 2, []string{"Invalid preset 'prod'"}},
		"an unknown preset":        {[]string{"good.json", "bad.json", "--preset", "prod"}, nil, 2, []string{"Invalid preset 'prod'"}},
		"two standard inputs":      {[]string{"-", "-"}, nil, 2, []string{"both are -"}},
		"a file that is not there": {[]string{"good.json", "missing.yaml"}, nil, 1, []string{"missing.yaml: no such file"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := try{args: append([]string{"config", "diff"}, tc.args...), env: tc.env, files: files}.run(t)
			if got.code != tc.code || got.stdout != "" {
				t.Errorf("exit code %d, want %d, and no answer\n%s", got.code, tc.code, got.stdout)
			}
			for _, want := range tc.want {
				if !strings.Contains(got.stderr, want) {
					t.Errorf("it does not say %q:\n%s", want, got.stderr)
				}
			}
		})
	}
}
