package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"

	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/server/api"
	"github.com/trysail-go/trysail/server/configfile"
	"github.com/trysail-go/trysail/server/gateway"
)

// A restoring makes the plan of an earlier version ready. It goes on after a fault, to find all of them.
type restoring struct {
	kept   keptPlan
	secret func(path, from string) (configfile.Secret, error)
	next   *planned
	errs   []error
}

// restore makes the plan of an earlier version ready for a rollback: its keys are read again from where they are. One that stood in the file itself is not
// kept; it is the one in force or of this process's version, if there is one.
func (srv *server) restore(_ context.Context, was config.Companion) (config.Companion, error) {
	text, err := was.Kept()
	if err != nil {
		return nil, err
	}
	r := &restoring{next: &planned{values: was.Values(), places: map[string]config.Origin{}, from: map[string]string{}}}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&r.kept); err != nil {
		return nil, fmt.Errorf("the gateway's targets, routes and keys are in the form of another program: %w", err)
	}
	envFile, err := readEnvFile(srv.reader.command.EnvFile)
	if err != nil {
		return nil, err
	}
	known := keysOf(&srv.planned.plan)
	if before, ok := was.(*planned); ok {
		maps.Copy(known, keysOf(&before.plan))
	}
	lookup, dir := config.Sources{Lookup: srv.reader.lookup, EnvFile: envFile}.Variable, filepath.Dir(srv.reader.command.Config)
	r.secret = func(path, from string) (configfile.Secret, error) {
		if key := known[path]; from == hashInFile && key != "" {
			return configfile.NewSecret(key, from), nil
		}
		return configfile.SecretFrom(from, dir, lookup)
	}
	r.targets()
	r.keys()
	if err := errors.Join(append(r.errs, srv.fits(&r.next.plan))...); err != nil {
		return nil, err
	}
	return r.next, gateway.CheckPlan(r.next.plan)
}

func (r *restoring) bad(path string, err error) {
	r.errs = append(r.errs, fmt.Errorf("%s: %w", path, err))
}

func (r *restoring) from(path, from string) {
	r.next.from[path], r.next.places[path] = from, keyPlaceOf(from)
}

func (r *restoring) targets() {
	r.next.plan.Routes, r.next.plan.Operations = r.kept.Routes, r.kept.Operations
	for _, kept := range r.kept.Targets {
		t := kept.Target
		t.Credentials = nil
		for i, c := range kept.Credentials {
			path := credentialPath(t.Name, i)
			secret, err := r.secret(path, c.From)
			if err != nil {
				r.bad(path, err)
			}
			r.from(path, c.From)
			t.Credentials = append(t.Credentials, gateway.Credential{Name: c.Name, Key: secret.Reveal()})
		}
		r.next.plan.Targets = append(r.next.plan.Targets, t)
	}
}

func (r *restoring) keys() {
	for _, kept := range r.kept.Keys {
		path := clientKeyPath(kept.Name)
		hash, err := configfile.ParseKeyHash(kept.Hash)
		if kept.From != hashInFile {
			var secret configfile.Secret
			if secret, err = r.secret(path, kept.From); err == nil {
				hash, err = configfile.HashOfKey(secret.Reveal(), kept.From)
			}
		}
		if err != nil {
			r.bad(path, err)
		}
		r.from(path, kept.From)
		k := kept.ClientKey
		k.Hash = hash.Sum()
		r.next.plan.Keys = append(r.next.plan.Keys, k)
	}
}

// fits refuses what of a good plan does not go together with this server as it runs.
func (srv *server) fits(plan *gateway.Plan) error {
	own, err := srv.now.keys()
	if err != nil {
		return err
	}
	var errs []error
	providers := map[[32]byte]bool{}
	for _, t := range plan.Targets {
		if u, err := url.Parse(t.BaseURL); err == nil && !t.Simulated && addressOf(srv.listensOn(srv.now)).is(u) {
			errs = append(errs, fmt.Errorf("the target %s is this server itself now", t.Name))
		}
		for _, c := range t.Credentials {
			providers[gateway.HashKey(c.Key)] = true
		}
	}
	errs = append(errs, keysOfOthers(own, providers, plan)...)
	return errors.Join(errs...)
}

// keysOfOthers finds keys that are somebody else's.
func keysOfOthers(own api.Keys, providers map[[32]byte]bool, plan *gateway.Plan) (errs []error) {
	for _, t := range plan.Targets {
		if slices.ContainsFunc(t.Credentials, func(c gateway.Credential) bool { return own.Holds(c.Key) }) {
			errs = append(errs, fmt.Errorf("a key of the target %s is one of the server's own now", t.Name))
		}
	}
	for _, k := range plan.Keys {
		if own.HoldsHash(k.Hash) || providers[k.Hash] {
			errs = append(errs, fmt.Errorf("the key %s is one of the server's own, or a provider's, now", k.Name))
		}
	}
	return errs
}
