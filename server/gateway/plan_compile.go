package gateway

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strings"
	"unicode"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// most is how many targets a route may have, and credentials a target.
const most = 64

// maxTokens bounds how many tokens a minute a limiter can count.
const maxTokens = 1e10

// SingleTarget returns the plan of one target, to which all requests of its protocol go.
func SingleTarget(t Target) Plan { return Plan{Targets: []Target{t}} }

// A compiler makes a plan ready, and notes what is wrong with it.
type compiler struct {
	errs    []error
	targets map[string]*target // by name
	known   []string           // in the plan's order, for messages
}

func (c *compiler) bad(where, format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...)))
}

// compile makes a plan ready, or names all its faults. What it returns has no state yet: see [Gateway.Apply].
func compile(p Plan) (*snapshot, error) {
	c := &compiler{targets: map[string]*target{}}
	s := &snapshot{}
	if len(p.Targets) == 0 {
		c.bad("Targets", "there are none, want at least one")
	}
	for i := range p.Targets {
		s.targets = append(s.targets, c.target(i, p.Targets[i]))
	}
	names := map[string]bool{}
	for i := range p.Routes {
		r := c.route(i, p.Routes[i])
		if r.Name != "" && names[r.Name] {
			c.bad(r.where, "another route has the same name, want a name of its own, or none")
		}
		names[r.Name] = true
		s.routes = append(s.routes, r)
	}
	s.rest = unrouted(s.targets)
	s.clients = c.clients(p.Keys, names)
	s.operations = c.operations(p.Operations)
	if err := errors.Join(append(c.errs, c.checkPolicies(s.targets))...); err != nil {
		return nil, err
	}
	return s, nil
}

// unrouted makes the routes of requests that no route matches: all targets of their protocol, in their order.
func unrouted(targets []*target) (rest [protocolEnd]*route) {
	for _, t := range targets {
		if !t.Protocol.valid() {
			continue
		}
		r := rest[t.Protocol]
		if r == nil {
			r = &route{protocol: t.Protocol}
			rest[t.Protocol] = r
		}
		if len(r.places) < most {
			r.places = append(r.places, place{target: t, priority: len(r.places), weight: 1})
		}
	}
	return rest
}

// target checks a target and makes it ready.
func (c *compiler) target(i int, t Target) *target {
	where := fmt.Sprintf("target %q", t.Name)
	if t.Name == "" || len(t.Name) > most || strings.Contains(t.Name, "/") || !plainName(t.Name) {
		where = fmt.Sprintf("Targets[%d]", i)
		c.bad(where, "the name is %q, want 1 to 64 of the characters A-Z a-z 0-9 . _ : -", t.Name)
	} else if c.targets[t.Name] != nil {
		c.bad(where, "another target has the same name, want a name of its own")
	}
	made := &target{Target: t}
	if !t.Protocol.valid() {
		c.bad(where, "the protocol is %v, want one of %v", t.Protocol, Protocols())
	}
	c.address(where, made)
	c.credentials(where, made)
	c.numbers(where, t)
	c.probe(where, made)
	for ours, theirs := range t.Models {
		if ours == "" || theirs == "" {
			c.bad(where, "Models leads %q to %q, want two names", ours, theirs)
		}
	}
	if t.Only && len(t.Models) == 0 {
		c.bad(where, "Only is set, but there are no Models, so that it would take nothing")
	}
	if _, ok := c.targets[t.Name]; !ok {
		c.targets[t.Name] = made
		c.known = append(c.known, t.Name)
	}
	return made
}

// address makes the base URL ready.
func (c *compiler) address(where string, t *target) {
	if t.BaseURL == "" && t.Protocol.valid() {
		t.BaseURL = t.Protocol.address()
	}
	var err error
	if t.base, err = parseBaseURL(t.BaseURL, t.Protocol); err != nil {
		c.bad(where, "%v", err)
		t.base = &url.URL{}
	}
	t.provider = cmp.Or(t.Provider, llm.ProviderOf(t.base.Host))
}

// credentials makes the keys ready. No message holds one.
func (c *compiler) credentials(where string, t *target) {
	if len(t.Credentials) > most {
		c.bad(where, "it has %d credentials, want at most %d", len(t.Credentials), most)
	}
	names, seen := map[string]bool{}, map[keyHash]bool{}
	for i, given := range t.Credentials {
		k := &credential{name: cmp.Or(given.Name, fmt.Sprintf("%s-%d", t.Name, i+1)), key: given.Key, hash: sha256.Sum256([]byte(given.Key)), secret: newSecret(given.Key)}
		at := fmt.Sprintf("%s, credential %q", where, k.name)
		switch {
		case k.key == "":
			c.bad(at, "the key is empty")
		case strings.ContainsFunc(k.key, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r > unicode.MaxASCII }):
			c.bad(at, "the key holds a space, a control character or one that no header can carry")
		case seen[k.hash]:
			c.bad(at, "another credential of the target has the same key")
		case names[k.name]:
			c.bad(at, "another credential of the target has the same name")
		}
		names[k.name], seen[k.hash] = true, true
		t.keys = append(t.keys, k)
	}
}

// numbers checks what must not be negative.
func (c *compiler) numbers(where string, t Target) {
	l := t.Limits
	for _, f := range []struct {
		name  string
		value float64
	}{
		{"Window", float64(t.Window)},
		{"Price.Input", t.Price.Input},
		{"Price.CachedInput", t.Price.CachedInput},
		{"Price.Output", t.Price.Output},
		{"Limits.Requests", l.Requests},
		{"Limits.Tokens", l.Tokens},
		{"Limits.Dollars", l.Dollars},
		{"Limits.Concurrent", float64(l.Concurrent)},
	} {
		if !(f.value >= 0) || math.IsInf(f.value, 0) { // written so that NaN fails too
			c.bad(where, "%s is %v, want 0 or more", f.name, f.value)
		}
	}
	if l.Tokens > 0 && l.Tokens < 1 || l.Tokens > maxTokens {
		c.bad(where, "Limits.Tokens is %v a minute, want 1 to %v, or 0 for no limit", l.Tokens, float64(maxTokens))
	}
	if l.Dollars > 0 && t.Price == (Price{}) {
		c.bad(where, "Limits.Dollars is %v, but there is no Price by which to count", l.Dollars)
	}
}

// checkPolicies checks what the targets' policies come to.
func (c *compiler) checkPolicies(targets []*target) error {
	operations := map[string]trysail.OperationConfig{}
	for _, t := range targets {
		operations[t.operationName()] = trysail.OperationConfig{Policy: t.policy(Limits{}.withDefaults())}
	}
	if len(c.errs) > 0 {
		delete(operations, operationOf("")) // it has no name, which has been said
	}
	if _, err := trysail.New(trysail.Config{Operations: operations}); err != nil {
		return fmt.Errorf("policies of targets: %w", err)
	}
	return nil
}
