package gateway

import (
	"crypto/sha256"
	"fmt"
	"math"

	"github.com/trysail-go/trysail"
)

// A client is who has a key, made ready.
type client struct {
	ClientKey
	operations []namePattern
	routes     map[string]bool // nil: all
	targets    map[string]bool // nil: all
	*allowance
}

// clients checks the keys and makes them ready. No message holds one, nor its hash.
func (c *compiler) clients(keys []ClientKey, routes map[string]bool) map[keyHash]*client {
	made, names := map[keyHash]*client{}, map[string]bool{}
	for i, k := range keys {
		where := fmt.Sprintf("key %q", k.Name)
		switch {
		case k.Name == "" || !plainName(k.Name):
			where = fmt.Sprintf("Keys[%d]", i)
			c.bad(where, "the name is %q, want 1 to 64 of the characters A-Z a-z 0-9 . _ : / -", k.Name)
		case names[k.Name]:
			c.bad(where, "another key has the same name, want a name of its own")
		}
		switch {
		case k.Hash == [sha256.Size]byte{}:
			c.bad(where, "Hash is empty, want that of HashKey")
		case k.Hash == HashKey(""):
			c.bad(where, "Hash is that of an empty key, want a key of at least 128 random bits")
		case made[k.Hash] != nil:
			c.bad(where, "the key is that of %q, want a key for each", made[k.Hash].Name)
		}
		names[k.Name] = true
		made[k.Hash] = c.client(where, k, routes)
	}
	return made
}

func (c *compiler) client(where string, k ClientKey, routes map[string]bool) *client {
	made := &client{ClientKey: k}
	for _, text := range k.Operations {
		p, err := newNamePattern(text)
		if err != nil || text == "" {
			c.bad(where, "Operations has %q, want a pattern such as %q", text, "team-a/*")
		}
		made.operations = append(made.operations, p)
	}
	for _, name := range k.Routes {
		if name == "" || !routes[name] {
			c.bad(where, "there is no route %q", name)
		}
		made.routes = with(made.routes, name)
	}
	for _, name := range k.Targets {
		if c.targets[name] == nil {
			c.bad(where, "there is no target %q, want one of %q", name, c.known)
		}
		made.targets = with(made.targets, name)
	}
	if k.Ceiling > trysail.PriorityBackground {
		c.bad(where, "Ceiling is %v, want interactive, batch or background", k.Ceiling)
	}
	c.allowed(where, made)
	return made
}

// allowed checks the limits of a key.
func (c *compiler) allowed(where string, k *client) {
	for _, f := range []struct {
		name  string
		value float64
	}{{"Requests", k.Requests}, {"Tokens", k.Tokens}} {
		if f.value != 0 && !(f.value >= 1 && f.value <= maxTokens) { // written so that NaN fails too
			c.bad(where, "%s is %v a minute, want 1 to %v, or 0 for no limit", f.name, f.value, float64(maxTokens))
		}
	}
	if !(k.Dollars >= 0) || math.IsInf(k.Dollars, 0) {
		c.bad(where, "Dollars is %v a day, want more than 0, or 0 for no limit", k.Dollars)
	}
	for _, name := range c.known {
		if k.Dollars > 0 && (k.targets == nil || k.targets[name]) && c.targets[name].Price == (Price{}) {
			c.bad(where, "Dollars is %v, but the target %q has no Price by which to count", k.Dollars, name)
		}
	}
}

func with(set map[string]bool, name string) map[string]bool {
	if set == nil {
		set = map[string]bool{}
	}
	set[name] = true
	return set
}
