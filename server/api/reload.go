package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

// A reloadInput says what is to be in force. Without a body it is what the sources say.
type reloadInput struct {
	Body *reloadBody
}

type reloadBody struct {
	Preset     string       `json:"preset,omitempty" minLength:"1" maxLength:"50" doc:"The key of the preset to change to." example:"production"`
	Custom     customObject `json:"custom_config,omitempty" doc:"Takes the place of all custom numbers; null clears them."`
	DryRun     bool         `json:"dry_run,omitempty" default:"false" doc:"Say what would change, and change nothing."`
	ReloadKeys bool         `json:"reload_api_keys,omitempty" default:"false" doc:"Refused: keys are read when the program starts."`
	Reason     string       `json:"reason,omitempty" maxLength:"200" pattern:"^[^\\x00-\\x1f\\x7f]*$" doc:"Why, for the list of versions."`
}

// A customObject is a custom configuration as it was sent: what checks it wants to see its very bytes. Nil: it was not sent.
type customObject []byte

// UnmarshalJSON implements [json.Unmarshaler]. It is called for null, too.
func (c *customObject) UnmarshalJSON(text []byte) error {
	*c = slices.Clone(text)
	return nil
}

// Schema implements [huma.SchemaProvider]. It describes what may be sent; what must be right about it is checked elsewhere, in the
// words of the specification.
func (customObject) Schema(r huma.Registry) *huma.Schema {
	s := *customView{}.Schema(r)
	s.AdditionalProperties, s.Properties, s.Nullable = true, nil, true
	s.Examples = []any{exampleConfiguration()}
	s.Description = "A JSON object of the fields of a custom configuration, or null."
	return &s
}

type (
	reloadView struct {
		Message    string             `json:"message"`
		Reloaded   bool               `json:"reloaded" doc:"False for a dry run."`
		Changed    bool               `json:"changed" doc:"Whether there is, or with a dry run would be, a new version."`
		DryRun     bool               `json:"dry_run"`
		Version    int                `json:"config_version" doc:"The version that is in force now."`
		Previous   configSummaryView  `json:"previous"`
		Current    configSummaryView  `json:"current" doc:"With a dry run: what would be in force."`
		Changes    []configChangeView `json:"changes" nullable:"false"`
		Breakers   []string           `json:"affected_circuit_breakers" nullable:"false" doc:"Those with other numbers than before, sorted. Their state stays."`
		Operations []string           `json:"affected_operations" nullable:"false" doc:"Those that do something else than before, sorted."`
		Warnings   []string           `json:"warnings" nullable:"false"`
		RollbackOf int                `json:"rollback_of,omitempty" doc:"The version that was gone back to."`
		ReloadedAt time.Time          `json:"reload_timestamp"`
	}

	configSummaryView struct {
		PresetName    string     `json:"preset_name"`
		Configuration policyView `json:"configuration"`
	}

	configChangeView struct {
		Field     string `json:"field" doc:"A field of a custom configuration, or a path as in the configuration file." example:"retry_attempts"`
		Old       string `json:"old" doc:"As text; empty when there was none."`
		New       string `json:"new" doc:"As text; empty when there is none."`
		OldSource string `json:"old_source" doc:"What decided it." example:"preset simple"`
		NewSource string `json:"new_source" doc:"What decided it." example:"preset production"`
	}
)

func (a *API) reload(ctx context.Context, in *reloadInput) (*reloadView, error) {
	if a.reloader == nil {
		return nil, cannotReload()
	}
	body := reloadBody{}
	if in.Body != nil {
		body = *in.Body
	}
	if body.ReloadKeys {
		return nil, &problemError{Problem{
			Status: http.StatusConflict, Detail: "API keys cannot be reloaded: this program reads them when it starts",
			Errors: []Fault{{Location: "body.reload_api_keys", Message: "wanted false or nothing; restart the program for other keys"}},
		}}
	}
	if body.Preset != "" {
		if _, err := a.presets.Lookup(body.Preset); err != nil {
			return nil, a.noPreset(http.StatusBadRequest, "body.preset", err)
		}
	}
	result, err := a.reloader.Reload(ctx, config.Request{
		Trigger: config.TriggerAPI, By: hostOf(ctx), Why: body.Reason, Preset: body.Preset, Custom: body.Custom, DryRun: body.DryRun,
	})
	if err != nil {
		return nil, notReloaded(err, body.Custom != nil)
	}
	return a.reloaded(ctx, &result)
}

// reloaded records and shows what came of a reload.
func (a *API) reloaded(ctx context.Context, r *config.Result) (*reloadView, error) {
	if r.Changed && !r.DryRun {
		c := change{what: auditReload}
		if r.Current.Of != 0 {
			c.what = auditRollback
		}
		c.before, c.after = configStates(&r.Previous, &r.Current)
		a.audit(ctx, c)
	}
	if !r.Changed && !r.DryRun { // a new version is recorded by who hears of it
		Record(a.monitor, subjectOf(ctx), r.Events)
	}
	out := reloadView{
		Reloaded: !r.DryRun, Changed: r.Changed, DryRun: r.DryRun, Version: r.Current.Number,
		Changes:  viewOfDifferences(r.Current.Loaded.Since(&r.Previous.Loaded)),
		Breakers: a.breakersOf(r.Change), Operations: listOf(r.Change.Operations), Warnings: listOf(r.Warnings),
		RollbackOf: r.Current.Of, ReloadedAt: instant(time.Now()),
	}
	if r.DryRun {
		out.Version = r.Previous.Number
	}
	out.Message = reloadMessage(&out)
	var err error
	if out.Previous, err = summaryOf(&r.Previous); err != nil {
		return nil, err
	}
	if out.Current, err = summaryOf(&r.Current); err != nil {
		return nil, err
	}
	who := callerOf(ctx)
	a.log.InfoContext(ctx, "configuration reload through the API", "version", out.Version, "changed", out.Changed, "dry_run", out.DryRun,
		"rollback_of", out.RollbackOf, "preset", out.Current.PresetName, "remote_addr", who.addr, "request_id", who.requestID)
	return &out, nil
}

func reloadMessage(v *reloadView) string {
	switch {
	case v.DryRun && v.Changed:
		return "Nothing is changed; a reload would change the configuration"
	case v.DryRun:
		return "A reload would change nothing"
	case v.Changed:
		return fmt.Sprintf("The configuration is reloaded; version %d is in force", v.Version)
	default:
		return fmt.Sprintf("The configuration is reloaded and is as before; version %d stays", v.Version)
	}
}

func summaryOf(v *config.Version) (configSummaryView, error) {
	plan, err := planOf(v.Loaded.Trysail)
	if err != nil {
		return configSummaryView{}, err
	}
	cfg := plan.Configuration()
	return configSummaryView{v.Loaded.Preset.Key, viewOfDefault(&cfg)}, nil
}

// breakersOf are the breakers whose numbers a change is about.
func (a *API) breakersOf(change trysail.Change) []string {
	names := []string{}
	for _, field := range change.Fields {
		if !strings.HasPrefix(field.Field, "Breaker.") {
			continue
		}
		if op, ok := a.orc.Lookup(field.Operation); ok && op.Breaker() != nil {
			names = append(names, field.Operation)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func viewOfDifferences(all []config.Difference) []configChangeView {
	views := make([]configChangeView, len(all))
	for i, d := range all {
		views[i] = configChangeView{d.Name, d.Old, d.New, originText(d.OldOrigin), originText(d.NewOrigin)}
	}
	return views
}

// originText is empty where there was no value.
func originText(o config.Origin) string {
	if o == (config.Origin{}) {
		return ""
	}
	return o.String()
}

func cannotReload() error {
	return &problemError{Problem{
		Status: http.StatusConflict, Detail: "This program cannot reload its configuration, and keeps no versions of it: it was configured in code",
	}}
}

// notReloaded words why a reload failed. What is wrong with a custom configuration that was sent is the client's fault, what is wrong
// with the sources is not.
func notReloaded(err error, sent bool) error {
	failed, ok := errors.AsType[*config.ReloadError](err)
	if !ok {
		return err
	}
	p := Problem{Status: http.StatusConflict, Detail: fmt.Sprintf("The configuration is not reloaded, version %d stays; errors says why", failed.Kept)}
	location := "sources"
	if sent {
		p.Status, location = http.StatusBadRequest, "body.custom_config"
	}
	if invalid, ok := errors.AsType[*config.InvalidError](err); ok {
		p.blame(location, &invalid.Report)
		return &problemError{p}
	}
	for line := range strings.Lines(failed.Err.Error()) {
		if len(p.Errors) < maxFaults {
			p.Errors = append(p.Errors, Fault{Location: location, Message: cut(strings.TrimSpace(line))})
		}
	}
	return &problemError{p}
}

// blame adds what a check of a document found.
func (p *Problem) blame(location string, r *config.Report) {
	for _, f := range r.Errors[:min(len(r.Errors), maxFaults)] {
		where := location
		if f.Path != "" {
			where += "." + f.Path
		}
		p.Errors = append(p.Errors, Fault{Location: cut(where), Message: cut(f.Message)})
	}
	p.Warnings, p.Suggestions = messagesOf(r.Warnings), r.Suggestions
}

// messagesOf are the findings' sentences: never null.
func messagesOf(findings []config.Finding) []string {
	all := make([]string, len(findings))
	for i, f := range findings {
		all[i] = f.Message
	}
	return all
}
