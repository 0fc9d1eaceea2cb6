package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/trysail-go/trysail/config"
)

type (
	versionsView struct {
		Versions []versionView `json:"versions" nullable:"false" doc:"The newest first."`
		Current  int           `json:"current_version"`
		Count    int           `json:"count"`
	}

	versionView struct {
		Number     int       `json:"number" minimum:"1"`
		Current    bool      `json:"current" doc:"Whether it is in force."`
		Time       time.Time `json:"timestamp" doc:"Since when it is or was in force."`
		Trigger    string    `json:"trigger" enum:"start,sighup,file,api,rollback"`
		By         string    `json:"by" doc:"Who asked for it; may be empty."`
		Reason     string    `json:"reason" doc:"The reason given; may be empty."`
		RollbackOf *int      `json:"rollback_of" doc:"The version that a rollback went back to; null when it was none."`
		PresetName string    `json:"preset_name"`
		Source     string    `json:"source" enum:"preset,custom,legacy,reload,fallback"`
		Operations []string  `json:"changed_operations" nullable:"false" doc:"Against the version before."`
	}

	versionDiffView struct {
		From    int                `json:"from"`
		To      int                `json:"to"`
		Changes []configChangeView `json:"changes" nullable:"false"`
		Count   int                `json:"count"`
	}
)

func (a *API) versions(context.Context, *nothing) (*versionsView, error) {
	if a.reloader == nil {
		return nil, cannotReload()
	}
	all := a.reloader.Versions()
	out := versionsView{Versions: make([]versionView, 0, len(all)), Current: all[len(all)-1].Number, Count: len(all)}
	for _, v := range slices.Backward(all) {
		view := versionView{
			Number: v.Number, Current: v.Number == out.Current, Time: instant(v.Time), Trigger: string(v.Trigger), By: v.By, Reason: v.Why,
			PresetName: v.Loaded.Preset.Key, Source: v.Loaded.Kind(), Operations: listOf(v.Change.Operations),
		}
		if v.Of != 0 {
			view.RollbackOf = &v.Of
		}
		out.Versions = append(out.Versions, view)
	}
	return &out, nil
}

// A diffInput names two versions.
type diffInput struct {
	Number int `path:"number" minimum:"1" doc:"The version to compare." example:"1"`
	To     int `query:"to" minimum:"1" doc:"The version to compare it with. Default: the one in force." example:"1"`
}

func (a *API) versionDiff(_ context.Context, in *diffInput) (*versionDiffView, error) {
	if a.reloader == nil {
		return nil, cannotReload()
	}
	if in.To == 0 {
		in.To = a.reloader.Current().Number
	}
	was, err := a.reloader.Version(in.Number)
	if err != nil {
		return nil, a.noVersion("path.number", in.Number, err)
	}
	now, err := a.reloader.Version(in.To)
	if err != nil {
		return nil, a.noVersion("query.to", in.To, err)
	}
	all := now.Loaded.Since(&was.Loaded)
	return &versionDiffView{in.Number, in.To, viewOfDifferences(all), len(all)}, nil
}

// A rollbackInput names the version to go back to.
type rollbackInput struct {
	Number int `path:"number" minimum:"1" doc:"The version to go back to." example:"1"`
	Body   *rollbackBody
}

type rollbackBody struct {
	DryRun bool   `json:"dry_run,omitempty" default:"false" doc:"Say what would change, and change nothing."`
	Reason string `json:"reason,omitempty" maxLength:"200" pattern:"^[^\\x00-\\x1f\\x7f]*$" doc:"Why, for the list of versions."`
}

func (a *API) rollback(ctx context.Context, in *rollbackInput) (*reloadView, error) {
	if a.reloader == nil {
		return nil, cannotReload()
	}
	body := rollbackBody{}
	if in.Body != nil {
		body = *in.Body
	}
	if _, err := a.reloader.Version(in.Number); err != nil {
		return nil, a.noVersion("path.number", in.Number, err) // no reload has failed, so nobody is to be alarmed
	}
	result, err := a.reloader.Rollback(ctx, in.Number, config.Request{By: hostOf(ctx), Why: body.Reason, DryRun: body.DryRun})
	if errors.Is(err, config.ErrVersion) {
		return nil, a.noVersion("path.number", in.Number, err)
	}
	if err != nil {
		return nil, notReloaded(err, false)
	}
	return a.reloaded(ctx, &result)
}

// noVersion tells of a version that is not kept which ones are.
func (a *API) noVersion(location string, number int, err error) error {
	if !errors.Is(err, config.ErrVersion) {
		return err
	}
	numbers := []int{}
	for _, v := range slices.Backward(a.reloader.Versions()) {
		if len(numbers) < maxKnown {
			numbers = append(numbers, v.Number)
		}
	}
	return &problemError{Problem{
		Status: http.StatusNotFound, Detail: fmt.Sprintf("Version %d not found", number),
		Errors: []Fault{{Location: location, Message: "unknown version; value has the newest ones that are kept", Value: numbers}},
	}}
}
