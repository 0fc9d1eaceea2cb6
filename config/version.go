package config

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/trysail-go/trysail"
)

// A Trigger is what had a configuration loaded.
type Trigger string

// The triggers.
const (
	TriggerStart    Trigger = "start"
	TriggerSignal   Trigger = "sighup"
	TriggerFile     Trigger = "file" // a configuration file has changed
	TriggerAPI      Trigger = "api"
	TriggerRollback Trigger = "rollback"
)

// A Version is a configuration that is or was in effect. Versions are numbered from 1.
type Version struct {
	Number  int // 0: it never was in effect
	Time    time.Time
	Trigger Trigger
	By      string // who asked for it; may be empty
	Why     string // the reason given; may be empty
	Of      int    // the version that a rollback went back to, or 0

	Loaded Loaded
	Change trysail.Change // against the version before
	Events []Event        // what a monitor should record: what loading noted, and the change
}

// A Difference is a value that is not the same in two versions. A value that is missing in one of them is empty there.
type Difference struct {
	Name                 string // as in [Value]
	Old, New             string
	OldOrigin, NewOrigin Origin
}

// Differences compares two lists of values, such as [Loaded.Effective] and [Companion] return. Values from other places that are the same are no
// difference. The order is that of the lists: first what is in now, in its order, then what is only in was.
func Differences(was, now []Value) []Difference {
	var all []Difference
	old := make(map[string]Value, len(was))
	for _, v := range was {
		old[v.Name] = v
	}
	for _, v := range now {
		before := old[v.Name]
		delete(old, v.Name)
		if before.Value != v.Value {
			all = append(all, Difference{v.Name, before.Value, v.Value, before.Origin, v.Origin})
		}
	}
	for _, v := range was {
		if gone, ok := old[v.Name]; ok {
			all = append(all, Difference{v.Name, gone.Value, "", gone.Origin, Origin{}})
		}
	}
	return all
}

// same reports whether two configurations come to the same, wherever their values are from.
func (l *Loaded) same(other *Loaded) bool {
	a, b := &l.Trysail, &other.Trysail
	return l.LogLevel == other.LogLevel && l.ShowLoading == other.ShowLoading && l.Preset.Key == other.Preset.Key &&
		a.Preset == b.Preset && a.DefaultStrategy == b.DefaultStrategy && a.Default == b.Default && a.Disabled == b.Disabled &&
		sameOperations(a, b) && maps.Equal(a.Strategies, b.Strategies) && maps.Equal(a.Classes, b.Classes) && len(l.beside(other)) == 0
}

// sameOperations compares the Operations of two configurations with the same Strategies, which overrule those of the operations.
func sameOperations(a, b *trysail.Config) bool {
	if len(a.Operations) != len(b.Operations) {
		return false
	}
	for name, own := range a.Operations {
		other, ok := b.Operations[name]
		if !ok || own.Policy != other.Policy || own.Strategy != other.Strategy && a.Strategies[name] == "" {
			return false
		}
	}
	return true
}

// Versions returns the newest versions, the oldest first: as many as the Reloader keeps.
func (r *Reloader) Versions() []Version {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.versions)
}

// Current returns the version that is in effect.
func (r *Reloader) Current() Version {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.versions[len(r.versions)-1]
}

// Version returns the version of that number, or an error that says which there are.
func (r *Reloader) Version(number int) (Version, error) {
	all := r.Versions()
	i := slices.IndexFunc(all, func(v Version) bool { return v.Number == number })
	if i < 0 {
		return Version{}, fmt.Errorf("%w: %d, want one of those that are kept, %d to %d", ErrVersion, number, all[0].Number, all[len(all)-1].Number)
	}
	return all[i], nil
}

// Diff returns what differs between two versions.
func (r *Reloader) Diff(from, to int) ([]Difference, error) {
	was, err := r.Version(from)
	if err != nil {
		return nil, err
	}
	now, err := r.Version(to)
	if err != nil {
		return nil, err
	}
	return now.Loaded.Since(&was.Loaded), nil
}
