package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// A promise is the OpenAPI document of a server, as its clients read it. Nothing else is known of the server.
type promise struct {
	Paths      map[string]map[string]*promisedOperation `json:"paths"`
	Components struct {
		Parameters map[string]*promisedParameter `json:"parameters"`
		Responses  map[string]*promisedAnswer    `json:"responses"`
		Headers    map[string]*promisedHeader    `json:"headers"`
	} `json:"components"`

	raw      any // the whole, which references lead into
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema
}

type promisedOperation struct {
	ID         string                     `json:"operationId"`
	Parameters []*promisedParameter       `json:"parameters"`
	Security   []map[string][]string      `json:"security"`
	Responses  map[string]*promisedAnswer `json:"responses"`
	Body       *struct {
		Required bool                       `json:"required"`
		Content  map[string]json.RawMessage `json:"content"`
	} `json:"requestBody"`

	method, path string
	at           string // where it stands in the document
}

type promisedParameter struct {
	Ref      string `json:"$ref"`
	Name     string `json:"name"`
	In       string `json:"in"`
	Required bool   `json:"required"`

	at string // where its schema stands
}

type promisedAnswer struct {
	Ref     string                     `json:"$ref"`
	Content map[string]json.RawMessage `json:"content"`
	Headers map[string]*promisedHeader `json:"headers"`
}

type promisedHeader struct {
	Ref string `json:"$ref"`
}

// documentURL is what the document is called for its references. Nothing is loaded from there.
const documentURL = "https://document.invalid/openapi.json"

// A closedLoader loads nothing: a reference that leads out of the document is a fault of it.
type closedLoader struct{}

func (closedLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("the document refers to %s, want references to itself only", url)
}

func readPromise(t *testing.T, document string) *promise {
	t.Helper()
	p := &promise{compiled: map[string]*jsonschema.Schema{}, compiler: jsonschema.NewCompiler()}
	if err := json.Unmarshal([]byte(document), p); err != nil {
		t.Fatal(err)
	}
	raw, err := jsonschema.UnmarshalJSON(strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	p.raw = raw
	p.compiler.UseLoader(closedLoader{})
	p.compiler.AssertFormat()
	if err := p.compiler.AddResource(documentURL, raw); err != nil {
		t.Fatal(err)
	}
	for path, item := range p.Paths {
		for method, op := range item {
			op.method, op.path, op.at = strings.ToUpper(method), path, pointer("paths", path, method)
			for i, parameter := range op.Parameters {
				op.Parameters[i] = p.parameter(parameter, op.at+pointer("parameters", strconv.Itoa(i), "schema"))
			}
		}
	}
	return p
}

// parameter follows a reference.
func (p *promise) parameter(one *promisedParameter, at string) *promisedParameter {
	if one.Ref != "" {
		name := lastOf(one.Ref)
		one, at = p.Components.Parameters[name], pointer("components", "parameters", name, "schema")
	}
	found := *one
	found.at = at
	return &found
}

func lastOf(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

// pointer is a JSON pointer (RFC 6901).
func pointer(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
	}
	return b.String()
}

// schema compiles the schema at a pointer.
func (p *promise) schema(at string) (*jsonschema.Schema, error) {
	if known := p.compiled[at]; known != nil {
		return known, nil
	}
	schema, err := p.compiler.Compile(documentURL + "#" + (&url.URL{Path: at}).EscapedPath())
	if err == nil {
		p.compiled[at] = schema
	}
	return schema, err
}

// fits checks a value against the schema at a pointer.
func (p *promise) fits(at string, value any) error {
	schema, err := p.schema(at)
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// An answer is what a server sent.
type answered struct {
	status int
	header http.Header
	body   string
}

// check compares an answer with what the document promises for an operation: status, headers, media type and body.
func (p *promise) check(op *promisedOperation, got answered) error {
	status := strconv.Itoa(got.status)
	promised, at := op.Responses[status], op.at+pointer("responses", status)
	if promised == nil {
		return fmt.Errorf("status %s is not in the document", status)
	}
	if promised.Ref != "" {
		name := lastOf(promised.Ref)
		promised, at = p.Components.Responses[name], pointer("components", "responses", name)
	}
	kind, _, err := mime.ParseMediaType(got.header.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("Content-Type %q: %w", got.header.Get("Content-Type"), err)
	}
	if _, ok := promised.Content[kind]; !ok {
		return fmt.Errorf("media type %s of status %s is not in the document", kind, status)
	}
	errs := []error{p.checkBody(at+pointer("content", kind, "schema"), kind, got.body)}
	for name, header := range promised.Headers {
		where := at + pointer("headers", name, "schema")
		if header.Ref != "" {
			where = pointer("components", "headers", lastOf(header.Ref), "schema")
		}
		errs = append(errs, p.checkHeader(where, name, got.header.Values(name)))
	}
	return errors.Join(errs...)
}

func (p *promise) checkBody(at, kind, body string) error {
	if kind == "application/x-ndjson" { // the schema is that of the text; each of its lines is to be JSON besides
		for line := range strings.Lines(body) {
			if !json.Valid([]byte(line)) {
				return fmt.Errorf("line %.200q is no JSON", line)
			}
		}
	}
	if !strings.HasSuffix(kind, "json") || kind == "application/x-ndjson" {
		return p.fits(at, body)
	}
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return fmt.Errorf("body %.200q: %w", body, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("body %.200q has something after its value", body)
	}
	return p.fits(at, value)
}

// checkHeader wants a header that the document has once, with a value that fits.
func (p *promise) checkHeader(at, name string, values []string) error {
	if len(values) != 1 {
		return fmt.Errorf("header %s is there %d times, want it once", name, len(values))
	}
	asText := p.fits(at, values[0])
	if asText == nil {
		return nil
	}
	var number any
	decoder := json.NewDecoder(bytes.NewReader([]byte(values[0])))
	decoder.UseNumber()
	if err := decoder.Decode(&number); err != nil || p.fits(at, number) != nil {
		return fmt.Errorf("header %s = %q: %w", name, values[0], asText)
	}
	return nil
}
