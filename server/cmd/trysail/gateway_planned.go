package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/server/gateway"
)

// A planned is a plan with what is to be said of it: a part of a version of the configuration. Its targets that are simulated have no address.
type planned struct {
	plan     gateway.Plan
	values   []config.Value
	places   map[string]config.Origin // of its keys, by the paths of keysOf
	from     map[string]string        // where they are read from, such as "variable OPENAI_API_KEY"
	warnings []string
}

// plan compiles the plan of a reading for this server.
func (srv *server) plan(r *reading) (*planned, error) {
	p, err := compilePlan(r, srv.listensOn(r))
	next := &planned{plan: p.plan, from: p.from, places: map[string]config.Origin{}}
	if err != nil {
		return next, err
	}
	next.values = r.planInForce(&p.plan)
	for path, from := range p.from {
		next.places[path] = keyPlaceOf(from)
	}
	for _, warning := range r.planWarnings(&p.plan) {
		next.warnings = append(next.warnings, warning.Message)
	}
	return next, nil
}

// keyPlaceOf is the origin of a key, by where it is read from.
func keyPlaceOf(from string) config.Origin {
	if name, ok := strings.CutPrefix(from, "variable "); ok {
		return config.Origin{Source: config.FromVariable, Detail: name}
	}
	return config.Origin{Source: config.FromFile, Detail: strings.TrimPrefix(from, "file ")}
}

// again compiles the plan of the start once more.
func (p *planned) again(srv *server) error {
	next, err := srv.plan(srv.now)
	*p = *next
	return err
}

// Values implements [config.Companion].
func (p *planned) Values() []config.Value { return slices.Clone(p.values) }

// Since implements [config.Companion]. Keys count, too, where they are known.
func (p *planned) Since(was config.Companion) []config.Difference {
	old := was.Values()
	all := config.Differences(old, p.values)
	if before, ok := was.(*planned); ok {
		had, has := keysOf(&before.plan), keysOf(&p.plan)
		for _, path := range slices.Sorted(maps.Keys(has)) {
			if key := had[path]; key != "" && key != has[path] {
				all = append(all, config.Difference{Name: path, Old: aSecret, New: another, OldOrigin: before.places[path], NewOrigin: p.places[path]})
			}
		}
	}
	if a, b := orderOf(old), orderOf(p.values); len(all) == 0 && a != b { // it is the order in which they are asked
		all = append(all, config.Difference{
			Name: targetsPath, Old: a, New: b, OldOrigin: config.Origin{Source: config.FromFile}, NewOrigin: config.Origin{Source: config.FromFile},
		})
	}
	return all
}

// orderOf lists the targets of the values of a plan.
func orderOf(values []config.Value) string {
	var names []string
	for _, v := range values {
		if name, ok := strings.CutPrefix(v.Name, targetsPath); ok && strings.HasSuffix(name, ".protocol") {
			names = append(names, strings.TrimPrefix(strings.TrimSuffix(name, ".protocol"), "."))
		}
	}
	return strings.Join(names, ", ")
}

// The forms in which versions keep plans. The fields of Go's structs have their names; who renames one has versions of before that cannot be gone back to, and
// that say so. A key is not in them, but where it is read from; a hash is, where it stands in the file.
type (
	keptPlan struct {
		Targets []keptTarget    `json:"targets"`
		Routes  []gateway.Route `json:"routes,omitempty"`
		Keys    []keptKey       `json:"keys,omitempty"`

		Operations map[string]gateway.OperationLimits `json:"operations,omitempty"`
	}

	keptTarget struct {
		gateway.Target
		Credentials []keptCredential `json:"Credentials,omitempty"` // in the place of the target's own
	}

	keptCredential struct {
		Name string `json:"name"`
		From string `json:"from"`
	}

	keptKey struct {
		gateway.ClientKey
		Hash string `json:"Hash,omitempty"` // in the place of the key's own; hexadecimal digits
		From string `json:"from"`
	}
)

// Kept implements [config.Companion].
func (p *planned) Kept() (json.RawMessage, error) {
	kept := keptPlan{Routes: p.plan.Routes, Operations: p.plan.Operations}
	for _, t := range p.plan.Targets {
		target := keptTarget{Target: t}
		for i, c := range t.Credentials {
			target.Credentials = append(target.Credentials, keptCredential{c.Name, p.from[credentialPath(t.Name, i)]})
		}
		target.Target.Credentials = nil
		kept.Targets = append(kept.Targets, target)
	}
	keys := keysOf(&p.plan)
	for _, k := range p.plan.Keys {
		path := clientKeyPath(k.Name)
		key := keptKey{ClientKey: k, From: p.from[path]}
		if key.From == hashInFile {
			key.Hash = keys[path]
		}
		kept.Keys = append(kept.Keys, key)
	}
	return json.Marshal(kept)
}

// hashInFile is the origin of a key of which the file has the hash.
const hashInFile = "the configuration file"
