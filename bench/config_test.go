package bench_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

// cpuUnit is the unit of processor time for one operation of a benchmark. It is what a goal of a single-threaded job is
// about: time that passes would count other programs, too.
const cpuUnit = "cpu-us/op"

// BenchmarkPreset measures how a preset is found by its key, without a copy of it.
func BenchmarkPreset(b *testing.B) {
	b.Run("trysail", func(b *testing.B) {
		manager := config.NewManager()
		found := 0
		b.ReportAllocs()
		for b.Loop() {
			if preset, err := manager.Lookup("production"); err == nil && preset.Policy().Retry.Attempts == 5 {
				found++
			}
		}
		verify(b, "presets found", found, b.N)
	})
}

// BenchmarkValidate measures the check of the largest custom configuration that is allowed: every field, every operation
// twice, as many bytes as there may be.
func BenchmarkValidate(b *testing.B) {
	b.Run("trysail", func(b *testing.B) {
		document := largest(b)
		preset, err := config.Find("production")
		if err != nil {
			b.Fatal(err)
		}
		good := 0
		measureCPU(b, func() {
			if _, report := config.Validate(document, config.ValidateOptions{Base: &preset}); report.Valid() {
				good++
			}
		})
		verify(b, "valid documents", good, b.N)
	})
}

// BenchmarkLoadEnvironment measures loading from the environment with a custom configuration.
func BenchmarkLoadEnvironment(b *testing.B) {
	b.Run("trysail", func(b *testing.B) {
		variables := map[string]string{
			"RESILIENCE_PRESET": "production", "LOG_LEVEL": "INFO",
			"RESILIENCE_CUSTOM_CONFIG": `{"retry_attempts": 4, "circuit_breaker_threshold": 8, "recovery_timeout": 90, "default_strategy": "balanced",
				"operation_overrides": {"qa": "critical", "sentiment": "aggressive"}, "exponential_max": 20, "jitter_enabled": true, "max_delay_seconds": 60}`,
		}
		lookup := func(name string) (string, bool) { v, ok := variables[name]; return v, ok }
		right := 0
		measureCPU(b, func() {
			if loaded, err := config.Load(lookup); err == nil && loaded.Trysail.Default.Retry.Attempts == 4 && loaded.Refused == nil {
				right++
			}
		})
		verify(b, "configurations loaded", right, b.N)
	})
}

// reloaded is how many operations BenchmarkReload reconfigures.
const reloaded = 1000

// BenchmarkReload measures a reload that gives each of a thousand operations another policy.
func BenchmarkReload(b *testing.B) {
	b.Run("trysail", func(b *testing.B) {
		p := newPlant(b)
		measureCPU(b, func() { p.reload(b) })
	})
}

// BenchmarkCallDuringReload measures a call while one reload follows the other, and the same call without them: no call waits
// for a reload.
func BenchmarkCallDuringReload(b *testing.B) {
	for _, name := range []string{"trysail", "no-reload"} {
		b.Run(name, func(b *testing.B) {
			p := newPlant(b)
			stop, done := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				for name == "trysail" {
					select {
					case <-stop:
						return
					default:
						p.reload(b)
					}
				}
			}()
			ctx, op := b.Context(), p.orc.Operation("operation-7")
			sum := loop(b, func() (int, error) {
				return trysail.Do(ctx, op, func(context.Context) (int, error) { return 1, nil })
			})
			close(stop)
			<-done
			verify(b, "sum of the results", sum, b.N)
		})
	}
}

// A plant is an orchestrator with its reloader and two configurations to go to and fro between.
type plant struct {
	orc      *trysail.Orchestrator
	reloader *config.Reloader
	files    [2]*config.Document
	turn     int
}

func newPlant(b *testing.B) *plant {
	b.Helper()
	p := &plant{files: [2]*config.Document{manyOperations(0), manyOperations(1)}}
	start, err := config.Sources{File: p.files[0]}.Load()
	if err != nil {
		b.Fatal(err)
	}
	if p.orc, err = trysail.New(start.Trysail); err != nil {
		b.Fatal(err)
	}
	for name := range p.files[0].Operations {
		p.orc.Operation(name)
	}
	p.reloader, err = config.NewReloader(config.ReloaderConfig{
		Orchestrator: p.orc, Start: start,
		Read: func(context.Context) (config.Sources, error) { return config.Sources{File: p.files[p.turn%2]}, nil },
	})
	if err != nil {
		b.Fatal(err)
	}
	return p
}

// reload goes to the other configuration.
func (p *plant) reload(b *testing.B) {
	p.turn++
	result, err := p.reloader.Reload(b.Context(), config.Request{Trigger: config.TriggerFile})
	if err != nil || len(result.Change.Operations) != reloaded {
		b.Errorf("reload: %v, %d operations changed, want %d", err, len(result.Change.Operations), reloaded)
	}
}

func manyOperations(more int) *config.Document {
	d := &config.Document{Name: "trysail.yaml", Operations: map[string]trysail.OperationConfig{}}
	for i := range reloaded {
		d.Operations[fmt.Sprintf("operation-%d", i)] = trysail.OperationConfig{
			Strategy: trysail.Strategies()[i%4],
			Policy:   trysail.Policy{Attempt: time.Duration(i+more+1) * time.Second, Retry: trysail.RetryPolicy{Attempts: 3 + more}},
		}
	}
	return d
}

// largest is a good document with every field, filled up with white space.
func largest(b *testing.B) []byte {
	b.Helper()
	overrides := map[string]trysail.Strategy{}
	for short, long := range config.Aliases() {
		overrides[short], overrides[long] = trysail.Balanced, trysail.Balanced
	}
	document := map[string]any{"operation_overrides": overrides}
	for _, f := range config.Fields() {
		if f.Name != "operation_overrides" {
			document[f.Name] = json.RawMessage(f.Example)
		}
	}
	text, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		b.Fatal(err)
	}
	if most := config.DocumentLimits().Size; len(text) < most {
		text = append(text, bytes.Repeat([]byte(" "), most-len(text))...)
	}
	return text
}

// measureCPU measures f, and the processor time of the whole process for it, collections included.
func measureCPU(b *testing.B, f func()) {
	b.Helper()
	b.ReportAllocs()
	var before time.Duration
	for first := true; b.Loop(); first = false {
		if first {
			before = cpuTime(b)
		}
		f()
	}
	b.ReportMetric(float64((cpuTime(b)-before).Nanoseconds())/1e3/float64(b.N), cpuUnit)
}

// cpuTime is what the process has used of the processors.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
