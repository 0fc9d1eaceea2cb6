package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Merge lays overrides, a document as [Validate] takes it, over the template's numbers: field by field, and within
// operation_overrides operation by operation. First the overrides are checked by themselves, then what comes of both. An empty
// document, or {}, overrides nothing. Of a report with errors the Custom is empty. Of the options, Base and AllowEmpty
// are Merge's own business.
func (t Template) Merge(overrides []byte, opts ValidateOptions) (Custom, Report) {
	opts.Operations = slices.Concat(opts.Operations, slices.Sorted(maps.Keys(t.Custom.OperationOverrides)))
	opts.Base, opts.AllowEmpty = nil, true
	var custom Custom
	var report Report
	if len(overrides) > 0 {
		shape := opts
		shape.ShapeOnly = true
		if custom, report = Validate(overrides, shape); !report.Valid() {
			return Custom{}, report
		}
	}
	merged := custom.Over(t.Custom)
	merged.OperationOverrides = maps.Clone(merged.OperationOverrides)
	base := t.preset()
	opts.Base = &base
	whole := merged.Check(opts)
	for _, f := range whole.Errors {
		report.refuse(f)
	}
	for _, f := range whole.Warnings {
		report.warn(f)
	}
	for _, s := range whole.Suggestions {
		report.suggest(s)
	}
	if !report.Valid() {
		return Custom{}, report
	}
	return merged, report
}

// Merge is [Template.Merge] for the template or preset with that key.
func (m *Manager) Merge(base string, overrides []byte, opts ValidateOptions) (Custom, Report) {
	t, err := m.Base(base)
	if err == nil {
		return t.Merge(overrides, opts)
	}
	report := Report{Size: len(overrides)}
	report.refuse(Finding{
		Path: "template_name", Rule: RuleShape, Message: "Unknown template: " + shownKey(base),
		Suggestion: fmt.Sprintf("Available templates: %s; presets are templates, too: %s",
			strings.Join(templateKeys(), ", "), strings.Join(m.Names(), ", ")),
	})
	return Custom{}, report
}
