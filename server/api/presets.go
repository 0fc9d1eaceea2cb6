package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/trysail-go/trysail/config"
)

func (a *API) listPresets(context.Context, *nothing) (*[]presetView, error) {
	all := a.presets.List()
	views := make([]presetView, len(all))
	for i := range all {
		views[i] = viewOfPreset(&all[i])
	}
	return &views, nil
}

// A presetInput names a preset.
type presetInput struct {
	Name pathName `path:"preset_name" doc:"The preset's key, in lower case." example:"production"`
}

func (a *API) preset(_ context.Context, in *presetInput) (*presetDetailsView, error) {
	p, err := a.presets.Get(string(in.Name))
	if err != nil {
		return nil, a.noPreset(http.StatusNotFound, "path.preset_name", err)
	}
	view, err := viewOfPresetDetails(&p)
	return &view, err
}

func (a *API) presetsSummary(context.Context, *nothing) (*map[string]presetDetailsView, error) {
	out := map[string]presetDetailsView{}
	for _, p := range a.presets.List() {
		view, err := viewOfPresetDetails(&p)
		if err != nil {
			return nil, err
		}
		out[p.Key] = view
	}
	return &out, nil
}

// noPreset tells which presets there are. The sentence is the specification's.
func (a *API) noPreset(status int, location string, err error) error {
	names := a.presets.Names()
	p := (&missingError{known: names}).problem()
	p.Status, p.Detail, p.Errors[0].Location = status, err.Error(), location
	return &problemError{p}
}

// An environmentInput names an environment.
type environmentInput struct {
	Name pathName `path:"environment" doc:"The environment's name, such as prod or staging-eu." example:"production"`
}

func (a *API) recommendPreset(_ context.Context, in *environmentInput) (*recommendationView, error) {
	r := config.Recommend(string(in.Name))
	r.Environment = string(in.Name) // as it was asked for, whatever was understood
	return &recommendationView{r.Environment, r.Preset, r.Confidence, r.Reasoning, a.presets.Names(), r.Detected}, nil
}

func (a *API) detectPreset(context.Context, *nothing) (*detectionView, error) {
	r := a.detect()
	view := detectionView{
		r.Environment, r.Preset, r.Confidence, r.Reasoning, a.presets.Names(), r.Detected,
		"environment_variables_and_context", make([]signalView, len(r.Signals)),
	}
	for i, s := range r.Signals {
		view.Signals[i] = signalView{s.Environment, s.Source, s.Confidence, s.Reasoning}
	}
	if len(r.Signals) == 1 && strings.HasPrefix(r.Signals[0].Reasoning, "Explicit environment from ") {
		view.Method = "environment_variable"
	}
	return &view, nil
}
