package gateway

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// OperationLimits are what the requests of an operation may use together, whoever sends them and wherever they go. 0: no limit. How many there may be is said
// by the operation's own policy, [trysail.LimiterPolicy] and [trysail.BulkheadPolicy]. A client may name another operation: its key says which.
type OperationLimits struct {
	Tokens  float64 // a minute, 1 to 1e10. They fill up evenly, and a minute's worth may be used at once after a silence
	Dollars float64 // a day of UTC; needs prices at all targets. What was spent is forgotten when the program ends
}

// operations checks the limits of operations and makes them ready.
func (c *compiler) operations(given map[string]OperationLimits) map[string]*bound {
	made := map[string]*bound{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		l, where := given[name], fmt.Sprintf("operation %q", name)
		if name == "" || !plainName(name) || strings.HasPrefix(name, targetPrefix) {
			c.bad("Operations", "the name is %q, want 1 to 64 of the characters A-Z a-z 0-9 . _ : / -, and not one that begins with %q", name, targetPrefix)
		}
		if l.Tokens != 0 && !(l.Tokens >= 1 && l.Tokens <= maxTokens) { // written so that NaN fails too
			c.bad(where, "Tokens is %v a minute, want 1 to %v, or 0 for no limit", l.Tokens, float64(maxTokens))
		}
		if !(l.Dollars >= 0) || math.IsInf(l.Dollars, 0) {
			c.bad(where, "Dollars is %v a day, want more than 0, or 0 for no limit", l.Dollars)
		}
		for _, target := range c.known {
			if l.Dollars > 0 && c.targets[target].Price == (Price{}) {
				c.bad(where, "Dollars is %v, but the target %q has no Price by which to count", l.Dollars, target)
			}
		}
		made[name] = &bound{kind: "operation", name: name, tokens: l.Tokens, dollars: l.Dollars}
	}
	return made
}

// settleOperations gives the operations of a plan what is left of their limits. g.applying is held.
func (g *Gateway) settleOperations(next *snapshot) {
	if g.spendings == nil {
		g.spendings = map[string]*allowance{}
	}
	for name, b := range next.operations {
		if b.allowance = g.spendings[name]; b.allowance == nil {
			b.allowance = &allowance{}
			g.spendings[name] = b.allowance
		}
		b.limit(0, b.tokens)
	}
}
