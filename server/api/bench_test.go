package api_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/api"
)

// fleet returns an API over so many operations, each with a breaker and calls that succeeded and failed.
func fleet(b *testing.B, operations int) *api.API {
	b.Helper()
	orc, err := trysail.New(trysail.Config{Default: trysail.Policy{Retry: trysail.RetryPolicy{Disabled: true}}})
	must(b, err)
	for i := range operations {
		op := orc.Operation(fmt.Sprintf("operation-%d", i))
		for _, outcome := range []error{nil, nil, errDown, nil} {
			_, _ = trysail.Do(b.Context(), op, func(context.Context) (int, error) { return 0, outcome })
		}
	}
	keys, err := api.NewKeys(key)
	must(b, err)
	a, err := api.New(api.Config{Orchestrator: orc, Keys: keys})
	must(b, err)
	return a
}

// BenchmarkAnswers measures whole answers, without a socket. The goals are 5 ms for the list of 1,000 breakers and 100 µs for health. The
// processor time tells more than the time that passes where other programs run.
func BenchmarkAnswers(b *testing.B) {
	for _, operations := range []int{10, 1000} {
		a := fleet(b, operations)
		for _, target := range []string{"/health", "/circuit-breakers", "/metrics", "/config", "/dashboard", "/health/detailed"} {
			b.Run(fmt.Sprintf("%s/%d", target[1:], operations), func(b *testing.B) {
				b.ReportAllocs()
				var before time.Duration
				for first := true; b.Loop(); first = false {
					if first {
						before = cpuTime(b)
					}
					if w := send(a, get(base+target)); w.Code != 200 {
						b.Fatal(w.Code, w.Body)
					}
				}
				b.ReportMetric(float64((cpuTime(b)-before).Nanoseconds())/1e3/float64(b.N), "cpu-us/op")
			})
		}
	}
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
