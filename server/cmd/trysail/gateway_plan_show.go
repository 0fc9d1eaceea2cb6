package main

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/server/configfile"
	"github.com/trysail-go/trysail/server/gateway"
)

// A lister lists the values of a plan by their paths in the file.
type lister struct {
	reading *reading
	values  []config.Value
}

// planInForce lists a plan: what is said, with where, and what follows from it. Of keys it says only whether they are there.
func (r *reading) planInForce(plan *gateway.Plan) []config.Value {
	l := &lister{reading: r}
	for i := range plan.Targets {
		l.target(&plan.Targets[i])
	}
	for i := range plan.Routes {
		l.route(i, &plan.Routes[i])
	}
	for i := range plan.Keys {
		l.key(i, &plan.Keys[i])
	}
	l.operations(plan.Operations)
	return l.values
}

// targetPath is the path of a target in the file, also of one that only the environment has.
func (r *reading) targetPath(name string) string { return configfile.Path(targetsPath, name) }

// add lists a value that somebody has said: the nearest key around it in the file is its place.
func (l *lister) add(name, path string, value any, given bool) {
	text := fmt.Sprint(value)
	if !given || text == "" {
		return
	}
	l.values = append(l.values, config.Value{Name: name, Value: text, Origin: l.reading.file.origin(path)})
}

// target lists a target. Protocol and address are always there.
func (l *lister) target(t *gateway.Target) {
	path := l.reading.targetPath(t.Name)
	filed, inFile := l.reading.file.gateway.Targets[t.Name]
	derived := config.Origin{Source: config.FromDefault}
	protocol, base := derived, derived
	if inFile && filed.Protocol != "" {
		protocol = l.reading.file.origin(path + ".protocol")
	}
	if inFile && filed.BaseURL != "" {
		base = l.reading.file.origin(path + ".base_url")
	}
	address := t.BaseURL
	if t.Simulated {
		address = "simulated"
		if inFile {
			base = l.reading.file.origin(path + ".simulated")
		}
	}
	e := slices.IndexFunc(environmentTargets(), func(e environmentTarget) bool { return e.name == t.Name })
	if !inFile && e >= 0 {
		_, v := l.reading.baseFor(&environmentTargets()[e])
		base = v.origin
	}
	l.values = append(l.values, config.Value{Name: path + ".protocol", Value: wordOf(t.Protocol), Origin: protocol},
		config.Value{Name: path + ".base_url", Value: address, Origin: base})
	if !inFile {
		if e >= 0 && len(t.Credentials) > 0 {
			_, v := l.reading.keyFor(&environmentTargets()[e])
			l.values = append(l.values, config.Value{Name: path + ".api_key", Value: aSecret, Origin: v.origin})
		}
		return
	}
	l.filed(path, t, &filed)
}

// filed lists what the file says of a target.
func (l *lister) filed(path string, t *gateway.Target, s *targetSection) {
	said := func(key string, value any, given bool) { l.add(path+"."+key, path+"."+key, value, given) }
	said("provider", t.Provider, t.Provider != "")
	said("api_key", aSecret, !s.APIKey.Empty())
	for i, c := range s.Credentials {
		at := fmt.Sprintf("%s.credentials[%d]", path, i)
		l.add(at, at, strings.TrimSpace(c.Name+" "+aSecret), true)
	}
	for _, model := range slices.Sorted(maps.Keys(t.Models)) {
		at := configfile.Path(path+".models", model)
		l.add(at, at, t.Models[model], true)
	}
	said("models_only", t.Only, t.Only)
	said("window", t.Window, t.Window != 0)
	said("price.input", price(t.Price.Input), t.Price.Input != 0)
	said("price.cached_input", price(t.Price.CachedInput), t.Price.CachedInput != 0)
	said("price.output", price(t.Price.Output), t.Price.Output != 0)
	said("limits.requests_per_minute", t.Limits.Requests, t.Limits.Requests != 0)
	said("limits.tokens_per_minute", t.Limits.Tokens, t.Limits.Tokens != 0)
	said("limits.dollars_per_day", t.Limits.Dollars, t.Limits.Dollars != 0)
	said("limits.concurrent", t.Limits.Concurrent, t.Limits.Concurrent != 0)
	said("limits.adaptive", t.Limits.Adaptive, t.Limits.Adaptive)
	said("probe.path", t.Probe.Path, t.Probe.Path != "")
	said("probe.interval", t.Probe.Interval, t.Probe.Interval != 0)
	said("probe.timeout", t.Probe.Timeout, t.Probe.Timeout != 0)
	said("region", t.Region, t.Region != "")
	for _, row := range config.PolicyValues(&t.Policy) {
		said("policy."+row.Name, row.Value, true)
	}
	said("draining", t.Draining, t.Draining)
}

// route lists a route under its name.
func (l *lister) route(i int, route *gateway.Route) {
	name, path := configfile.Path(routesPath, route.Name), fmt.Sprintf("%s[%d]", routesPath, i)
	said := func(key string, value any, given bool) { l.add(name+"."+key, path+"."+key, value, given) }
	l.add(name+".rank", path, i+1, true)
	said("path", route.Path, route.Path != "")
	said("model", route.Model, route.Model != "")
	for _, header := range slices.Sorted(maps.Keys(route.Headers)) {
		l.add(configfile.Path(name+".headers", header), configfile.Path(path+".headers", header), route.Headers[header], true)
	}
	var places []string
	for _, t := range route.Targets {
		place := fmt.Sprintf("%s (priority %d", t.Target, t.Priority)
		if t.Weight != 1 {
			place += fmt.Sprintf(", weight %v", t.Weight)
		}
		places = append(places, place+")")
	}
	said("targets", strings.Join(places, ", "), true)
	said("operation", route.Operation, route.Operation != "")
	said("strategy", route.Strategy, route.Strategy != trysail.Strategy(""))
	said("timeout", route.Timeout, route.Timeout != 0)
	said("on_content_policy", "next", route.OnContentPolicy == gateway.Next)
	l.hedge(name+".hedge", path+".hedge", &route.Hedge)
	said("continue", true, route.Continue)
	for _, header := range []struct {
		key string
		no  bool
	}{
		{"strategy", route.Allow.NoStrategy},
		{"retries", route.Allow.NoRetries},
		{"timeout", route.Allow.NoTimeout},
		{"priority", route.Allow.NoPriority},
		{"fallback", route.Allow.NoFallback},
	} {
		said("allow."+header.key, false, header.no)
	}
}

// key lists a client's key under its name.
func (l *lister) key(i int, k *gateway.ClientKey) {
	name, path := configfile.Path(keysPath, k.Name), fmt.Sprintf("%s[%d]", keysPath, i)
	said := func(key string, value any, given bool) { l.add(name+"."+key, path+"."+key, value, given) }
	said("key", aSecret, true)
	said("operations", strings.Join(k.Operations, ", "), true)
	said("routes", strings.Join(k.Routes, ", "), true)
	said("targets", strings.Join(k.Targets, ", "), true)
	said("limits.requests_per_minute", k.Requests, k.Requests != 0)
	said("limits.tokens_per_minute", k.Tokens, k.Tokens != 0)
	said("limits.dollars_per_day", k.Dollars, k.Dollars != 0)
	said("max_priority", k.Ceiling, k.Ceiling != trysail.PriorityInteractive)
}

// keysOf returns the keys of a plan's targets and clients, to compare, by the paths that planInForce lists. Of clients' keys they are the hashes.
func keysOf(plan *gateway.Plan) map[string]string {
	keys := map[string]string{}
	for _, t := range plan.Targets {
		for i, c := range t.Credentials {
			keys[credentialPath(t.Name, i)] = c.Key
		}
	}
	for _, k := range plan.Keys {
		keys[clientKeyPath(k.Name)] = hex.EncodeToString(k.Hash[:])
	}
	return keys
}

// credentialPath is the path of a target's key.
func credentialPath(target string, i int) string {
	return fmt.Sprintf("%s.credentials[%d]", configfile.Path(targetsPath, target), i)
}

// clientKeyPath is the path of a client's key, by the client's name.
func clientKeyPath(name string) string { return configfile.Path(keysPath, name) + ".key" }
