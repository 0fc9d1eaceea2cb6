package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
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
		case isBool(op, name) && unusual(values[0]):
			faults = append(faults, Fault{Location: at, Message: wantBool})
		}
	}
	slices.SortFunc(faults, func(a, b Fault) int { return strings.Compare(a.Location, b.Location) })
	return faults[:min(len(faults), maxFaults)]
}

// unusual reports whether a text is true or false in other words, such as 1 or T: huma takes them, and the document does not have them.
func unusual(text string) bool {
	_, err := strconv.ParseBool(text)
	return err == nil && text != "true" && text != "false"
}

// isBool reports whether a parameter is true or false.
func isBool(op *huma.Operation, name string) bool {
	return slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool {
		return p.In == "query" && p.Name == name && p.Schema != nil && p.Schema.Type == huma.TypeBoolean
	})
}

// invalid is the problem of a request that is wrong in these ways.
func invalid(faults []Fault) Problem {
	return Problem{Status: http.StatusUnprocessableEntity, Detail: invalidDetail, Errors: faults}
}
