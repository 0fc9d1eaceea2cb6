package main

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// A drafted request is one that can still be changed.
type drafted struct {
	op     *promisedOperation
	path   map[string]any
	query  url.Values
	header map[string]string
	body   any     // nil is none
	text   *string // what is sent in place of body
}

// draft makes a request that the document allows. With exemplary it has the document's examples.
func (m *maker) draft(op *promisedOperation, exemplary bool) *drafted {
	m.t.Helper()
	d := &drafted{op: op, path: map[string]any{}, query: url.Values{}, header: map[string]string{}}
	for _, parameter := range op.Parameters {
		if !parameter.Required && !exemplary && m.rand.IntN(2) == 0 {
			continue
		}
		if _, has := m.written(parameter.at)["examples"]; exemplary && !parameter.Required && !has {
			continue
		}
		d.set(parameter, affordable(parameter.Name, m.good(parameter.at, exemplary)))
	}
	if at, ok := op.bodySchema(); ok && (op.Body.Required || exemplary || m.rand.IntN(4) > 0) {
		d.body = m.good(at, exemplary)
		if object, ok := d.body.(map[string]any); ok && object["iterations"] != nil {
			object["iterations"] = affordable("iterations", object["iterations"])
		}
	}
	if name, ok := either[op.ID]; ok && d.body != nil {
		d.query.Del(name)
	} else if ok {
		d.query.Set(name, fmt.Sprint(m.good(op.parameter(name).at, exemplary)))
	}
	return d
}

// affordable is a value, but of repetitions not many: the most that the document allows take a minute.
func affordable(name string, value any) any {
	if n, ok := value.(int64); ok && name == "iterations" {
		return min(n, 20)
	}
	return value
}

// either are parameters that a body takes the place of: one of the two is wanted. OpenAPI has no words for that but those
// of a description.
var either = map[string]string{"validateConfigurationText": "json_config"}

func (op *promisedOperation) parameter(name string) *promisedParameter {
	i := slices.IndexFunc(op.Parameters, func(p *promisedParameter) bool { return p.Name == name })
	return op.Parameters[i]
}

// bodySchema is where the schema of the body stands.
func (op *promisedOperation) bodySchema() (at string, ok bool) {
	if op.Body == nil {
		return "", false
	}
	return op.at + pointer("requestBody", "content", "application/json", "schema"), true
}

// set gives a parameter a value.
func (d *drafted) set(p *promisedParameter, value any) {
	switch p.In {
	case "path":
		d.path[p.Name] = value
	case "query":
		d.query.Set(p.Name, fmt.Sprint(value))
	case "header":
		if text := fmt.Sprint(value); text == strings.Trim(text, " \t") { // HTTP carries no space at the ends
			d.header[p.Name] = text
		}
	}
}

// target is the path with the query.
func (d *drafted) target() string {
	target := d.op.path
	for name, value := range d.path {
		target = strings.ReplaceAll(target, "{"+name+"}", url.PathEscape(fmt.Sprint(value)))
	}
	if len(d.query) > 0 {
		target += "?" + d.query.Encode()
	}
	return target
}

func (d *drafted) content(t *testing.T) string {
	t.Helper()
	if d.text != nil {
		return *d.text
	}
	if d.body == nil {
		return ""
	}
	b, err := json.Marshal(d.body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A wrong request is one that the document does not allow, with the statuses that say so.
type wrong struct {
	why      string
	request  *drafted
	statuses []int
}

// spoil makes requests that the document does not allow, each for one reason.
func (m *maker) spoil(op *promisedOperation) []wrong {
	m.t.Helper()
	all := m.spoilParameters(op)
	at, ok := op.bodySchema()
	if !ok {
		return all
	}
	add := func(why string, text string, statuses ...int) *drafted {
		d := m.draft(op, true)
		d.text = &text
		all = append(all, wrong{why, d, statuses})
		return d
	}
	good := m.draft(op, true).content(m.t)
	for _, kind := range []string{"text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
		add("a body of type "+kind, good, 415).header["Content-Type"] = kind
	}
	for why, text := range inOrder(map[string]string{
		"broken JSON": `{"a": `, "no JSON": "hello", "two values": good + " {}", "a wrong name": "{'a': 1}", "not UTF-8": "{\"\xff\": 1}",
	}) {
		add(why, text, 422)
	}
	add("a body of 1 MiB and a byte", strings.Repeat(" ", 1<<20+1), 413)
	if op.Body.Required {
		add("no body", "", 422)
	}
	for why, value := range inOrder(strangers()) {
		all = m.spoilBody(all, at, op, "a body that is "+why, func(any) any { return value })
	}
	all = m.spoilBody(all, at, op, "an unknown property", func(body any) any { return with(body, "no_such_property", 1) })
	properties, _ := m.resolved(at)["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		all = m.spoilBody(all, at, op, "no "+name, func(body any) any { return without(body, name) })
		for why, value := range inOrder(strangers()) {
			all = m.spoilBody(all, at, op, name+" is "+why, func(body any) any { return with(body, name, value) })
		}
		if schema, ok := properties[name].(map[string]any); ok {
			for why, value := range inOrder(m.beyond(schema)) {
				all = m.spoilBody(all, at, op, name+why, func(body any) any { return with(body, name, value) })
			}
		}
	}
	return all
}

// resolved is the schema at a pointer, or what it refers to.
func (m *maker) resolved(at string) map[string]any {
	schema := m.written(at)
	if ref, ok := schema["$ref"].(string); ok {
		return m.written(strings.TrimPrefix(ref, "#"))
	}
	return schema
}

// beyond are values just outside of the bounds of a schema.
func (m *maker) beyond(schema map[string]any) map[string]any {
	values := map[string]any{}
	if n, ok := number(schema["minimum"]); ok {
		values[fmt.Sprintf(" is %.0f, one less than the least", n-1)] = int64(n) - 1
	}
	if n, ok := number(schema["maximum"]); ok {
		values[fmt.Sprintf(" is %.0f, one more than the most", n+1)] = int64(n) + 1
	}
	if n, ok := number(schema["maxLength"]); ok {
		values[fmt.Sprintf(" has %.0f characters, one more than the most", n+1)] = strings.Repeat("x", int(n)+1)
	}
	if n, ok := number(schema["maxItems"]); ok {
		items, _ := schema["items"].(map[string]any)
		list := []any{}
		for range int(n) + 1 {
			list = append(list, m.any(items, true))
		}
		values[fmt.Sprintf(" has %.0f items, one more than the most", n+1)] = list
	}
	return values
}

// spoilBody adds a request whose body is changed, if the schema then no longer allows it.
func (m *maker) spoilBody(all []wrong, at string, op *promisedOperation, why string, change func(any) any) []wrong {
	m.t.Helper()
	d := m.draft(op, true)
	b, err := json.Marshal(change(d.body))
	if err != nil {
		m.t.Fatal(err)
	}
	var value any
	if err := json.Unmarshal(b, &value); err != nil {
		m.t.Fatal(err)
	}
	if m.promise.fits(at, value) == nil {
		return all
	}
	text := string(b)
	d.text = &text
	return append(all, wrong{why, d, []int{422}})
}

// inOrder ranges over a map in the order of its keys, so that a test is the same in every run.
func inOrder[V any](m map[string]V) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if !yield(key, m[key]) {
				return
			}
		}
	}
}

func with(body any, name string, value any) any {
	changed := map[string]any{name: value}
	if object, ok := body.(map[string]any); ok {
		for k, v := range object {
			if k != name {
				changed[k] = v
			}
		}
	}
	return changed
}

func without(body any, name string) any {
	changed := map[string]any{}
	if object, ok := body.(map[string]any); ok {
		maps.Copy(changed, object)
	}
	delete(changed, name)
	return changed
}

// lenient are parameters whose description says that a value which is no good is not heeded.
var lenient = []string{"X-Request-ID"}

// spoilParameters makes requests with one parameter that is wrong.
func (m *maker) spoilParameters(op *promisedOperation) []wrong {
	m.t.Helper()
	var all []wrong
	for _, p := range op.Parameters {
		if slices.Contains(lenient, p.Name) {
			continue
		}
		values := m.beyond(m.written(p.at))
		for _, text := range []string{"no such value", "1.5", "-1", "0", "99999999999999999999", "true", "a\x01b", "Ω", strings.Repeat("x", 201), "NaN", "1e3", "0x10"} {
			values[fmt.Sprintf(" is %.20q", text)] = text
		}
		for why, value := range inOrder(values) {
			text := fmt.Sprint(value)
			if m.promise.fits(p.at, text) == nil || m.fitsAsJSON(p.at, text) || p.In == "header" && strings.ContainsAny(text, "\x01") {
				continue // it is good, or no client can send it
			}
			d := m.draft(op, true)
			d.set(p, text)
			all = append(all, wrong{p.Name + why, d, []int{422, 400}})
		}
		if p.In == "query" {
			twice := m.draft(op, true)
			value := fmt.Sprint(m.good(p.at, true))
			twice.query[p.Name] = []string{value, value}
			empty := m.draft(op, true)
			empty.query.Set(p.Name, "")
			all = append(all, wrong{p.Name + " twice", twice, []int{422}}, wrong{p.Name + " without a value", empty, []int{422}})
			if p.Required {
				none := m.draft(op, true)
				none.query.Del(p.Name)
				all = append(all, wrong{"no " + p.Name, none, []int{422}})
			}
		}
	}
	unknown := m.draft(op, true)
	unknown.query.Set("no_such_parameter", "1")
	return append(all, wrong{"an unknown parameter", unknown, []int{422}})
}

// fitsAsJSON reports whether a text stands for a number or a truth value that fits.
func (m *maker) fitsAsJSON(at, text string) bool {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil || decoder.More() {
		return false
	}
	if _, isText := value.(string); isText || value == nil {
		return false
	}
	return m.promise.fits(at, value) == nil
}
