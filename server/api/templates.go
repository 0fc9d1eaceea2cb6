package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/monitor"
)

type (
	templatesView struct {
		Templates map[string]templateView `json:"templates" doc:"By key."`
		Count     int                     `json:"count"`
	}

	templateView struct {
		TemplateName  string     `json:"template_name" doc:"What operators write." example:"low_latency"`
		Name          string     `json:"name" doc:"For people."`
		Description   string     `json:"description"`
		Config        customView `json:"config"`
		Configuration customView `json:"configuration" doc:"The same as config."`
	}

	templateCheckView struct {
		Valid        bool               `json:"is_valid"`
		Errors       []string           `json:"errors" nullable:"false"`
		Warnings     []string           `json:"warnings" nullable:"false"`
		Suggestions  []string           `json:"suggestions" nullable:"false" doc:"What would help."`
		SecurityInfo orNull[emptyView]  `json:"security_info" doc:"Always null; validate-secure has it."`
		TemplateName string             `json:"template_name" doc:"As it was sent."`
		Effective    orNull[customView] `json:"effective_config" doc:"The template with the overrides; null when that is not valid."`
	}

	suggestionView struct {
		Template   *string  `json:"suggested_template" doc:"Null when none comes near."`
		Confidence float64  `json:"confidence" minimum:"0" maximum:"1" doc:"Which share of attempts, threshold and default strategy, as far as given, are the template's."`
		Reasoning  string   `json:"reasoning"`
		Available  []string `json:"available_templates" nullable:"false"`
	}
)

func viewOfTemplate(t *config.Template) templateView {
	return templateView{t.Key, t.Name, t.Description, customView(t.Custom), customView(t.Custom)}
}

func (a *API) listTemplates(context.Context, *nothing) (*templatesView, error) {
	out := templatesView{Templates: map[string]templateView{}}
	for _, t := range config.Templates() {
		out.Templates[t.Key] = viewOfTemplate(&t)
		out.Count++
	}
	return &out, nil
}

// A templateInput names a template.
type templateInput struct {
	Name pathName `path:"template_name" doc:"The template's key, in lower case." example:"low_latency"`
}

func (a *API) template(_ context.Context, in *templateInput) (*templateView, error) {
	t, err := config.TemplateByName(string(in.Name))
	if err != nil {
		return nil, &missingError{kind: "Template", param: "template_name", name: string(in.Name), known: templateNames()}
	}
	view := viewOfTemplate(&t)
	return &view, nil
}

func templateNames() []string {
	names := []string{}
	for _, t := range config.Templates() {
		names = append(names, t.Key)
	}
	return names
}

// A templateCheckInput asks for a check of a template with overrides.
type templateCheckInput struct {
	Body struct {
		TemplateName string       `json:"template_name" minLength:"1" maxLength:"200" doc:"The key of a template or of a preset." example:"production"`
		Overrides    customObject `json:"overrides,omitempty" doc:"What is to differ; null is nothing."`
	}
}

func (a *API) checkTemplate(ctx context.Context, in *templateCheckInput) (*templateCheckView, error) {
	overrides := []byte(in.Body.Overrides)
	if string(overrides) == "null" {
		overrides = nil
	}
	merged, report := a.presets.Merge(in.Body.TemplateName, overrides, config.ValidateOptions{Operations: a.knownOperations()})
	out := templateCheckView{
		Valid: report.Valid(), Errors: messagesOf(report.Errors), Warnings: messagesOf(report.Warnings),
		Suggestions: listOf(report.Suggestions), TemplateName: in.Body.TemplateName,
	}
	if out.Valid {
		out.Effective = viewOfCustom(merged)
	}
	checked := monitor.Subject{Operation: "validate_template"}
	if base, err := a.presets.Base(in.Body.TemplateName); err == nil {
		checked.Preset = base.Key // a name that is none may be anything
	}
	a.recordValidation(ctx, checked, report)
	return &out, nil
}

// A suggestInput holds the configuration that a template is wanted for.
type suggestInput struct {
	Body struct {
		Configuration wantedObject `json:"configuration" doc:"A custom configuration; numbers may be out of their ranges."`
	}
}

// A wantedObject is a JSON object as it was sent.
type wantedObject []byte

// UnmarshalJSON implements [json.Unmarshaler].
func (w *wantedObject) UnmarshalJSON(text []byte) error {
	*w = slices.Clone(text)
	return nil
}

// Schema implements [huma.SchemaProvider].
func (wantedObject) Schema(huma.Registry) *huma.Schema {
	members := customView{}.Schema(nil).Properties
	for _, member := range members {
		member.Minimum, member.Maximum = nil, nil
		if member.Type == huma.TypeObject {
			member.Extensions = asWritten{"propertyNames": asWritten{"pattern": "^[0-9A-Za-z_-]+$"}} // what is surely taken
		}
	}
	s := &huma.Schema{
		Type: huma.TypeObject, Examples: []any{exampleConfiguration()},
		Extensions: asWritten{"properties": members, "additionalProperties": false},
	}
	s.PrecomputeMessages()
	return s
}

func (a *API) suggestTemplate(_ context.Context, in *suggestInput) (*suggestionView, error) {
	suggestion, report := config.SuggestFor(in.Body.Configuration)
	if !report.Valid() {
		p := Problem{Status: http.StatusUnprocessableEntity, Detail: "The configuration cannot be compared with templates; errors says why"}
		p.blame("body.configuration", &report)
		return nil, &problemError{p}
	}
	out := suggestionView{Confidence: suggestion.Confidence, Reasoning: suggestion.Reasoning, Available: templateNames()}
	if suggestion.Template != "" {
		out.Template = &suggestion.Template
	}
	return &out, nil
}
