package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestTableIsGolden(t *testing.T) {
	for _, input := range []string{"typical", "odd"} {
		for _, format := range []string{"text", "markdown"} {
			t.Run(input+"/"+format, func(t *testing.T) {
				in, err := os.ReadFile(filepath.Join("testdata", input+".txt"))
				if err != nil {
					t.Fatal(err)
				}
				var out bytes.Buffer
				if err := run([]string{"-format", format}, bytes.NewReader(in), &out, io.Discard); err != nil {
					t.Fatal(err)
				}
				golden(t, input+"."+format+".golden", out.Bytes())
			})
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("output differs from %s; got:\n%s\nwant:\n%s", file, got, want)
	}
}

func TestRunWritesFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "results.txt")
	var out bytes.Buffer
	if err := run([]string{"-o", file}, strings.NewReader("BenchmarkX/trysail 1 5 ns/op"), &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(got), "X, 1 processor") || out.Len() > 0 {
		t.Errorf("file holds %q and the output %q, want the table in the file only", got, out.String())
	}
}

func TestRunKeepsFileWhenTheRunFailed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "results.txt")
	if err := os.WriteFile(file, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"-o", file}, strings.NewReader("BenchmarkX/trysail 1 5 ns/op\nFAIL"), io.Discard, io.Discard); err == nil {
		t.Fatal("run = nil, want an error")
	}
	if got, err := os.ReadFile(file); string(got) != "old" || err != nil {
		t.Errorf("file holds %q, %v, want it unchanged", got, err)
	}
}

func TestRunRefuses(t *testing.T) {
	const good = "BenchmarkX/trysail-2 100 5 ns/op\n"
	for name, tc := range map[string]struct {
		args  []string
		stdin string
		want  string // part of the error
	}{
		"empty input":          {nil, "", "no benchmark in the input"},
		"tests only":           {nil, "PASS\nok  \tx\t0.1s\n", "no benchmark in the input"},
		"names only":           {nil, "BenchmarkX\nBenchmarkX/trysail\n", "no benchmark in the input"},
		"unknown goals":        {[]string{"-goals", "all"}, good, `-goals is "all", want library or gateway`},
		"unknown format":       {[]string{"-format", "html"}, good, `-format is "html", want text or markdown`},
		"unknown flag":         {[]string{"-count", "6"}, good, "flag provided but not defined: -count"},
		"a file as argument":   {[]string{"results.txt"}, good, `unwanted argument "results.txt"`},
		"no folder for output": {[]string{"-o", "testdata/none/x"}, good, "testdata/none/x"},

		"failed package":             {nil, good + "FAIL\tgithub.com/x\t1.2s\n", "line 2: the run failed:\nFAIL\tgithub.com/x"},
		"failed build":               {nil, "FAIL\tx [build failed]\n" + good, "line 1: the run failed"},
		"failed benchmark, reason":   {nil, good + "--- FAIL: BenchmarkX/y\n    x_test.go:3: sum: 1, want 2\n", "line 2: the run failed:\n--- FAIL: BenchmarkX/y\n    x_test.go:3: sum: 1, want 2"},
		"failure behind the name":    {nil, "BenchmarkX/y-2  \t--- FAIL: BenchmarkX/y-2\n" + good, "line 1: the run failed"},
		"panic behind the name":      {nil, "BenchmarkX/y-2  \tpanic: boom\n" + good, "line 1: the run failed"},
		"panic on a line of its own": {nil, good + "panic: boom\n\ngoroutine 1 [running]:\n", "line 2: the run failed:\npanic: boom\n\ngoroutine 1"},
		"runtime error":              {nil, good + "fatal error: all goroutines are asleep\n", "line 2: the run failed"},

		"result without value":  {nil, good + "BenchmarkX/y-2 100\n", "line 2: damaged result"},
		"result without unit":   {nil, good + "BenchmarkX/y-2 100 5\n", "line 2: damaged result"},
		"log in the result":     {nil, good + "BenchmarkX/y-2  hello to you\n", "line 2: count is hello"},
		"no iterations":         {nil, "BenchmarkX/y-2 0 5 ns/op\n", "line 1: count is 0, want a number of at least 1"},
		"value that is no fact": {nil, "BenchmarkX/y-2 1 NaN ns/op\n", "line 1: value is NaN, want a finite number"},
		"value without end":     {nil, "BenchmarkX/y-2 1 +Inf ns/op\n", "line 1: value is +Inf, want a finite number"},
		"value too large":       {nil, "BenchmarkX/y-2 1 1e999 ns/op\n", "line 1: value is 1e999"},
		"unit twice":            {nil, "BenchmarkX/y-2 1 5 ns/op 6 ns/op\n", "line 1: unit ns/op appears twice"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := run(tc.args, strings.NewReader(tc.stdin), &out, io.Discard)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("run = %v, want an error with %q", err, tc.want)
			}
			if out.Len() > 0 {
				t.Errorf("output is %q, want none", out.String())
			}
		})
	}
}
