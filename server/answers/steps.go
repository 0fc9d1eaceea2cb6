package answers

import (
	"errors"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The steps that an answer may take: looks at one value with one part of the schema. A schema that leads to itself from two branches
// doubles them with each level of the answer, and a model can answer in many levels.
const (
	stepsAtLeast = 20_000
	stepsPerByte = 4
)

var errSteps = errors.New("the answer cannot be checked: it would take too many steps; give the schema fewer branches that lead back to themselves")

// A counted schema stops when its steps are used up. It is for one goroutine at a time.
type counted struct {
	schema *jsonschema.Schema
	left   int
}

// count makes each part of the schema count. The validator asks nobody whether it may go on, but it calls
// functions for formats, so each part gets one.
func count(schema *jsonschema.Schema) *counted {
	c := &counted{schema: schema}
	seen := map[*jsonschema.Schema]bool{}
	todo := []*jsonschema.Schema{schema}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if s == nil || seen[s] {
			continue
		}
		seen[s] = true
		c.hook(s)
		todo = append(todo, parts(s)...)
	}
	return c
}

func (c *counted) hook(s *jsonschema.Schema) {
	own := s.Format
	counting := &jsonschema.Format{Validate: func(v any) error {
		if c.left--; c.left < 0 {
			panic(errSteps) // caught in validate: the validator has no other way out
		}
		if own == nil {
			return nil
		}
		return own.Validate(v)
	}}
	if own != nil {
		counting.Name = own.Name
	}
	s.Format = counting
}

// parts returns the schemas that a schema leads to, wherever it says so.
func parts(s *jsonschema.Schema) []*jsonschema.Schema {
	all := []*jsonschema.Schema{
		s.Ref, s.RecursiveRef, s.Not, s.If, s.Then, s.Else, s.PropertyNames, s.UnevaluatedProperties,
		s.Contains, s.Items2020, s.UnevaluatedItems, s.ContentSchema,
	}
	if s.DynamicRef != nil {
		all = append(all, s.DynamicRef.Ref)
	}
	for _, list := range [][]*jsonschema.Schema{s.AllOf, s.AnyOf, s.OneOf, s.PrefixItems} {
		all = append(all, list...)
	}
	for _, inner := range s.Properties {
		all = append(all, inner)
	}
	for _, inner := range s.PatternProperties {
		all = append(all, inner)
	}
	for _, inner := range s.DependentSchemas {
		all = append(all, inner)
	}
	for _, inner := range s.Dependencies {
		all = append(all, oneOrMany(inner)...)
	}
	for _, inner := range []any{s.AdditionalProperties, s.Items, s.AdditionalItems} {
		all = append(all, oneOrMany(inner)...)
	}
	return all
}

func oneOrMany(value any) []*jsonschema.Schema {
	switch value := value.(type) {
	case *jsonschema.Schema:
		return []*jsonschema.Schema{value}
	case []*jsonschema.Schema:
		return value
	default:
		return nil
	}
}

// validate checks a value that was written in so many bytes.
func (c *counted) validate(value any, size int) (err error) {
	c.left = stepsAtLeast + stepsPerByte*size
	defer func() {
		switch r := recover(); r {
		case nil:
		case errSteps:
			err = errSteps
		default:
			panic(r)
		}
	}()
	err = c.schema.Validate(value)
	var mismatch *jsonschema.ValidationError
	if errors.As(err, &mismatch) {
		return &MismatchError{What: "the answer does not fit its schema", Faults: faultsOf(mismatch)}
	}
	return err
}

// A pool has one compiled schema for each check that runs at the same time.
type pool struct {
	document []byte

	mu   sync.Mutex
	free []*counted // guarded by mu
}

func (p *pool) get() (*counted, error) {
	p.mu.Lock()
	if n := len(p.free); n > 0 {
		c := p.free[n-1]
		p.free = p.free[:n-1]
		p.mu.Unlock()
		return c, nil
	}
	p.mu.Unlock()
	return compile(p.document)
}

func (p *pool) put(c *counted) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, c)
}
