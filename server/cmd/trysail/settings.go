package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/server/configfile"
	"github.com/trysail-go/trysail/server/gateway"
)

// effective lists every value that is in force, with where it is from: those of the library, then those of the server and
// the gateway. Of secrets it says only whether they are there.
func (r *reading) effective(loaded *config.Loaded) []config.Value {
	values := loaded.Effective()
	observe := config.Value{Name: "observe_calls", Value: fmt.Sprint(loaded.Trysail.ObserveCalls), Origin: config.Origin{Source: config.FromDefault}}
	if r.file.document != nil && r.file.document.ObserveCalls {
		observe.Origin = r.file.origin("observe_calls")
	}
	values = append(append(append(values, observe), r.settingsInForce()...), r.secrets()...)
	plan, err := planOf(r, r.settings.Addr)
	if err != nil {
		return values // it has been reported
	}
	return append(values, r.planInForce(&plan)...)
}

// settingsInForce are the flags of serve with what came to be their values.
func (r *reading) settingsInForce() []config.Value {
	s := r.settings
	var values []config.Value
	add := func(flag string, value any) {
		values = append(values, config.Value{Name: keyOf(flag), Value: fmt.Sprint(value), Origin: r.originOf(flag)})
	}
	add("addr", s.Addr)
	add("log-format", s.LogFormat)
	add("data-dir", cmp.Or(s.DataDir, "none"))
	add("trusted-proxies", cmp.Or(strings.Join(s.TrustedProxies, ","), "none"))
	add("validations-per-minute", s.ValidationsPerMinute)
	add("validations-per-hour", s.ValidationsPerHour)
	add("validation-cooldown", s.ValidationCooldown)
	add("shutdown-delay", s.ShutdownDelay)
	for _, f := range s.timeouts() {
		add(f.flag, f.limit)
	}
	if len(r.file.gateway.Targets) == 0 { // beside targets it has no effect
		add("openai-base-url", cmp.Or(s.OpenAIBaseURL, r.defaultProvider()))
	}
	add("max-body", s.MaxBody)
	add("max-answer", s.MaxAnswer)
	add("log-body", s.LogBody)
	add("max-operations", s.MaxOperations)
	add("simulate-fault-rate", s.SimulateFaultRate)
	add("simulate-token-delay", s.SimulateTokenDelay)
	return values
}

// defaultProvider is who answers when nobody names a provider.
func (r *reading) defaultProvider() string {
	if r.file.providerKey(r.sources.Variable) == "" {
		return "simulated"
	}
	return gateway.OpenAI
}

// originOf says who set a flag.
func (r *reading) originOf(flag string) config.Origin {
	if origin, given := r.settings.given[flag]; given {
		if origin.Source == config.FromVariable {
			return r.variable(origin.Detail)
		}
		return origin
	}
	if origin, filed := r.settings.filed[flag]; filed {
		return origin
	}
	return config.Origin{Source: config.FromDefault}
}

// variable is the origin of a variable's value, with its place if that is in the env file.
func (r *reading) variable(name string) config.Origin {
	if r.sources.Lookup != nil {
		if _, set := r.sources.Lookup(name); set {
			return config.Origin{Source: config.FromVariable, Detail: name}
		}
	}
	if line := r.sources.EnvFile.Line(name); line > 0 {
		name = fmt.Sprintf("%s (%s:%d)", name, r.sources.EnvFile.Name, line)
	}
	return config.Origin{Source: config.FromVariable, Detail: name}
}

// The words for secrets.
const (
	noSecret = "none"
	aSecret  = "[secret]"
	another  = "[another secret]"
)

// secrets says which secrets there are.
func (r *reading) secrets() []config.Value {
	one := func(path, variable string, inFile configfile.Secret) config.Value {
		v := config.Value{Name: path, Value: noSecret, Origin: config.Origin{Source: config.FromDefault}}
		switch {
		case config.Environ(r.sources.Variable).Value(variable, "") != "":
			v.Value, v.Origin = aSecret, r.variable(variable)
		case !inFile.Empty():
			v.Value, v.Origin = aSecret, r.file.origin(path)
		}
		return v
	}
	first := func(keys []configfile.Secret) (key configfile.Secret) {
		if len(keys) > 0 {
			key = keys[0]
		}
		return key
	}
	all := []config.Value{
		one("server.api_key", "API_KEY", r.file.server.APIKey),
		one("server.additional_api_keys", "ADDITIONAL_API_KEYS", first(r.file.server.AdditionalAPIKeys)),
		one("server.read_only_api_keys", "READ_ONLY_API_KEYS", first(r.file.server.ReadOnlyAPIKeys)),
	}
	if len(r.file.gateway.Targets) == 0 {
		all = append(all, one("gateway.openai_api_key", "OPENAI_API_KEY", r.file.gateway.OpenAIAPIKey))
	}
	return all
}

// otherSecrets lists the secrets that both have, and that are not the same.
func (r *reading) otherSecrets(next *reading) []config.Difference {
	was, is := r.revealed(), next.revealed()
	var all []config.Difference
	for _, path := range slices.Sorted(maps.Keys(was)) {
		if was[path] != "" && is[path] != "" && was[path] != is[path] {
			all = append(all, config.Difference{Name: path, Old: aSecret, New: another})
		}
	}
	return all
}

// revealed are the secrets themselves, to compare.
func (r *reading) revealed() map[string]string {
	env := config.Environ(r.sources.Variable)
	list := func(variable string, inFile []configfile.Secret) string {
		var keys []string
		for _, key := range inFile {
			keys = append(keys, key.Reveal())
		}
		return cmp.Or(env.Value(variable, ""), strings.Join(keys, ","))
	}
	all := map[string]string{
		"server.api_key":             cmp.Or(env.Value("API_KEY", ""), r.file.server.APIKey.Reveal()),
		"server.additional_api_keys": list("ADDITIONAL_API_KEYS", r.file.server.AdditionalAPIKeys),
		"server.read_only_api_keys":  list("READ_ONLY_API_KEYS", r.file.server.ReadOnlyAPIKeys),
	}
	if plan, err := planOf(r, r.settings.Addr); err == nil {
		maps.Copy(all, keysOf(&plan))
	}
	return all
}
