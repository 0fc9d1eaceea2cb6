package gateway

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/trysail-go/trysail"
)

// route checks a route and makes it ready.
func (c *compiler) route(i int, given Route) *route {
	r := &route{Route: given, where: fmt.Sprintf("Routes[%d]", i)}
	if given.Name != "" {
		r.where = fmt.Sprintf("route %q", given.Name)
	}
	var err error
	if r.path, err = newPattern(given.Path); err != nil || given.Path != "" && given.Path[0] != '/' {
		c.bad(r.where, `Path is %q, want a pattern that begins with a slash, such as "/v1/chat/*"`, given.Path)
	}
	if r.model, err = newNamePattern(given.Model); err != nil {
		c.bad(r.where, `Model is %q, want a pattern such as "gpt-4*"`, given.Model)
	}
	c.headers(r)
	c.places(r)
	c.hedge(r)
	if given.Continue && r.protocol == GeminiProtocol {
		c.bad(r.where, "Continue is set, but its targets speak gemini, want openai or anthropic: the rest of an answer cannot be asked for otherwise")
	}
	if given.Operation != "" && (!plainName(given.Operation) || strings.HasPrefix(given.Operation, targetPrefix)) {
		c.bad(r.where, "Operation is %q, want 1 to 64 of the characters A-Z a-z 0-9 . _ : / -, and not one that begins with %q", given.Operation, targetPrefix)
	}
	if given.Strategy != "" {
		if _, err := trysail.ParseStrategy(string(given.Strategy)); err != nil {
			c.bad(r.where, "Strategy: %v", err)
		}
	}
	if given.Timeout < 0 || given.Timeout > 59*time.Minute {
		c.bad(r.where, "Timeout is %v, want 0s, which is that of all requests, to 59m", given.Timeout)
	}
	if given.OnContentPolicy > Next {
		c.bad(r.where, "OnContentPolicy is %d, want Deliver or Next", given.OnContentPolicy)
	}
	return r
}

// headers makes the patterns of a route's headers ready.
func (c *compiler) headers(r *route) {
	for name, text := range r.Headers {
		p, err := newNamePattern(text)
		if err != nil {
			c.bad(r.where, "the pattern of the header %s is %q, want one as of package path", name, text)
		}
		if name == "" {
			c.bad(r.where, "a header has no name")
		}
		r.headers = append(r.headers, headerPattern{http.CanonicalHeaderKey(name), p})
	}
	slices.SortFunc(r.headers, func(a, b headerPattern) int { return strings.Compare(a.name, b.name) })
}

// places finds the targets of a route.
func (c *compiler) places(r *route) {
	switch n := len(r.Targets); {
	case n == 0:
		c.bad(r.where, "it has no targets, want at least one of %q", c.known)
	case n > most:
		c.bad(r.where, "it has %d targets, want at most %d", n, most)
	}
	seen := map[string]bool{}
	for _, given := range r.Targets {
		t := c.targets[given.Target]
		switch {
		case t == nil:
			c.bad(r.where, "there is no target %q, want one of %q", given.Target, c.known)
			continue
		case seen[given.Target]:
			c.bad(r.where, "it names the target %q twice", given.Target)
		case len(r.places) > 0 && t.Protocol != r.protocol:
			c.bad(r.where, "the target %q speaks %v, but %q speaks %v: a call cannot go on with another protocol",
				given.Target, t.Protocol, r.places[0].target.Name, r.protocol)
		}
		if !(given.Weight >= 0) || math.IsInf(given.Weight, 0) { // written so that NaN fails too
			c.bad(r.where, "the weight of the target %q is %v, want more than 0, or 0 for 1", given.Target, given.Weight)
		}
		seen[given.Target] = true
		p := place{target: t, priority: given.Priority, weight: given.Weight}
		if p.weight == 0 {
			p.weight = 1
		}
		if len(r.places) == 0 {
			r.protocol = t.Protocol
		}
		r.places = append(r.places, p)
	}
}
