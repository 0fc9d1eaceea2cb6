package perf

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The ranges of what may be asked for.
const (
	MaxIterations  = 10_000
	MaxConcurrency = 100
)

// ErrUnknownBenchmark says that a name is none of [Benchmarks].
var ErrUnknownBenchmark = errors.New("unknown benchmark operation")

// An OptionError is one fault of [Options] or [SyntheticOptions]. Several are joined: look for them with [errors.As], or
// walk the list.
type OptionError struct {
	Field string // its name in JSON, such as "iterations" or "operations[1]"
	Value any
	Want  string // such as "1 to 10000"
	Err   error  // what is behind it, such as [ErrUnknownBenchmark]; may be nil
}

// Error says which field has which value and what was wanted.
func (e *OptionError) Error() string {
	text := fmt.Sprintf("%s is %v, want %s", e.Field, e.Value, e.Want)
	if s, ok := e.Value.(string); ok {
		text = fmt.Sprintf("%s is %q, want %s", e.Field, short(s), e.Want)
	}
	if e.Err != nil {
		return fmt.Sprintf("%v: %s", e.Err, text)
	}
	return text
}

// Unwrap returns what is behind the fault.
func (e *OptionError) Unwrap() error { return e.Err }

// Options say what [Runner.Run] does. The zero value runs the seven benchmarks of the specification, each as often as
// is its default.
type Options struct {
	// Iterations is how often each benchmark is run: 1 to 10,000. Default 0: each its own number, see [Benchmarks].
	Iterations int `json:"iterations,omitempty"`

	// IncludeSlow also runs the benchmarks of the engine, which take thousands of calls each.
	IncludeSlow bool `json:"include_slow,omitempty"`

	// Operations names the benchmarks to run, slow ones included, in any order; each once. Empty: all that are not
	// slow, or with IncludeSlow all.
	Operations []string `json:"operations,omitempty"`
}

// Check returns all faults of o, each an [*OptionError].
func (o Options) Check() error {
	errs := []error{inRange("iterations", o.Iterations, MaxIterations)}
	for i, name := range o.Operations {
		field := fmt.Sprintf("operations[%d]", i)
		if i > len(all()) {
			errs = append(errs, &OptionError{Field: "operations", Value: fmt.Sprintf("a list of %d names", len(o.Operations)), Want: "each benchmark at most once"})
			break
		}
		if _, ok := find(name); !ok {
			errs = append(errs, &OptionError{Field: field, Value: name, Want: "one of " + strings.Join(names(), ", "), Err: ErrUnknownBenchmark})
		} else if slices.Contains(o.Operations[:i], name) {
			errs = append(errs, &OptionError{Field: field, Value: name, Want: "each benchmark at most once"})
		}
	}
	return errors.Join(errs...)
}

// chosen returns the benchmarks that o asks for, in their order.
func (o Options) chosen() []known {
	return slices.DeleteFunc(all(), func(k known) bool {
		if len(o.Operations) > 0 {
			return !slices.Contains(o.Operations, k.Name)
		}
		return k.Slow && !o.IncludeSlow
	})
}

// SyntheticOptions say what [Runner.Synthetic] does.
type SyntheticOptions struct {
	// Operation is whose strategy and policy the calls have: 1 to 200 bytes. It need not exist. The name of one of
	// [Benchmarks] runs that benchmark instead.
	Operation string `json:"operation_name"`

	// Iterations is how many calls are made: 1 to 10,000. Default 50.
	Iterations int `json:"iterations,omitempty"`

	// Concurrency is how many of them are under way at once: 1 to 100, for breaker_memory 1. Default 1.
	Concurrency int `json:"concurrency,omitempty"`

	// Target is what is called, from several goroutines at once. It must return when its context ends. Nil: it does
	// nothing, so that the pipeline alone is measured. A benchmark that runs instead has none.
	Target func(context.Context) error `json:"-"`
}

// Check returns all faults of o, each an [*OptionError].
func (o SyntheticOptions) Check() error {
	concurrency := inRange("concurrency", o.Concurrency, MaxConcurrency)
	if concurrency == nil && o.Concurrency > 1 && o.Operation == memoryBenchmark {
		concurrency = &OptionError{Field: "concurrency", Value: o.Concurrency, Want: "1 for " + memoryBenchmark + ", which looks at the memory of the whole process"}
	}
	return errors.Join(checkName(o.Operation), inRange("iterations", o.Iterations, MaxIterations), concurrency)
}

// inRange takes 0, which stands for the default, too.
func inRange(field string, n, most int) error {
	if n >= 0 && n <= most {
		return nil
	}
	return &OptionError{Field: field, Value: n, Want: fmt.Sprintf("1 to %d", most)}
}
