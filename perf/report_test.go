package perf_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/perf"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestReport(t *testing.T) {
	got := fixedSuite().Report()
	const file = "testdata/report.txt"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("Report() = %s\nwant %s; go test ./perf -run TestReport -update writes it", got, want)
	}
}

// TestReportOfRun holds what a real run's report must contain.
func TestReportOfRun(t *testing.T) {
	s := mustRun(t, perf.NewRunner(perf.RunnerConfig{}), perf.Options{Iterations: 1, IncludeSlow: true})
	text := s.Report()
	frame := strings.Repeat("=", 60) + "\n"
	if !strings.HasPrefix(text, frame+"RESILIENCE CONFIGURATION PERFORMANCE REPORT\n"+frame) || !strings.HasSuffix(text, frame) {
		t.Errorf("report has not its frame of 60 equals signs:\n%s", text)
	}
	for _, part := range []string{"\nTimestamp: ", "\nTotal Duration: ", "\nPass Rate: ", "\nEnvironment:\n", "\nPerformance Results:\n", "\nRecommendations:\n"} {
		if strings.Count(text, part) != 1 {
			t.Errorf("report has %q %d times, want once", part, strings.Count(text, part))
		}
	}
	for _, r := range s.Results {
		mark := "✗ FAIL"
		if r.Passed() {
			mark = "✓ PASS"
		}
		if !strings.Contains(text, "\n"+r.Operation+": "+mark+"\n") {
			t.Errorf("report does not say that %s is %s", r.Operation, mark)
		}
	}
}

func TestAnalysis(t *testing.T) {
	const want = `{"performance_summary":{"avg_config_loading_ms":150,"avg_preset_loading_ms":2,"target_met":false},"recommendations":[` +
		`"resilience_config_loading takes 150 ms on average, more than 100 ms: see whether the machine was busy, and run it again with more iterations.",` +
		`"service_initialization failed in 4.0% of its iterations: see what its metadata says about the errors.",` +
		`"validation_performance was stopped: run it again.",` +
		`"The run was stopped before breaker_memory: run it again.",` +
		`"Compare with runs on the same machine under the same load only; the history shows trends and regressions."]}`
	if got := asJSON(t, fixedSuite().Analysis()); got != want {
		t.Errorf("Analysis() = %s\nwant %s", got, want)
	}
	const none = `{"performance_summary":{"avg_config_loading_ms":null,"avg_preset_loading_ms":null,"target_met":false},"recommendations":[` +
		`"Nothing was measured: there is nothing to compare with.",` +
		`"Compare with runs on the same machine under the same load only; the history shows trends and regressions."]}`
	if got := asJSON(t, perf.Suite{}.Analysis()); got != none {
		t.Errorf("Analysis() of nothing = %s\nwant %s", got, none)
	}
	s := fixedSuite()
	s.Results, s.NotRun, s.Partial = s.Results[:1], nil, false
	if got := s.Analysis().Recommendations; len(got) != 2 || got[0] != "All benchmarks are within their thresholds: nothing needs to be done." {
		t.Errorf("recommendations when all is well: %q", got)
	}
}

// TestReportRoundsHonestly never calls 100 % what is less, or 0 % what is more.
func TestReportRoundsHonestly(t *testing.T) {
	s := fixedSuite()
	s.Results[0].SuccessRate, s.Results[1].SuccessRate = 0.99999, 0.00001
	text := s.Report()
	if !strings.Contains(text, "Success Rate: 99.9%") || !strings.Contains(text, "Success Rate: 0.1%") {
		t.Errorf("report rounds 0.99999 up or 0.00001 down:\n%s", text)
	}
}

// TestReportIsNotInjected gives names and variables that would look like parts of the report.
func TestReportIsNotInjected(t *testing.T) {
	s := fixedSuite()
	s.Results[0].Operation = "x\nfake: ✓ PASS"
	s.EnvironmentInfo.Variables.Preset = "a\nFailed Benchmarks:\n  - fake"
	if text := s.Report(); strings.Contains(text, "\nfake") || strings.Count(text, "\nFailed Benchmarks:") != 1 {
		t.Errorf("report was injected into:\n%s", text)
	}
}

func TestReportOfStoppedRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s, err := perf.NewRunner(perf.RunnerConfig{}).Run(ctx, perf.Options{})
	text := s.Report()
	if !errors.Is(err, perf.ErrStopped) || !strings.Contains(text, "stopped before its end") || !strings.Contains(text, "Not Run:\n  - preset_loading\n") {
		t.Errorf("report does not say that the run was stopped (%v):\n%s", err, text)
	}
}

func TestReportShowsNoSecret(t *testing.T) {
	variables := config.Variables(map[string]string{"API_KEY": "secret-1", "RESILIENCE_PRESET": "production"})
	s := mustRun(t, perf.NewRunner(perf.RunnerConfig{Variables: variables}), perf.Options{Iterations: 1})
	if text := s.Report(); strings.Contains(text, "secret") || !strings.Contains(text, "\n  API_KEY_SET: true\n") {
		t.Errorf("report shows a secret, or not that it is set:\n%s", text)
	}
}

func ExampleSuite_Report() {
	suite := perf.Suite{BenchmarkID: "bench_20240115_103000", PassRate: 1}
	for line := range strings.Lines(suite.Report()) {
		if strings.HasPrefix(line, "RESILIENCE") || strings.HasPrefix(line, "Pass Rate") {
			fmt.Print(line)
		}
	}
	// Output:
	// RESILIENCE CONFIGURATION PERFORMANCE REPORT
	// Pass Rate: 100.0%
}
