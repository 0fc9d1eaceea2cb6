package perf

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

var errFailed = errors.New("it failed")

// always makes a load of one function.
func always(iterations, concurrency int, work func(context.Context, notes) error) load {
	return load{iterations: iterations, concurrency: concurrency, prepare: func() (iteration, error) {
		return func(ctx context.Context, n notes) (float64, error) {
			start := time.Now()
			err := work(ctx, n)
			return milliseconds(time.Since(start)), err
		}, nil
	}}
}

func run(t *testing.T, l load) samples {
	t.Helper()
	s, err := l.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLoadRunsAsManyAtOnce(t *testing.T) {
	for _, c := range []struct{ iterations, concurrency, want int }{{1, 1, 1}, {100, 1, 1}, {100, 7, 7}, {3, 100, 3}, {250, 100, 100}} {
		t.Run(fmt.Sprintf("%d with %d", c.iterations, c.concurrency), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var now, most atomic.Int64
				s := run(t, always(c.iterations, c.concurrency, func(context.Context, notes) error {
					if n := now.Add(1); n > most.Load() {
						most.Store(n) // all begin at one moment of the bubble's clock; the last one stores the most
					}
					time.Sleep(time.Second)
					now.Add(-1)
					return nil
				}))
				if len(s.times) != c.iterations || s.failed != 0 {
					t.Errorf("%d iterations, %d failed; want %d, 0", len(s.times), s.failed, c.iterations)
				}
				rounds := (c.iterations + c.want - 1) / c.want
				if want := time.Duration(rounds) * time.Second; s.wall != want || most.Load() > int64(c.want) {
					t.Errorf("took %v with up to %d at once, want %v with %d", s.wall, most.Load(), want, c.want)
				}
			})
		})
	}
}

func TestLoadSurvivesWhatItRuns(t *testing.T) {
	for name, c := range map[string]struct {
		work func() error
		want string
	}{
		"an error":               {func() error { return errFailed }, "it failed"},
		"a panic":                {func() error { panic("boom") }, "panicked: boom"},
		"a panic with nil":       {func() error { panic(nil) }, "panicked: panic called with nil argument"},
		"the end of a goroutine": {func() error { runtime.Goexit(); return nil }, "it left its goroutine"},
	} {
		t.Run(name, func(t *testing.T) {
			s := run(t, always(30, 3, func(context.Context, notes) error { return c.work() }))
			if len(s.times) != 30 || s.failed != 30 || s.successRate() != 0 {
				t.Fatalf("%d iterations, %d failed, success rate %v; want 30, 30, 0", len(s.times), s.failed, s.successRate())
			}
			if len(s.errs) != maxErrors || s.errs[0].err.Error() != c.want {
				t.Errorf("%d errors, the first %v; want %d, %s", len(s.errs), s.errs[0].err, maxErrors, c.want)
			}
			r := resultOf("preset_loading", 30, s)
			if r.Passed() || r.Partial || r.Metadata["errors_left_out"] != 20 {
				t.Errorf("result %+v passed, is partial, or does not count what it leaves out", r)
			}
			if text, _ := r.Metadata[fmt.Sprintf("error_%d", s.errs[0].iteration)].(string); text != c.want {
				t.Errorf("metadata %v lacks the error %q", r.Metadata, c.want)
			}
		})
	}
}

func TestLoadEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		s, err := always(100, 2, func(ctx context.Context, _ notes) error {
			select {
			case <-time.After(time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}).run(ctx)
		// Six have ended; the two that were broken off say nothing about how long one takes.
		if err != nil || len(s.times) != 6 || s.failed != 0 || s.wall != 3500*time.Millisecond {
			t.Errorf("run = %d iterations, %d failed, %v, %v; want 6, 0, 3.5s, nil", len(s.times), s.failed, s.wall, err)
		}
		if r := resultOf("preset_loading", 100, s); !r.Partial || r.Passed() || r.Iterations != 6 || r.SuccessRate != 1 {
			t.Errorf("result is %+v, want a partial one of 6 iterations that has not passed", r)
		}
	})
}

func TestLoadCannotBegin(t *testing.T) {
	bad := known{Benchmark{Name: "preset_loading", Iterations: 5}, func() (iteration, error) { return nil, errFailed }}
	r := bad.measure(t.Context(), 0)
	if r.Passed() || r.Iterations != 0 || r.SuccessRate != 0 || r.Metadata["error_prepare"] != "it failed" {
		t.Errorf("measure = %+v, want a failed result that says why", r)
	}
}

func TestMeasureStopsAmidst(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	k := known{Benchmark{Name: "preset_loading", Iterations: 5}, func() (iteration, error) {
		return timed(func(notes) error {
			if n++; n == 3 {
				cancel()
			}
			return nil
		}), nil
	}}
	if r := k.measure(ctx, 0); r.Iterations != 3 || !r.Partial || r.Passed() {
		t.Errorf("measure = %+v, want 3 iterations, partial", r)
	}
}

func TestClassOf(t *testing.T) {
	for want, err := range map[string]error{
		"breaker_open": &trysail.Error{Class: trysail.ClassOverloaded, Err: fmt.Errorf("refused: %w", trysail.ErrOpen)},
		"rate_limited": &trysail.Error{Class: trysail.ClassRateLimited, Attempts: 1, Err: trysail.ErrOpen}, // somebody else's breaker
		"other":        errFailed,
	} {
		if got := classOf(err); got != want {
			t.Errorf("classOf(%v) = %s, want %s", err, got, want)
		}
	}
}

// TestAllocated sees the bytes of a large object, and never fewer than before.
func TestAllocated(t *testing.T) {
	before := allocated()
	block := make([]byte, 4*mebibyte)
	after := allocated()
	if len(block) == 0 || after-before < 4*mebibyte {
		t.Errorf("allocated grew by %d for 4 MiB", after-before)
	}
	l := always(3, 1, func(context.Context, notes) error {
		block = make([]byte, 2*mebibyte)
		return nil
	})
	l.memory = true
	s, err := l.run(t.Context())
	if r := resultOf("x", 3, s); err != nil || r.MemoryPeakMB < 2 {
		t.Errorf("MemoryPeakMB = %v, %v; want at least 2", r.MemoryPeakMB, err)
	}
}

func TestMemoryOf(t *testing.T) {
	for name, c := range map[string]struct {
		meminfo string
		want    float64
	}{
		"a machine":    {"MemTotal:       16777216 kB\nMemFree: 1 kB\n", 16},
		"no such file": {"", 0},
		"no number":    {"MemTotal: much kB\n", 0},
		"another unit": {"MemTotal: 16 GB\n", 0},
	} {
		if got := memoryOf([]byte(c.meminfo)); got != c.want {
			t.Errorf("%s: memoryOf(%q) = %v, want %v", name, c.meminfo, got, c.want)
		}
	}
}

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"production":             "production",
		"a\nb\x1b[31m":           "a?b?[31m",
		"\xff":                   "?",
		strings.Repeat("é", 100): strings.Repeat("é", 64) + "…",
	} {
		if got := plain(in); got != want {
			t.Errorf("plain(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestJudge counts what passed and names what did not.
func TestJudge(t *testing.T) {
	s := Suite{Results: []Result{
		{Operation: "a", Iterations: 1, SuccessRate: 1, AvgDurationMS: 1, ThresholdMS: 1},
		{Operation: "b", Iterations: 1, SuccessRate: 1, AvgDurationMS: 2, ThresholdMS: 1},
		{Operation: "c", Iterations: 1, SuccessRate: 0.5, ThresholdMS: 1},
		{Operation: "d", Iterations: 1, SuccessRate: 1, ThresholdMS: 1},
	}}
	s.judge()
	if s.PassRate != 0.5 || strings.Join(s.FailedBenchmarks, " ") != "b c" || s.Partial {
		t.Errorf("judge: pass rate %v, failed %v, partial %v; want 0.5, b and c, false", s.PassRate, s.FailedBenchmarks, s.Partial)
	}
	s.Results[3].Partial = true
	if s.judge(); !s.Partial || s.PassRate != 0.25 {
		t.Errorf("judge with a stopped result: pass rate %v, partial %v; want 0.25, true", s.PassRate, s.Partial)
	}
}

func TestWantAttempts(t *testing.T) {
	loaded, err := loadPreset("simple")
	if err != nil {
		t.Fatal(err)
	}
	if err := wantAttempts(loaded, 99); err == nil || err.Error() != "it gives 3 attempts, want 99" {
		t.Errorf("wantAttempts = %v, want a refusal", err)
	}
	if _, err := loadPreset("no-such"); err == nil {
		t.Error("loadPreset of no preset succeeded")
	}
}

// TestIDsDoNotFollowAClockThatIsPutBack would otherwise give an ID a second time.
func TestIDsDoNotFollowAClockThatIsPutBack(t *testing.T) {
	var d ids
	free := func(string) bool { return false }
	at := time.Date(2024, 1, 15, 10, 30, 0, 0, time.FixedZone("", 3600))
	got := []string{
		d.next(at, free), d.next(at.Add(999*time.Millisecond), free), d.next(at.Add(-time.Hour), free),
		d.next(at.Add(time.Second), func(id string) bool { return id == "bench_20240115_093001" }),
	}
	want := "bench_20240115_093000 bench_20240115_093000_2 bench_20240115_093000_3 bench_20240115_093001_2"
	if strings.Join(got, " ") != want {
		t.Errorf("IDs are %v, want %s", got, want)
	}
}
