package perf

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/trysail-go/trysail"
)

// A call costs less than the clock can tell, so these benchmarks time a batch of calls. The time of an iteration is
// that of one call: the batch's divided by its size.

// perCall returns what one of n calls since start took, in milliseconds.
func perCall(start time.Time, n int) float64 { return milliseconds(time.Since(start)) / float64(n) }

// ownOperation returns an operation of an orchestrator that nobody else knows.
func ownOperation() (*trysail.Operation, error) {
	orc, err := trysail.New(trysail.Config{})
	if err != nil {
		return nil, err
	}
	return orc.Operation("benchmark"), nil
}

// nothing is what is called where the engine alone is measured.
func nothing(context.Context) (struct{}, error) { return struct{}{}, nil }

func breakerCalls() (iteration, error) {
	op, err := ownOperation()
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, n notes) (float64, error) {
		n["calls_per_iteration"] = callsPerBatch
		start := time.Now()
		for range callsPerBatch {
			if _, err := trysail.Do(ctx, op, nothing); err != nil {
				return 0, err
			}
		}
		return perCall(start, callsPerBatch), nil
	}, nil
}

func stateChecks() (iteration, error) {
	op, err := ownOperation()
	if err != nil {
		return nil, err
	}
	breaker := op.Breaker()
	return func(_ context.Context, n notes) (float64, error) {
		n["checks_per_iteration"] = callsPerBatch
		start, open := time.Now(), 0
		for range callsPerBatch {
			if breaker.State() != trysail.Closed {
				open++
			}
		}
		took := perCall(start, callsPerBatch)
		if open > 0 {
			return took, fmt.Errorf("a breaker without calls was not closed in %d of %d checks", open, callsPerBatch)
		}
		return took, nil
	}, nil
}

func metricsUpdates() (iteration, error) {
	op, err := ownOperation()
	if err != nil {
		return nil, err
	}
	permits := make([]*trysail.Permit, callsPerBatch)
	return func(ctx context.Context, n notes) (float64, error) {
		n["updates_per_iteration"] = callsPerBatch
		for i := range permits {
			var err error
			if permits[i], err = op.Acquire(ctx); err != nil {
				for _, p := range permits[:i] {
					p.Done(nil)
				}
				return 0, err
			}
		}
		before, start := op.Metrics().Succeeded, time.Now()
		for _, p := range permits {
			p.Done(nil)
		}
		took := perCall(start, callsPerBatch)
		if got := op.Metrics().Succeeded - before; got != callsPerBatch {
			return took, fmt.Errorf("%d of %d calls were counted", got, callsPerBatch)
		}
		return took, nil
	}, nil
}

func breakersMade() (iteration, error) {
	names := make([]string, breakersPerIteration)
	for i := range names {
		names[i] = "benchmark-" + strconv.Itoa(i)
	}
	var bytes, made uint64 // over all iterations: what is counted lags, and others allocate, too
	return func(ctx context.Context, n notes) (float64, error) {
		before, start := allocated(), time.Now()
		orc, err := trysail.New(trysail.Config{})
		if err != nil {
			return 0, err
		}
		for _, name := range names { // called, so that it has all that it will ever have
			if _, err := trysail.Do(ctx, orc.Operation(name), nothing); err != nil {
				return 0, err
			}
		}
		took := milliseconds(time.Since(start))
		bytes, made = bytes+allocated()-before, made+breakersPerIteration
		n["breakers_per_iteration"], n["bytes_per_breaker"], n["bytes_per_breaker_target"] = breakersPerIteration, int(bytes/made), breakerMemory
		if count := len(orc.Operations()); count != breakersPerIteration {
			return took, fmt.Errorf("%d of %d operations were made", count, breakersPerIteration)
		}
		if bytes/made > breakerMemory {
			return took, fmt.Errorf("a breaker took %d bytes, want at most %d", bytes/made, breakerMemory)
		}
		return took, nil
	}, nil
}
