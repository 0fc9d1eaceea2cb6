package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// An outcome is what a command left behind.
type outcome struct {
	code           int
	stdout, stderr string
}

// A try is a command line to try out.
type try struct {
	args  []string
	env   []string
	stdin string
	files map[string]string // in the working directory
}

// run runs the program with the standard output in a pipe.
func (r try) run(t *testing.T) outcome {
	t.Helper()
	cmd := command(t, r.args, r.env...)
	for name, text := range r.files {
		write(t, filepath.Join(cmd.Dir, name), text)
	}
	cmd.Stdin = strings.NewReader(r.stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	return outcome{exitCode(t, cmd.Run()), stdout.String(), stderr.String()}
}

func exitCode(t *testing.T, err error) int {
	t.Helper()
	if err == nil {
		return 0
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		t.Fatal(err)
	}
	return exit.ExitCode()
}

// answer runs the command once for each format and returns the answer as JSON has it. YAML must say the same, and
// the tables hold no colours, since they do not go to a terminal.
func (r try) answer(t *testing.T, code int) (answer any, table string) {
	t.Helper()
	as := func(format string) outcome {
		t.Helper()
		with := r
		with.args = append(r.args[:len(r.args):len(r.args)], "--output", format)
		got := with.run(t)
		if got.code != code {
			t.Fatalf("%q: exit code %d, want %d\n%s%s", with.args, got.code, code, got.stdout, got.stderr)
		}
		return got
	}
	var fromYAML any
	text := as("json").stdout
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatalf("%q: %v\n%s", r.args, err, text)
	}
	if again := as("json").stdout; again != text {
		t.Errorf("%q: two runs say\n%s%s", r.args, text, again)
	}
	said := as("yaml").stdout
	if err := yaml.Unmarshal([]byte(said), &fromYAML); err != nil {
		t.Fatalf("%q: %v\n%s", r.args, err, said)
	}
	if diff := cmp.Diff(answer, plainNumbers(fromYAML)); diff != "" {
		t.Errorf("%q: YAML says other than JSON:\n%s", r.args, diff)
	}
	table = as("table").stdout
	if strings.Contains(table, "\x1b") || table == "" {
		t.Errorf("%q: the table is empty, or has colours, in a pipe:\n%q", r.args, table)
	}
	return answer, table
}

// plainNumbers turns whole numbers into what JSON makes of them.
func plainNumbers(v any) any {
	switch v := v.(type) {
	case int:
		return float64(v)
	case []any:
		for i := range v {
			v[i] = plainNumbers(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = plainNumbers(v[key])
		}
	}
	return v
}

// at finds a value in an answer: names of fields and indexes of lists.
func at(t *testing.T, v any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch step := step.(type) {
		case string:
			object, _ := v.(map[string]any)
			v = object[step]
		case int:
			list, _ := v.([]any)
			if step >= len(list) {
				t.Fatalf("%v: there are %d elements", path, len(list))
			}
			v = list[step]
		}
	}
	return v
}

// takesFiles are the commands that read a file whose name they are given. Each is given twice where two are compared.
func takesFiles() map[string][]string {
	return map[string][]string{
		"config validate":             {"config", "validate"},
		"config validate --as file":   {"config", "validate", "--as", "file"},
		"templates suggest":           {"templates", "suggest"},
		"config diff":                 {"config", "diff"},
		"config diff --as file":       {"config", "diff", "--as", "file"},
		"config diff with another":    {"config", "diff", "other.json"},
		"config migrate":              {"config", "migrate"},
		"config migrate --as compose": {"config", "migrate", "--as", "compose"},
	}
}

// What is no document gets an error, whatever it is, and never a stack.
func TestInputThatIsNone(t *testing.T) {
	garbage := strings.Repeat("\x00\xff\x1b[31m{", 1000)
	huge := `{"retry_attempts": 3, "x": "` + strings.Repeat("x", 5<<20) + `"}`
	for name, args := range takesFiles() {
		for what, tc := range map[string]struct {
			file  string
			stdin string
			codes []int
			want  string
		}{
			"a missing file":     {"missing", "", []int{1}, "no such file or directory"},
			"a directory":        {".", "", []int{1}, "it is a directory, want a file"},
			"binary garbage":     {"garbage", "", []int{1, 3}, ""},
			"a huge file":        {"huge", "", []int{1, 3}, "more than"},
			"garbage from stdin": {"-", garbage, []int{1, 3}, "standard input"},
			"huge stdin":         {"-", huge, []int{1, 3}, "more than"},
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				got := try{
					args: append(args[:len(args):len(args)], tc.file), stdin: tc.stdin,
					files: map[string]string{"garbage": garbage, "huge": huge, "other.json": "{}"},
				}.run(t)
				said := got.stdout + got.stderr
				if !strings.Contains(said, tc.want) || got.code != tc.codes[0] && got.code != tc.codes[len(tc.codes)-1] {
					t.Errorf("exit code %d, want one of %v, with %q in\n%s", got.code, tc.codes, tc.want, said)
				}
				if strings.Contains(said, "goroutine") || strings.ContainsAny(said, "\x00\x1b") || len(said) > 20_000 {
					t.Errorf("it prints a stack, control characters or too much:\n%.2000q", said)
				}
			})
		}
	}
}

// answering are command lines whose answers go to the standard output.
func answering() [][]string {
	return [][]string{
		{"config", "schema"},
		{"api"},
		{"config", "validate", "-"},
		{"config", "show"},
		{"config", "diff", "-"},
		{"config", "migrate"},
		{"presets"},
		{"presets", "show", "production"},
		{"presets", "recommend", "staging"},
		{"templates"},
		{"templates", "show", "low_latency"},
		{"templates", "suggest", "-"},
	}
}

// A full disk, or a reader that has gone, is not a success.
func TestOutputThatCannotBeWritten(t *testing.T) {
	for _, args := range answering() {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer full.Close()
			cmd := command(t, args)
			cmd.Stdin = strings.NewReader(`{"retry_attempts": 3, "circuit_breaker_threshold": 5}`)
			var stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = full, &stderr
			if code := exitCode(t, cmd.Run()); code != 1 || !strings.Contains(stderr.String(), "write the output: ") {
				t.Errorf("a full disk: exit code %d, want 1 and a word about the output:\n%s", code, &stderr)
			}

			reader, writer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			_ = reader.Close()
			defer writer.Close()
			cmd = command(t, args)
			cmd.Stdin = strings.NewReader(`{"retry_attempts": 3, "circuit_breaker_threshold": 5}`)
			cmd.Stdout = writer
			if err := cmd.Run(); err == nil {
				t.Error("nobody reads the pipe, and it ends with exit code 0")
			}
		})
	}
}
