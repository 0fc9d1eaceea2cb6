package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/server/gateway"
)

// An environmentTarget is a target that is there when the environment has a key or an address for it.
type environmentTarget struct {
	name    string // also the word of its protocol
	keys    []string
	bases   []string
	example string
}

// environmentTargets lists them. GEMINI_API_KEY goes before GOOGLE_API_KEY, which may be one for maps; Google's SDKs have it the other way round.
func environmentTargets() []environmentTarget {
	return []environmentTarget{
		{"openai", []string{"OPENAI_API_KEY"}, []string{"OPENAI_BASE_URL"}, gateway.OpenAI},
		{"anthropic", []string{"ANTHROPIC_API_KEY"}, []string{"ANTHROPIC_BASE_URL"}, gateway.Anthropic},
		{"gemini", []string{"GEMINI_API_KEY", "GOOGLE_API_KEY"}, []string{"GEMINI_BASE_URL", "GOOGLE_GEMINI_BASE_URL"}, gateway.Gemini},
	}
}

// A said is a value with where it is from.
type said struct {
	text   string
	origin config.Origin
}

// first returns the first of some variables that says something.
func (r *reading) first(variables []string) (name string, v said) {
	for _, name := range variables {
		if text := config.Environ(r.sources.Variable).Value(name, ""); text != "" {
			return name, said{text, r.variable(name)}
		}
	}
	return "", said{origin: config.Origin{Source: config.FromDefault}}
}

// keyOf returns the key for a target of the environment; openai's may be in the file.
func (r *reading) keyFor(e *environmentTarget) (name string, v said) {
	name, v = r.first(e.keys)
	if inFile := r.file.gateway.OpenAIAPIKey; name == "" && e.name == "openai" && !inFile.Empty() {
		return "gateway.openai_api_key", said{inFile.Reveal(), r.file.origin("gateway.openai_api_key")}
	}
	return name, v
}

// baseFor returns its address; openai's may be in the file or on the command line.
func (r *reading) baseFor(e *environmentTarget) (name string, v said) {
	if e.name == "openai" {
		name = "gateway.openai_base_url"
		v = said{r.settings.OpenAIBaseURL, r.originOf("openai-base-url")}
		if v.origin.Source != config.FromFile {
			name = strings.TrimPrefix(r.settings.given["openai-base-url"].Detail, "variable ")
		}
		return name, v
	}
	return r.first(e.bases)
}

// fromEnvironment makes the targets for which there is a key or an address, or else those of the simulated provider.
func (p *planner) fromEnvironment() {
	for _, e := range environmentTargets() {
		keyName, key := p.reading.keyFor(&e)
		baseName, base := p.reading.baseFor(&e)
		if key.text == "" && base.text == "" {
			continue
		}
		protocol, own, _ := protocolOf(e.name)
		t := gateway.Target{Name: e.name, Protocol: protocol, BaseURL: own}
		if key.text != "" {
			t.Credentials = []gateway.Credential{{Name: e.name + "-1", Key: key.text}}
			p.from[credentialPath(e.name, 0)] = "variable " + keyName
			if inFile := p.reading.file.gateway.OpenAIAPIKey; strings.HasPrefix(keyName, "gateway.") {
				p.from[credentialPath(e.name, 0)] = inFile.Origin()
			}
			if wrong := p.wrongKey(key.text); wrong != "" {
				p.said(keyName, "found a key "+wrong)
			}
		}
		if base.text != "" {
			t.BaseURL = strings.TrimRight(base.text, "/")
			if wrong := p.wrongBase(base.text, protocol); wrong != "" {
				p.said(baseName, wrong)
			}
		}
		p.plan.Targets = append(p.plan.Targets, t)
	}
	if len(p.plan.Targets) == 0 {
		p.plan.Targets = []gateway.Target{
			{Name: "simulated", Protocol: gateway.OpenAIProtocol, Simulated: true},
			{Name: "simulated-anthropic", Protocol: gateway.AnthropicProtocol, Simulated: true},
			{Name: "simulated-gemini", Protocol: gateway.GeminiProtocol, Simulated: true},
		}
	}
}

// said notes a fault of a variable, a flag, or the one place of the file.
func (p *planner) said(name, wrong string) {
	if strings.HasPrefix(name, "gateway.") {
		p.fault(name, "%s", wrong)
		return
	}
	p.faults = append(p.faults, errors.New(name+": "+wrong))
}

// planWarnings says what of a good plan has no effect, or is better thought over.
func (r *reading) planWarnings(plan *gateway.Plan) (all []finding) {
	warn := func(path, format string, args ...any) {
		f := finding{Path: path, Message: fmt.Sprintf(format, args...)}
		if path != "" && r.file.file != nil {
			f.Line, f.Message = r.file.file.Line(path), path+": "+f.Message
		}
		all = append(all, f)
	}
	if len(r.file.gateway.Targets) > 0 {
		r.warnOfEnvironment(warn)
	} else if _, gemini := r.first([]string{"GEMINI_API_KEY"}); gemini.text != "" {
		if _, google := r.first([]string{"GOOGLE_API_KEY"}); google.text != "" && google.text != gemini.text {
			warn("", "GEMINI_API_KEY and GOOGLE_API_KEY are set and differ: the target gemini uses GEMINI_API_KEY")
		}
	}
	for i := range plan.Targets {
		t := &plan.Targets[i]
		if len(t.Credentials) > 0 && strings.HasPrefix(t.BaseURL, "http://") && !loopbackOrigin(t.BaseURL) {
			path := ""
			if len(r.file.gateway.Targets) > 0 {
				path = r.targetPath(t.Name) + ".base_url"
			}
			warn(path, "the target %s gets its key over http, which others on the way can read: want https", t.Name)
		}
	}
	r.warnOfRoutes(plan, warn)
	return all
}

// warnOfEnvironment names variables that do nothing beside targets of the file.
func (r *reading) warnOfEnvironment(warn func(path, format string, args ...any)) {
	var used []string
	for _, s := range r.file.gateway.Targets {
		used = append(used, s.APIKey.Origin())
		for _, c := range s.Credentials {
			used = append(used, c.Key.Origin())
		}
	}
	for _, e := range environmentTargets() {
		for _, name := range append(slices.Clone(e.keys), e.bases...) {
			if _, v := r.first([]string{name}); v.text != "" && !slices.Contains(used, "variable "+name) {
				warn("", "%s is set but has no effect: the file has gateway.targets, and none of them names it", name)
			}
		}
	}
	if origin, given := r.settings.given["openai-base-url"]; given && origin.Source == config.FromFlag {
		warn("", "--openai-base-url has no effect: the file has gateway.targets")
	}
}

// warnOfRoutes names routes that no request reaches, because one before takes all of their protocol.
func (r *reading) warnOfRoutes(plan *gateway.Plan, warn func(path, format string, args ...any)) {
	protocols := map[string]gateway.Protocol{}
	for i := range plan.Targets {
		protocols[plan.Targets[i].Name] = plan.Targets[i].Protocol
	}
	takesAll := map[gateway.Protocol]string{}
	for i := range plan.Routes {
		route := &plan.Routes[i]
		if len(route.Targets) == 0 {
			continue // a fault of the file, which is told elsewhere, as is a target that is not there
		}
		protocol, known := protocols[route.Targets[0].Target]
		if !known {
			continue
		}
		if before, taken := takesAll[protocol]; taken {
			warn(fmt.Sprintf("%s[%d]", routesPath, i), "no request reaches it, because the route %s before it takes all of %s: want that one last", before, wordOf(protocol))
		} else if route.Path == "" && route.Model == "" && len(route.Headers) == 0 {
			takesAll[protocol] = route.Name
		}
	}
}
