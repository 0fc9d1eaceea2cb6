package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/trysail-go/trysail"
)

// keptFormat numbers the formats of [Version.Encode]. What another program has written in another one is not guessed at.
const keptFormat = 1

// keptVersion is what a version looks like outside of the process.
type keptVersion struct {
	Format     int        `json:"format"`
	Number     int        `json:"number"`
	Time       time.Time  `json:"time"`
	Trigger    Trigger    `json:"trigger"`
	By         string     `json:"by,omitempty"`
	Why        string     `json:"why,omitempty"`
	Of         int        `json:"of,omitempty"`
	Operations []string   `json:"changed_operations,omitempty"`
	Loaded     keptLoaded `json:"configuration"`
}

type keptLoaded struct {
	Engine      keptConfig  `json:"engine"`
	Preset      Preset      `json:"preset"`
	Legacy      bool        `json:"legacy,omitempty"`
	LogLevel    LogLevel    `json:"log_level"`
	ShowLoading bool        `json:"show_loading,omitempty"`
	Custom      Custom      `json:"custom"`
	Refused     string      `json:"refused,omitempty"`
	Said        keptOverlay `json:"said"`
	Kind        string      `json:"kind"`
	Values      []Value     `json:"values"`

	Companion *keptCompanion `json:"companion,omitempty"`
}

type keptOverlay struct {
	Preset   string `json:"preset,omitempty"`
	PresetBy string `json:"preset_by,omitempty"`
	Replaced bool   `json:"replaced,omitempty"`
	Custom   string `json:"custom,omitempty"`
	CustomBy string `json:"custom_by,omitempty"`
}

// frozen is what a configuration from outside of the process can say of where it came from.
type frozen struct {
	kind   string
	values []Value
}

// Encode returns the version as JSON, for [DecodeVersion] of this program or a later one. It holds what [Reloader.Diff] and
// [Reloader.Rollback] need: every number and where it came from, and no secret. Events, warnings, steps and the fields of Change are not
// in it. A version of a thousand operations takes some 500 KB.
func (v *Version) Encode() ([]byte, error) {
	l := &v.Loaded
	engine, err := keepConfig(&l.Trysail)
	if err != nil {
		return nil, fmt.Errorf("encode version %d: %w", v.Number, err)
	}
	beside, err := keepCompanion(l.Companion)
	if err != nil {
		return nil, fmt.Errorf("encode version %d: %w", v.Number, err)
	}
	kept := keptVersion{
		Format: keptFormat, Number: v.Number, Time: v.Time.UTC().Round(0), Trigger: v.Trigger, By: v.By, Why: v.Why, Of: v.Of,
		Operations: v.Change.Operations,
		Loaded: keptLoaded{
			Engine: engine, Preset: l.Preset, Legacy: l.Legacy, LogLevel: l.LogLevel, ShowLoading: l.ShowLoading, Custom: l.Custom,
			Said: keptOverlay{l.changed.preset, l.changed.presetBy, l.changed.replaced, l.changed.custom, l.changed.customBy},
			Kind: l.Kind(), Values: l.Effective(), Companion: beside,
		},
	}
	if l.Refused != nil {
		kept.Loaded.Refused = l.Refused.Error()
	}
	out, err := json.Marshal(kept)
	if err != nil {
		return nil, fmt.Errorf("encode version %d: %w", v.Number, err)
	}
	return out, nil
}

// DecodeVersion returns a version that [Version.Encode] has written. It can be compared, and applied again. Its retry budgets are new
// ones, full, with the numbers of the old ones and shared as those were. The error says what is wrong: no JSON, another format, an unknown field, a configuration
// that [trysail.New] would refuse.
func DecodeVersion(data []byte) (Version, error) {
	v, err := decodeVersion(data)
	if err != nil {
		return Version{}, fmt.Errorf("decode version: %w", err)
	}
	return v, nil
}

func decodeVersion(data []byte) (Version, error) {
	var head struct{ Format int }
	if err := json.Unmarshal(data, &head); err != nil {
		return Version{}, err
	}
	if head.Format != keptFormat {
		return Version{}, fmt.Errorf("it has format %d, want %d: another program has written it", head.Format, keptFormat)
	}
	var kept keptVersion
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&kept); err != nil {
		return Version{}, err
	}
	engine, err := kept.Loaded.Engine.config()
	if err != nil {
		return Version{}, err
	}
	if _, err := trysail.New(engine); err != nil {
		return Version{}, err
	}
	return kept.version(engine)
}

func (k *keptVersion) version(engine trysail.Config) (Version, error) {
	triggers := []Trigger{TriggerStart, TriggerSignal, TriggerFile, TriggerAPI, TriggerRollback}
	switch {
	case k.Number < 1:
		return Version{}, fmt.Errorf("its number is %d, want 1 or more", k.Number)
	case k.Of < 0 || k.Of >= k.Number:
		return Version{}, fmt.Errorf("it goes back to version %d, want 0 or one before %d", k.Of, k.Number)
	case !slices.Contains(triggers, k.Trigger):
		return Version{}, fmt.Errorf("its trigger is %q, want one of %v", short(string(k.Trigger)), triggers)
	case k.Time.IsZero():
		return Version{}, errors.New("it has no time")
	}
	l, said := &k.Loaded, &k.Loaded.Said
	v := Version{
		Number: k.Number, Time: k.Time, Trigger: k.Trigger, By: k.By, Why: k.Why, Of: k.Of, Change: trysail.Change{Operations: k.Operations},
		Loaded: Loaded{
			Trysail: engine, Preset: l.Preset, Legacy: l.Legacy, LogLevel: l.LogLevel, ShowLoading: l.ShowLoading, Custom: l.Custom,
			changed: overlay{said.Preset, said.PresetBy, said.Replaced, said.Custom, said.CustomBy},
			frozen:  &frozen{l.Kind, l.Values},
		},
	}
	if l.Companion != nil {
		v.Loaded.Companion = l.Companion
	}
	if l.Refused != "" {
		v.Loaded.Refused = errors.New(l.Refused)
	}
	return v, nil
}
