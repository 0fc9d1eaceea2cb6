package perf

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trysail-go/trysail"
)

// errLeft is what an iteration that neither returned nor panicked has failed of.
var errLeft = errors.New("it left its goroutine")

const (
	maxErrors = 10  // failed iterations that are told of by their text
	maxError  = 500 // characters of such a text
)

// notes are what iterations have to say beside their times: a result's metadata.
type notes map[string]any

// An iteration does its work once and returns how long that took, in milliseconds. Each worker has one of its own.
type iteration func(context.Context, notes) (took float64, err error)

// timed makes an iteration of work that counts as a whole.
func timed(work func(notes) error) iteration {
	return func(_ context.Context, n notes) (float64, error) {
		start := time.Now()
		err := work(n)
		return milliseconds(time.Since(start)), err
	}
}

// A load is work to be repeated.
type load struct {
	iterations, concurrency int

	memory bool // whether to look at what is allocated, which costs some microseconds per iteration

	prepare func() (iteration, error) // once per worker, outside of what is measured
}

// samples are what a load, or one of its workers, has measured.
type samples struct {
	times   []float64 // milliseconds of each iteration, failed ones included
	failed  int
	notes   notes
	errs    []failure      // the first of them
	classes map[string]int // failures by class
	peak    uint64         // most bytes that were allocated in one iteration
	wall    time.Duration
}

type failure struct {
	iteration int
	err       error
}

// run repeats the work until all iterations are done or ctx ends. The iteration that the end of ctx breaks off is not
// among the samples.
func (l load) run(ctx context.Context) (samples, error) {
	workers := min(l.concurrency, l.iterations)
	parts, work := make([]samples, workers), make([]iteration, workers)
	for i := range work {
		it, err := l.prepare()
		if err != nil {
			return samples{notes: notes{}}, err
		}
		work[i] = it
		parts[i] = samples{times: make([]float64, 0, l.iterations/workers+1), notes: notes{}}
	}
	var next atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	var worker func(i int)
	worker = func(i int) {
		done := false
		defer func() {
			if !done { // an iteration that leaves its goroutine takes the worker with it
				group.Go(func() { worker(i) })
			}
		}()
		for n := int(next.Add(1)) - 1; n < l.iterations && ctx.Err() == nil; n = int(next.Add(1)) - 1 {
			l.take(ctx, &parts[i], work[i], n)
		}
		done = true
	}
	for i := range work {
		group.Go(func() { worker(i) })
	}
	group.Wait()
	wall := time.Since(start)
	all := join(parts)
	all.wall = wall
	return all, nil
}

// take runs one iteration and remembers it. What panics, or leaves the goroutine, has failed.
func (l load) take(ctx context.Context, s *samples, it iteration, n int) {
	var took float64
	var before uint64
	err := errLeft
	if l.memory {
		before = allocated()
	}
	start := time.Now()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panicked: %v", p)
		}
		if err != nil && ctx.Err() != nil {
			return
		}
		if err != nil && took == 0 {
			took = milliseconds(time.Since(start))
		}
		if l.memory {
			s.peak = max(s.peak, allocated()-before)
		}
		s.add(took, n, err)
	}()
	took, err = it(ctx, s.notes)
}

func (s *samples) add(took float64, n int, err error) {
	s.times = append(s.times, took)
	if err == nil {
		return
	}
	s.failed++
	if s.classes == nil {
		s.classes = map[string]int{}
	}
	s.classes[classOf(err)]++
	if len(s.errs) < maxErrors {
		s.errs = append(s.errs, failure{n, err})
	}
}

// join puts together what the workers have measured.
func join(parts []samples) samples {
	all := samples{notes: notes{}, classes: map[string]int{}}
	for _, p := range parts {
		all.times = append(all.times, p.times...)
		all.failed += p.failed
		all.peak = max(all.peak, p.peak)
		all.errs = append(all.errs, p.errs...)
		maps.Copy(all.notes, p.notes)
		for class, n := range p.classes {
			all.classes[class] += n
		}
	}
	slices.SortFunc(all.errs, func(a, b failure) int { return cmp.Compare(a.iteration, b.iteration) })
	all.errs = all.errs[:min(len(all.errs), maxErrors)]
	return all
}

// successRate returns the share of iterations that did not fail, 0 without any.
func (s samples) successRate() float64 {
	if len(s.times) == 0 {
		return 0
	}
	return float64(len(s.times)-s.failed) / float64(len(s.times))
}

// classOf names what a failed iteration failed of, for counting. It goes no further than the engine's own error: the
// methods of a target's may do anything.
func classOf(err error) string {
	var failed *trysail.Error
	switch {
	case !errors.As(err, &failed):
		return "other"
	case failed.Attempts == 0 && errors.Is(failed.Err, trysail.ErrOpen):
		return "breaker_open"
	default:
		return failed.Class.String()
	}
}

// textOf is the text of err, for a result. Sprint survives methods that panic.
func textOf(err error) string { return clip(strings.ToValidUTF8(fmt.Sprint(err), "?"), maxError) }
