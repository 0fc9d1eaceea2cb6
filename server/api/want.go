package api

import (
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const (
	wantBool   = "want true or false"
	wantMoment = "want a time after RFC 3339 from 1970 to 2261, such as 2026-11-25T10:00:00Z; a + is written %2B"
)

// The patterns of texts that huma checks.
const (
	withoutControls = `^[^\x00-\x1f\x7f]*$`
	withSubstance   = `^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$`
)

// wantAt says in words what a parameter, or a member of the body, must be; "" where huma's own words will do. Of a range huma names only the
// end that was passed, and of a text that does not fit it shows the pattern.
func wantAt(op *huma.Operation, schemas huma.Registry, location string) string {
	if op == nil {
		return ""
	}
	s := memberSchema(op.RequestBody, schemas, location)
	for _, p := range op.Parameters {
		if p.In+"."+p.Name == location {
			s = p.Schema
		}
	}
	switch {
	case s == nil:
		return ""
	case s.Type == huma.TypeBoolean:
		return wantBool
	case s.Format == "date-time":
		return wantMoment
	case s.Type == huma.TypeInteger:
		return wantWhole(s)
	case s.Type == huma.TypeString:
		return wantText(s)
	}
	return ""
}

func wantWhole(s *huma.Schema) string {
	switch {
	case s.Minimum != nil && s.Maximum != nil:
		return fmt.Sprintf("want a whole number from %.0f to %.0f", *s.Minimum, *s.Maximum)
	case s.Minimum != nil:
		return fmt.Sprintf("want a whole number, %.0f or more", *s.Minimum)
	}
	return "want a whole number"
}

func wantText(s *huma.Schema) string {
	rest, ok := map[string]string{
		"":              "",
		withoutControls: ", none of them a control character",
		withSubstance:   ", not only spaces, and none of them a control character",
	}[s.Pattern]
	switch {
	case !ok || len(s.Enum) > 0:
		return ""
	case s.MinLength != nil && s.MaxLength != nil:
		return fmt.Sprintf("want a text of %d to %d characters%s", *s.MinLength, *s.MaxLength, rest)
	case s.MaxLength != nil:
		return fmt.Sprintf("want a text of at most %d characters%s", *s.MaxLength, rest)
	}
	return ""
}

// memberSchema is the schema of a member of a body; nil of others.
func memberSchema(body *huma.RequestBody, schemas huma.Registry, location string) *huma.Schema {
	name, ok := strings.CutPrefix(location, "body.")
	if !ok || body == nil || body.Content[typeJSON] == nil {
		return nil
	}
	s := resolved(body.Content[typeJSON].Schema, schemas)
	if s == nil {
		return nil
	}
	return resolved(s.Properties[name], schemas)
}

// resolved is a schema, found by its name if it has one.
func resolved(s *huma.Schema, schemas huma.Registry) *huma.Schema {
	if s == nil || s.Ref == "" {
		return s
	}
	return schemas.SchemaFromRef(s.Ref)
}
