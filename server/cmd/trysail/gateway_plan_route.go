package main

import (
	"cmp"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/trysail-go/trysail/server/configfile"
	"github.com/trysail-go/trysail/server/gateway"
)

// mostPlaces is how many targets a route may have, and credentials a target.
const mostPlaces = 64

// routes compiles the routes of the file.
func (p *planner) routes() {
	names := map[string]int{}
	strategies := map[string]int{} // the first route that gives an operation a strategy
	for i := range p.reading.file.gateway.Routes {
		s := &p.reading.file.gateway.Routes[i]
		at := fmt.Sprintf("%s[%d]", routesPath, i)
		route := p.route(at, i, s)
		if first, twice := names[route.Name]; twice {
			p.fault(at+".name", "found the name %s, which %s[%d] has, want another", quotedShort(route.Name), routesPath, first)
		}
		names[route.Name] = i
		operation := cmp.Or(s.Operation, gateway.DefaultOperation)
		first, before := strategies[operation]
		switch {
		case s.Strategy == "":
		case !before:
			strategies[operation] = i
		case p.plan.Routes[first].Strategy != s.Strategy:
			p.fault(at+".strategy", "found %s for the operation %s, which has %s by %s[%d], want one strategy, or another operation",
				s.Strategy, operation, p.plan.Routes[first].Strategy, routesPath, first)
		}
		p.plan.Routes = append(p.plan.Routes, route)
	}
}

// route compiles a route.
func (p *planner) route(at string, i int, s *routeSection) gateway.Route {
	route := gateway.Route{
		Name: cmp.Or(s.Name, fmt.Sprintf("route-%d", i+1)), Path: s.Path, Model: s.Model, Headers: s.Headers, Targets: p.routeTargets(at, s),
		Operation: s.Operation, Strategy: s.Strategy, Timeout: s.Timeout, Continue: s.Continue,
		Allow: gateway.Allowed{
			NoStrategy: denied(s.Allow.Strategy), NoRetries: denied(s.Allow.Retries), NoTimeout: denied(s.Allow.Timeout),
			NoPriority: denied(s.Allow.Priority), NoFallback: denied(s.Allow.Fallback),
		},
	}
	switch s.OnContentPolicy {
	case "", "deliver":
	case "next":
		route.OnContentPolicy = gateway.Next
	default:
		p.fault(at+".on_content_policy", "found %s, want deliver or next", quotedShort(s.OnContentPolicy))
	}
	if s.Name != "" && !plainWord(s.Name, 64, "._:-") {
		p.fault(at+".name", "found %s, want 1 to 64 of the characters A-Z a-z 0-9 . _ : -", quotedShort(s.Name))
	}
	if s.Operation != "" && !plainWord(s.Operation, 64, "._:/-") {
		p.fault(at+".operation", "found %s, want 1 to 64 of the characters A-Z a-z 0-9 . _ : / -", quotedShort(s.Operation))
	}
	if s.Operation != "" && strings.HasPrefix(s.Operation, "target/") {
		p.fault(at+".operation", "found %s, want a name that does not begin with target/: those are the targets' own", quotedShort(s.Operation))
	}
	if s.Timeout > 59*time.Minute {
		p.fault(at+".timeout", "found %v, want at most 59m", s.Timeout)
	}
	p.hedge(at+".hedge", &route, s.Hedge)
	p.checkContinue(at+".continue", &route)
	p.checkPatterns(at, s)
	p.checkProtocols(at, s, route.Targets)
	return route
}

func denied(allowed *bool) bool { return allowed != nil && !*allowed }

// checkPatterns looks at what a route matches.
func (p *planner) checkPatterns(at string, s *routeSection) {
	if s.Path != "" && s.Path[0] != '/' {
		p.fault(at+".path", "found %s, want a pattern that begins with a slash, such as /v1/chat/*", quotedShort(s.Path))
	}
	if _, err := path.Match(s.Path, ""); err != nil {
		p.fault(at+".path", "found %s, which is no pattern: want * for any characters but a slash, ? for one, [a-z] for one of these", quotedShort(s.Path))
	}
	const want = "found %s, which is no pattern: want * for any characters, ? for one, [a-z] for one of these"
	if _, err := path.Match(s.Model, ""); err != nil {
		p.fault(at+".model", want, quotedShort(s.Model))
	}
	for name, pattern := range s.Headers {
		key := configfile.Path(at+".headers", name)
		switch _, err := path.Match(pattern, ""); {
		case !plainWord(name, 128, "!#$%&'*+-.^_`|~"): // RFC 9110, 5.6.2
			p.fault(key, "found a name that no header has, want such as X-Team")
		case slices.Contains([]string{"Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key", "Api-Key", "X-Goog-Api-Key"}, http.CanonicalHeaderKey(name)):
			p.fault(key, "found a header that holds a credential, which must not be written here: want a header such as X-Team")
		case err != nil || pattern == "":
			p.fault(key, want, quotedShort(pattern))
		}
	}
}

// routeTargets returns the places of a route. Without any weight or priority their order is their rank.
func (p *planner) routeTargets(at string, s *routeSection) []gateway.RouteTarget {
	ordered := !slices.ContainsFunc(s.Targets, func(t routeTargetSection) bool { return t.Priority != nil || t.Weight != nil })
	if len(s.Targets) == 0 {
		p.fault(at+".targets", "found no targets, want a list of one or more: %s", p.targetNames())
	}
	if len(s.Targets) > mostPlaces {
		p.fault(at+".targets", "found %d targets, want at most %d", len(s.Targets), mostPlaces)
	}
	var list []gateway.RouteTarget
	first := map[string]int{}
	for i, place := range s.Targets {
		at := fmt.Sprintf("%s.targets[%d]", at, i)
		t := gateway.RouteTarget{Target: place.Target, Weight: 1}
		if ordered {
			t.Priority = i
		}
		if place.Priority != nil {
			if t.Priority = *place.Priority; t.Priority < 0 || t.Priority > 1000 {
				p.fault(at+".priority", "found %d, want 0 to 1000, the lowest first", t.Priority)
			}
		}
		if place.Weight != nil {
			if t.Weight = *place.Weight; !(t.Weight > 0 && t.Weight <= 1e6) {
				p.fault(at+".weight", "found %v, want more than 0, up to 1000000; a target that is to get nothing is left out, or has draining: true", t.Weight)
			}
		}
		if before, twice := first[t.Target]; twice && t.Target != "" {
			p.fault(at, "found %s, which is targets[%d] already, want each once", quotedShort(t.Target), before)
		}
		first[t.Target] = i
		if !slices.ContainsFunc(p.plan.Targets, func(known gateway.Target) bool { return known.Name == t.Target }) {
			p.fault(at, "found the target %s, which is not known, want %s", quotedShort(t.Target), p.targetNames())
		}
		list = append(list, t)
	}
	return list
}

// targetNames are the names that there are.
func (p *planner) targetNames() string {
	names := make([]string, len(p.plan.Targets))
	for i := range p.plan.Targets {
		names[i] = p.plan.Targets[i].Name
	}
	return listedShort(names, targetsPath)
}

// checkProtocols finds targets that cannot take each other's place, or the calls of the route.
func (p *planner) checkProtocols(at string, s *routeSection, places []gateway.RouteTarget) {
	want, why := protocolOfPath(s.Path)
	for i, place := range places {
		k := slices.IndexFunc(p.plan.Targets, func(t gateway.Target) bool { return t.Name == place.Target })
		if k < 0 || p.plan.Targets[k].Protocol == 0 {
			continue // it has been reported
		}
		protocol := p.plan.Targets[k].Protocol
		switch {
		case want == 0:
			want, why = protocol, fmt.Sprintf("as %s does", place.Target)
		case protocol != want:
			p.fault(fmt.Sprintf("%s.targets[%d]", at, i), "found the target %s, which speaks %s, want one that speaks %s, %s: requests keep their protocol",
				place.Target, wordOf(protocol), wordOf(want), why)
		}
	}
}

// protocolOfPath is the protocol of all paths that a pattern matches, as far as its beginning tells.
func protocolOfPath(pattern string) (protocol gateway.Protocol, why string) {
	plain, _, _ := strings.Cut(pattern, "*")
	if i := strings.IndexAny(plain, `?[\`); i >= 0 {
		plain = plain[:i]
	}
	for _, known := range []struct {
		prefix   string
		protocol gateway.Protocol
	}{
		{"/v1/messages", gateway.AnthropicProtocol},
		{"/v1beta/", gateway.GeminiProtocol},
		{"/v1/chat/completions", gateway.OpenAIProtocol},
		{"/v1/responses", gateway.OpenAIProtocol},
		{"/v1/embeddings", gateway.OpenAIProtocol},
	} {
		if strings.HasPrefix(plain, known.prefix) {
			return known.protocol, "as requests for " + known.prefix + " do"
		}
	}
	return 0, ""
}
