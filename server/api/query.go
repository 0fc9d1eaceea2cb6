package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// checkQuery returns what is wrong with a query besides the values: huma takes the default for a parameter that it cannot
// find or decode, and the first of several. An operation that removes what is older than a day must not run because
// somebody wrote "hour=48".
func checkQuery(r *http.Request, op *huma.Operation) []Fault {
	if r.URL.RawQuery == "" {
		return nil
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return []Fault{{Location: "query", Message: "cannot be decoded; want name=value, percent-encoded, with & between them"}}
	}
	known := []string{}
	for _, p := range op.Parameters {
		if p.In == "query" {
			known = append(known, p.Name)
		}
	}
	faults := []Fault{}
	for name, values := range query {
		at := cut("query." + name)
		switch {
		case len(known) == 0:
			faults = append(faults, Fault{Location: at, Message: "unknown parameter; there are none here"})
		case !slices.Contains(known, name):
			faults = append(faults, Fault{Location: at, Message: "unknown parameter; value has the known ones", Value: known})
		case len(values) > 1:
			faults = append(faults, Fault{Location: at, Message: "want it once"})
		case values[0] == "":
			faults = append(faults, Fault{Location: at, Message: "has no value; leave it out to have the default"})
		}
	}
	slices.SortFunc(faults, func(a, b Fault) int { return strings.Compare(a.Location, b.Location) })
	return faults[:min(len(faults), maxFaults)]
}

// rangeOf says what a parameter, or a member of the body, wants that is a whole number or a time; "" of others. huma names only
// the end that was passed.
func rangeOf(op *huma.Operation, location string) string {
	if op == nil {
		return ""
	}
	s := memberSchema(op.RequestBody, location)
	for _, p := range op.Parameters {
		if p.In+"."+p.Name == location {
			s = p.Schema
		}
	}
	switch {
	case s == nil:
		return ""
	case s.Format == "date-time":
		return wantMoment
	case s.Type != huma.TypeInteger || s.Minimum == nil || s.Maximum == nil:
		return ""
	}
	return fmt.Sprintf("want a whole number from %.0f to %.0f", *s.Minimum, *s.Maximum)
}

// memberSchema is the schema of a member of a body that is described in place; nil of others.
func memberSchema(body *huma.RequestBody, location string) *huma.Schema {
	name, ok := strings.CutPrefix(location, "body.")
	if !ok || body == nil {
		return nil
	}
	content := body.Content[typeJSON]
	if content == nil || content.Schema == nil {
		return nil
	}
	return content.Schema.Properties[name]
}

// invalid is the problem of a request that is wrong in these ways.
func invalid(faults []Fault) Problem {
	return Problem{Status: http.StatusUnprocessableEntity, Detail: invalidDetail, Errors: faults}
}
