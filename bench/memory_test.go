package bench_test

import (
	"runtime"
	"strconv"
	"testing"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/sony/gobreaker/v2"

	"github.com/trysail-go/trysail"
)

// idle is how many operations BenchmarkMemory makes.
const idle = 100_000

// BenchmarkMemory measures what an operation keeps that has made one call and is idle now: heap bytes
// each, and goroutines of all together. Every stack finds its operations by name.
func BenchmarkMemory(b *testing.B) {
	names := make([]string, idle) // they are the caller's, whatever the library
	for i := range names {
		names[i] = "operation-" + strconv.Itoa(i)
	}
	for _, k := range keepers() {
		b.Run(k.name, func(b *testing.B) {
			for b.Loop() {
				bytes, goroutines := kept(func() any { return k.fill(b, names) })
				b.ReportMetric(float64(bytes)/idle, "B/operation")
				b.ReportMetric(float64(goroutines), "goroutines")
			}
			b.ReportMetric(0, "ns/op") // which would be that of 100,000, collections included: go test leaves out a 0
		})
	}
}

// kept returns what the result of fill holds: bytes of the heap, and goroutines.
func kept(fill func() any) (bytes int64, goroutines int) {
	before, running := heap(), runtime.NumGoroutine()
	all := fill()
	bytes, goroutines = heap()-before, runtime.NumGoroutine()-running
	runtime.KeepAlive(all)
	return bytes, goroutines
}

// heap returns the bytes that are in use.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what the first found to be free is swept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A keeper makes an operation for each name, calls each once, and returns them.
type keeper struct {
	name string
	fill func(tb testing.TB, names []string) any
}

func keepers() []keeper {
	return []keeper{
		{"trysail", func(tb testing.TB, names []string) any {
			orc, err := trysail.New(trysail.Config{})
			if err != nil {
				tb.Fatal(err)
			}
			ctx := tb.Context()
			for _, name := range names {
				if _, err := trysail.Do(ctx, orc.Operation(name), oneCancellable); err != nil {
					tb.Fatal(err)
				}
			}
			return orc
		}},
		{"gobreaker", func(tb testing.TB, names []string) any {
			return fillMap(tb, names, (*gobreaker.CircuitBreaker[int]).Execute, newGobreaker)
		}},
		{"failsafe-go-breaker", func(tb testing.TB, names []string) any {
			return fillMap(tb, names, failsafe.Executor[int].Get, func() failsafe.Executor[int] {
				return failsafe.With[int](newFailsafeBreaker())
			})
		}},
		{"failsafe-go", func(tb testing.TB, names []string) any {
			retries := retrypolicy.NewBuilder[int]().WithMaxAttempts(attempts).ReturnLastFailure().Build() // has no state
			return fillMap(tb, names, failsafe.Executor[int].Get, func() failsafe.Executor[int] {
				return failsafe.With[int](newFailsafeBreaker(), retries)
			})
		}},
	}
}

// fillMap makes something for each name and calls a dependency through each once.
func fillMap[T any](tb testing.TB, names []string, call func(T, func() (int, error)) (int, error), create func() T) map[string]T {
	all := map[string]T{}
	for _, name := range names {
		all[name] = create()
		if _, err := call(all[name], one); err != nil {
			tb.Fatal(err)
		}
	}
	return all
}

func TestKeptCountsBytesAndGoroutines(t *testing.T) {
	const size = 1 << 20
	stop := make(chan struct{})
	defer close(stop)
	bytes, goroutines := kept(func() any {
		go func() { <-stop }()
		return make([]byte, size)
	})
	if bytes < size || bytes > size+size/10 || goroutines != 1 {
		t.Errorf("kept = %d bytes and %d goroutines, want about %d and 1", bytes, goroutines, size)
	}
}

func TestKeepersMakeAnOperationForEachName(t *testing.T) {
	names := []string{"a", "b", "c"}
	for _, k := range keepers() {
		t.Run(k.name, func(t *testing.T) {
			made := 0
			switch all := k.fill(t, names).(type) {
			case *trysail.Orchestrator:
				for _, m := range all.Metrics() {
					made += int(m.Succeeded)
				}
			case map[string]*gobreaker.CircuitBreaker[int]:
				for _, breaker := range all {
					made += int(breaker.Counts().TotalSuccesses)
				}
			case map[string]failsafe.Executor[int]:
				made = len(all) // an executor says nothing about its calls
			}
			if made != len(names) {
				t.Errorf("%d operations with a call, want %d", made, len(names))
			}
		})
	}
}
