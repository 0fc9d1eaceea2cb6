package perf

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An Analysis is what a suite means: part of the answer of GET /performance/report.
type Analysis struct {
	PerformanceSummary PerformanceSummary `json:"performance_summary"`
	Recommendations    []string           `json:"recommendations"` // at least two
}

// A PerformanceSummary holds the two averages that the specification looks at first.
type PerformanceSummary struct {
	AvgConfigLoadingMS *float64 `json:"avg_config_loading_ms"` // of resilience_config_loading; nil if it was not run
	AvgPresetLoadingMS *float64 `json:"avg_preset_loading_ms"` // of preset_loading; nil if it was not run
	TargetMet          bool     `json:"target_met"`            // see [Suite.TargetMet]
}

// Analysis says what the suite means.
func (s Suite) Analysis() Analysis {
	return Analysis{
		PerformanceSummary: PerformanceSummary{
			AvgConfigLoadingMS: s.average("resilience_config_loading"),
			AvgPresetLoadingMS: s.average("preset_loading"),
			TargetMet:          s.TargetMet(),
		},
		Recommendations: s.recommendations(),
	}
}

func (s Suite) average(operation string) *float64 {
	for _, r := range s.Results {
		if r.Operation == operation && r.Iterations > 0 {
			avg := r.AvgDurationMS
			return &avg
		}
	}
	return nil
}

func (s Suite) recommendations() []string {
	var list []string
	for _, r := range s.Results {
		switch {
		case r.Passed():
		case r.Partial:
			list = append(list, r.Operation+" was stopped: run it again.")
		case r.SuccessRate < 1:
			list = append(list, fmt.Sprintf("%s failed in %s of its iterations: see what its metadata says about the errors.", r.Operation, percent(1-r.SuccessRate)))
		default:
			list = append(list, fmt.Sprintf("%s takes %s on average, more than %s: see whether the machine was busy, and run it again with more iterations.",
				r.Operation, inMS(r.AvgDurationMS), inMS(r.ThresholdMS)))
		}
	}
	if len(s.NotRun) > 0 {
		list = append(list, "The run was stopped before "+strings.Join(s.NotRun, ", ")+": run it again.")
	}
	switch {
	case len(s.Results) == 0:
		list = append(list, "Nothing was measured: there is nothing to compare with.")
	case len(list) == 0:
		list = append(list, "All benchmarks are within their thresholds: nothing needs to be done.")
	}
	return append(list, "Compare with runs on the same machine under the same load only; the history shows trends and regressions.")
}

const frame = 60 // columns

// Report returns the suite as a text for people: a head, where it was measured, each benchmark with its own threshold, what
// failed and what to do.
func (s Suite) Report() string {
	var b strings.Builder
	rule := strings.Repeat("=", frame) + "\n"
	fmt.Fprintf(&b, "%sRESILIENCE CONFIGURATION PERFORMANCE REPORT\n%s", rule, rule)
	fmt.Fprintf(&b, "Benchmark: %s\n", s.BenchmarkID)
	fmt.Fprintf(&b, "Timestamp: %s\n", s.Timestamp.UTC().Format(time.RFC3339))
	fmt.Fprintf(&b, "Total Duration: %s\n", inMS(s.TotalDurationMS))
	fmt.Fprintf(&b, "Pass Rate: %s\n", percent(s.PassRate))
	if s.Partial {
		b.WriteString("The run was stopped before its end.\n")
	}
	s.EnvironmentInfo.write(&b)
	b.WriteString("\nPerformance Results:\n" + strings.Repeat("-", frame) + "\n")
	for _, r := range s.Results {
		r.write(&b)
	}
	writeList(&b, "Not Run", s.NotRun)
	writeList(&b, "Failed Benchmarks", s.FailedBenchmarks)
	writeList(&b, "Recommendations", s.recommendations())
	b.WriteString(rule)
	return b.String()
}

func (e Environment) write(b *strings.Builder) {
	fmt.Fprintf(b, "\nEnvironment:\n  Go: %s\n  Platform: %s/%s\n  CPUs: %d (GOMAXPROCS %d)\n", e.GoVersion, e.OS, e.Arch, e.CPUCount, e.GoMaxProcs)
	if e.MemoryGB > 0 {
		fmt.Fprintf(b, "  Memory: %.1f GiB\n", e.MemoryGB)
	}
	if e.Variables.Preset != "" {
		fmt.Fprintf(b, "  RESILIENCE_PRESET: %s\n", plain(e.Variables.Preset))
	}
	set := map[string]bool{
		"DEBUG": e.Variables.Debug, "API_KEY_SET": e.Variables.APIKeySet, "GEMINI_API_KEY_SET": e.Variables.GeminiKeySet,
		"OPENAI_API_KEY_SET": e.Variables.OpenAIKeySet, "ANTHROPIC_API_KEY_SET": e.Variables.AnthropicKeySet,
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		fmt.Fprintf(b, "  %s: %t\n", name, set[name])
	}
}

func (r Result) write(b *strings.Builder) {
	mark := "✗ FAIL"
	if r.Passed() {
		mark = "✓ PASS"
	}
	fmt.Fprintf(b, "%s: %s\n", plain(r.Operation), mark)
	fmt.Fprintf(b, "  Average: %s (threshold %s)\n", inMS(r.AvgDurationMS), inMS(r.ThresholdMS))
	fmt.Fprintf(b, "  Min / P95 / Max: %s / %s / %s\n", inMS(r.MinDurationMS), inMS(r.P95DurationMS), inMS(r.MaxDurationMS))
	fmt.Fprintf(b, "  Standard Deviation: %s\n", inMS(r.StdDevMS))
	fmt.Fprintf(b, "  Memory Peak: %.3f MB\n", r.MemoryPeakMB)
	fmt.Fprintf(b, "  Iterations: %d\n", r.Iterations)
	fmt.Fprintf(b, "  Success Rate: %s\n", percent(r.SuccessRate))
	if r.Partial {
		b.WriteString("  Stopped before its end.\n")
	}
	b.WriteByte('\n')
}

func writeList(b *strings.Builder, title string, list []string) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "%s:\n", title)
	for _, line := range list {
		fmt.Fprintf(b, "  - %s\n", line)
	}
	b.WriteByte('\n')
}

// inMS is a time with at most four digits that count, so that nanoseconds and seconds are both told.
func inMS(ms float64) string {
	decimals := 0
	if ms > 0 {
		decimals = min(max(3-int(math.Floor(math.Log10(ms))), 0), 9)
	}
	text := strconv.FormatFloat(ms, 'f', decimals, 64)
	if decimals > 0 {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text + " ms"
}

// percent never rounds what is not all, or not nothing, to 100 % or 0 %.
func percent(share float64) string {
	text := fmt.Sprintf("%.1f%%", share*100)
	switch {
	case text == "100.0%" && share < 1:
		return "99.9%"
	case text == "0.0%" && share > 0:
		return "0.1%"
	default:
		return text
	}
}
