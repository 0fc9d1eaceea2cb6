package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// Benchmarks tell which of the program's variables are set, and measure the operations as it is configured.
func TestBenchmarksKnowTheProgram(t *testing.T) {
	s := serve(t, "API_KEY=secret", "RESILIENCE_PRESET=production", "DEBUG=yes")
	const path = "/internal/resilience/performance/benchmark"
	resp, text := s.send("GET", path+"?iterations=1", "", "X-API-Key", "secret")
	var run struct {
		Suite struct {
			Environment struct {
				Variables map[string]any `json:"environment_variables"`
			} `json:"environment_info"`
		} `json:"benchmark_suite"`
	}
	if err := json.Unmarshal([]byte(text), &run); err != nil || resp.StatusCode != 200 {
		t.Fatalf("answer %d %s, %v; want 200", resp.StatusCode, text, err)
	}
	for name, want := range map[string]any{"API_KEY_SET": true, "RESILIENCE_PRESET": "production", "DEBUG": true, "GEMINI_API_KEY_SET": false} {
		if got := run.Suite.Environment.Variables[name]; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if strings.Contains(text, "secret") {
		t.Errorf("the answer has the key: %s", text)
	}
	resp, text = s.send("POST", path, `{"operation_name": "text_processing", "iterations": 100}`, "X-API-Key", "secret", "Content-Type", "application/json")
	var calls struct {
		Pipeline struct {
			Strategy string `json:"strategy"`
			Attempts int    `json:"attempts"`
		} `json:"pipeline"`
	}
	if err := json.Unmarshal([]byte(text), &calls); err != nil || resp.StatusCode != 200 {
		t.Fatalf("answer %d %s, %v; want 200", resp.StatusCode, text, err)
	}
	if p := calls.Pipeline; p.Strategy != "conservative" || p.Attempts != 5 {
		t.Errorf("calls had the strategy %s with %d attempts, want those of the preset production", p.Strategy, p.Attempts)
	}
}
