package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/trysail-go/trysail/perf"
)

// A benchmarkShape is a body that asks for a run: {"operation_name": ""} with concurrency, or {} with operations and
// include_slow; each with iterations.
type benchmarkShape struct{}

// The members of the two forms beside iterations, which both have.
var (
	onlyWithName    = []string{"concurrency"}                //nolint:gochecknoglobals // a constant, but for its type
	onlyWithoutName = []string{"include_slow", "operations"} //nolint:gochecknoglobals // likewise
)

// Schema implements [huma.SchemaProvider]. Which members go together, and which benchmarks there are, is in the document only: huma
// would not say it as the specification does, or not say it at all.
func (benchmarkShape) Schema(huma.Registry) *huma.Schema {
	one, longest, least := 1, maxName, 1.0
	wholeUpTo := func(most float64, preset int, description string) *huma.Schema {
		return &huma.Schema{Type: huma.TypeInteger, Minimum: &least, Maximum: &most, Default: preset, Description: description}
	}
	s := &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: false,
		Properties: map[string]*huma.Schema{
			"operation_name": {
				Type: huma.TypeString, MinLength: &one, MaxLength: &longest, Examples: []any{"text_processing"},
				Description: "The operation under which calls are made. It need not exist: one that does not is not created. Or a benchmark.",
			},
			"iterations":   wholeUpTo(perf.MaxIterations, 50, "Calls, or iterations of each benchmark."),
			"concurrency":  wholeUpTo(perf.MaxConcurrency, 1, "Calls that are under way at once. Goes with operation_name only."),
			"include_slow": {Type: huma.TypeBoolean, Default: false, Description: "Whether to run the benchmarks of the engine, too. Does not go with operation_name."},
			"operations": {
				Type: huma.TypeArray, Nullable: true, Examples: []any{benchmarkNames()[:2]},
				Items:       &huma.Schema{Type: huma.TypeString, Extensions: map[string]any{"enum": benchmarkNames()}},
				Description: "The benchmarks to run, each once; null or empty for all. Does not go with operation_name.",
			},
		},
		Extensions: map[string]any{
			"dependentRequired": map[string]any{"concurrency": []string{"operation_name"}},
			"not": map[string]any{"required": []string{"operation_name"}, "anyOf": []map[string]any{
				{"required": []string{"include_slow"}}, {"required": []string{"operations"}},
			}},
		},
	}
	s.PrecomputeMessages()
	return s
}

func benchmarkNames() []string {
	names := []string{}
	for _, b := range perf.Benchmarks() {
		names = append(names, b.Name)
	}
	return names
}

// A benchmarkAsk is what a body asks for: one of the two.
type benchmarkAsk struct {
	one  *perf.SyntheticOptions
	many perf.Options
}

// readBenchmark returns what a body asks for.
func readBenchmark(body *rawBody[benchmarkShape]) (benchmarkAsk, error) {
	members, err := body.members(slices.Concat([]string{"operation_name", "iterations"}, onlyWithName, onlyWithoutName)...)
	if err != nil {
		return benchmarkAsk{}, err
	}
	if string(members["operations"]) == "null" {
		delete(members, "operations")
	}
	one, many := perf.SyntheticOptions{Iterations: 50, Concurrency: 1}, perf.Options{Iterations: 50}
	for _, m := range []struct {
		name string
		into any
	}{
		{"operation_name", &one.Operation},
		{"iterations", &one.Iterations},
		{"concurrency", &one.Concurrency},
		{"include_slow", &many.IncludeSlow},
		{"operations", &many.Operations},
	} {
		value, ok := members[m.name]
		if ok && string(value) == "null" {
			return benchmarkAsk{}, unusable("body."+m.name, "wanted a value; leave the member out to do without")
		}
		if ok && json.Unmarshal(value, m.into) != nil {
			return benchmarkAsk{}, unusable("body."+m.name, "wanted another type; a whole number has neither a fraction nor an exponent")
		}
	}
	many.Iterations = one.Iterations
	if _, ok := members["operation_name"]; ok {
		if err := mixed(members, onlyWithoutName, "does not go with operation_name; leave one of them out"); err != nil {
			return benchmarkAsk{}, err
		}
		return benchmarkAsk{one: &one}, optionsProblem(one.Check())
	}
	if err := mixed(members, onlyWithName, "goes with operation_name only; name an operation or leave it out"); err != nil {
		return benchmarkAsk{}, err
	}
	return benchmarkAsk{many: many}, optionsProblem(many.Check())
}

// mixed is the problem of a body with members of the other form.
func mixed(members map[string]json.RawMessage, others []string, message string) error {
	faults := []Fault{}
	for _, name := range others {
		if _, ok := members[name]; ok {
			faults = append(faults, Fault{Location: "body." + name, Message: message})
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return &problemError{invalid(faults)}
}

// optionsProblem words what package perf does not take: unknown benchmarks as the specification has it.
func optionsProblem(err error) error {
	faults, unknown := []Fault{}, ""
	for _, o := range optionErrors(err) {
		fault := Fault{Location: "body." + o.Field, Message: "wanted " + o.Want}
		if name, ok := o.Value.(string); ok && errors.Is(o, perf.ErrUnknownBenchmark) {
			fault.Message, fault.Value = "unknown benchmark; value has the known ones", benchmarkNames()
			if unknown == "" {
				unknown = fmt.Sprintf("Unknown benchmark operation: %s", cut(name))
			}
		}
		faults = append(faults, fault)
	}
	switch {
	case err == nil:
		return nil
	case len(faults) == 0:
		return err
	case unknown != "":
		return badRequest(unknown, faults...)
	default:
		return &problemError{invalid(faults)}
	}
}

// optionErrors walks an error that joins others.
func optionErrors(err error) []*perf.OptionError {
	switch e := err.(type) { //nolint:errorlint // the walk is what errors.As does, but for all of them
	case *perf.OptionError:
		return []*perf.OptionError{e}
	case interface{ Unwrap() []error }:
		list := []*perf.OptionError{}
		for _, one := range e.Unwrap() {
			list = append(list, optionErrors(one)...)
		}
		return list
	default:
		return nil
	}
}
