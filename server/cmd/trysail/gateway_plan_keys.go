package main

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/server/configfile"
	"github.com/trysail-go/trysail/server/gateway"
)

// keySection is an element of gateway.keys of the file.
type keySection struct {
	// Name is for people, logs and the usage: 1 to 64 of the characters A-Z a-z 0-9 . _ : / -.
	Name string `file:"name,required"`

	// Key is ${NAME}, {env: NAME}, {file: PATH} or {sha256: HASH}: the key of 16 to 1000 characters, or its hash, which trysail config key prints with a
	// new one. The key itself must not stand here.
	Key configfile.KeyHash `file:"key,required"`

	// Operations are those that it may run, or patterns such as team-a/* for those that requests name; * stands for anything. Default: all.
	Operations []string

	// Routes are the names of those that its requests may take. Default: all, and requests that no route takes.
	Routes []string

	// Targets are those that it may be served by. Default: all.
	Targets []string

	// Limits are its own, whichever way its requests take. Default: none.
	Limits keyLimitsSection

	// MaxPriority is the most urgent priority that its requests have; what asks for more gets this. Default: interactive, which is any.
	MaxPriority trysail.Priority
}

// keyLimitsSection are the limits of a client's key.
type keyLimitsSection struct {
	// RequestsPerMinute is how many requests it may make in a minute: 1 to 10 billion. 0: any number, as for all of these.
	RequestsPerMinute float64

	// TokensPerMinute is how many tokens, input and output together: 1 to 10 billion.
	TokensPerMinute float64

	// DollarsPerDay is how much it may spend in a day of UTC: up to 10 million. All targets that may serve it need input and output of price.
	DollarsPerDay float64
}

// A keyring is what has been seen of the keys of a plan.
type keyring struct {
	names      map[string]int
	hashes     map[[sha256.Size]byte]int
	providers  map[[sha256.Size]byte]string // the target that has a provider's key
	routes     []string
	operations []string // that may be known by their names
}

// keys compiles the keys of the file's clients.
func (p *planner) keys() {
	if len(p.reading.file.gateway.Keys) == 0 {
		return
	}
	ring := &keyring{names: map[string]int{}, hashes: map[[sha256.Size]byte]int{}, providers: map[[sha256.Size]byte]string{}, operations: p.operations()}
	for _, t := range p.plan.Targets {
		for _, c := range t.Credentials {
			ring.providers[sha256.Sum256([]byte(c.Key))] = t.Name
		}
	}
	for _, r := range p.plan.Routes {
		ring.routes = append(ring.routes, r.Name)
	}
	for i := range p.reading.file.gateway.Keys {
		p.plan.Keys = append(p.plan.Keys, p.key(ring, i))
	}
}

// operations are the names that a key may mention: the others exist only when a request has named them.
func (p *planner) operations() []string {
	names := map[string]bool{gateway.DefaultOperation: true}
	for _, r := range p.plan.Routes {
		names[r.Operation] = true
	}
	if document := p.reading.file.document; document != nil {
		for name := range document.Operations {
			names[name] = true
		}
		for name := range document.Custom.OperationOverrides {
			names[name] = true
		}
	}
	delete(names, "")
	return slices.Sorted(maps.Keys(names))
}

// key compiles a client's key.
func (p *planner) key(ring *keyring, i int) gateway.ClientKey {
	s := &p.reading.file.gateway.Keys[i]
	at := fmt.Sprintf("%s[%d]", keysPath, i)
	if !plainWord(s.Name, 64, "._:/-") {
		p.fault(at+".name", "found %s, want 1 to 64 of the characters A-Z a-z 0-9 . _ : / -", quotedShort(s.Name))
	}
	if first, twice := ring.names[s.Name]; twice {
		p.fault(at+".name", "found the name %s, which %s[%d] has, want another", quotedShort(s.Name), keysPath, first)
	} else {
		ring.names[s.Name] = i
	}
	p.from[clientKeyPath(s.Name)] = s.Key.Origin()
	p.checkKeyHash(ring, at+".key", i, s.Key)
	p.checkKeyLists(ring, at, s)
	p.checkKeyLimits(at+".limits", s)
	return gateway.ClientKey{
		Name: s.Name, Hash: s.Key.Sum(), Operations: s.Operations, Routes: s.Routes, Targets: s.Targets,
		Requests: s.Limits.RequestsPerMinute, Tokens: s.Limits.TokensPerMinute, Dollars: s.Limits.DollarsPerDay, Ceiling: s.MaxPriority,
	}
}

// checkKeyHash finds keys that are somebody else's. It shows nothing of them.
func (p *planner) checkKeyHash(ring *keyring, at string, i int, key configfile.KeyHash) {
	if key.Empty() {
		return // it has been reported
	}
	hash := key.Sum()
	if first, twice := ring.hashes[hash]; twice {
		p.fault(at, "found the key of %s[%d], want a key for each", keysPath, first)
		return
	}
	ring.hashes[hash] = i
	if own, err := p.reading.keys(); err == nil && own.HoldsHash(hash) {
		p.fault(at, "found one of the server's own keys, for which no limits hold, want another: trysail config key makes one")
	}
	if target, ok := ring.providers[hash]; ok {
		p.fault(at, "found the provider's key of the target %s, which clients must not have, want another: trysail config key makes one", target)
	}
}

// checkKeyLists looks at what a key may use.
func (p *planner) checkKeyLists(ring *keyring, at string, s *keySection) {
	for key, list := range map[string][]string{"operations": s.Operations, "routes": s.Routes, "targets": s.Targets} {
		if list != nil && len(list) == 0 {
			p.fault(at+"."+key, "found an empty list, want one or more %s, or no such key, which is all", key)
		}
	}
	for i, name := range s.Operations {
		p.checkKeyOperation(ring, fmt.Sprintf("%s.operations[%d]", at, i), name)
	}
	for i, name := range s.Routes {
		if !p.reading.badAt(routesPath) && !p.reading.badAt(targetsPath) && (name == "" || !slices.Contains(ring.routes, name)) {
			p.fault(fmt.Sprintf("%s.routes[%d]", at, i), "found the route %s, which is not known, want %s", quotedShort(name), listedShort(ring.routes, routesPath))
		}
	}
	for i, name := range s.Targets {
		if !p.reading.badAt(targetsPath) && !slices.ContainsFunc(p.plan.Targets, func(t gateway.Target) bool { return t.Name == name }) {
			p.fault(fmt.Sprintf("%s.targets[%d]", at, i), "found the target %s, which is not known, want %s", quotedShort(name), p.targetNames())
		}
	}
}

// checkKeyOperation looks at an operation or a pattern. A pattern may be about operations that requests will name; a plain name that is not known is
// more likely a slip, after which the key could do nothing.
func (p *planner) checkKeyOperation(ring *keyring, at, name string) {
	_, err := path.Match(name, "")
	switch {
	case err != nil:
		p.fault(at, "found %s, which is no pattern: want * for any characters, ? for one, [a-z] for one of these", quotedShort(name))
	case strings.HasPrefix(name, "target/"):
		p.fault(at, "found %s, want a name that does not begin with target/: those are the targets' own; what may serve the key goes under targets", quotedShort(name))
	case strings.ContainsAny(name, `*?[\`):
	case slices.Contains(ring.operations, name):
	case name != "" && slices.Contains(aliases(), name):
	default:
		p.fault(at, "found the operation %s, which is not known, want %s, or a pattern such as team-a/*; one that only requests name can be made known under operations",
			quotedShort(name), listedShort(ring.operations, "operations"))
	}
}

// aliases are the names that operations of presets have.
func aliases() (names []string) {
	for short, long := range config.Aliases() {
		names = append(names, short, long)
	}
	return names
}

// checkKeyLimits looks at the limits of a key.
func (p *planner) checkKeyLimits(at string, s *keySection) {
	const most = 10_000_000_000
	for key, value := range map[string]float64{"requests_per_minute": s.Limits.RequestsPerMinute, "tokens_per_minute": s.Limits.TokensPerMinute} {
		if value != 0 && !(value >= 1 && value <= most) {
			p.fault(at+"."+key, "found %v, want 1 to %d, or 0, which is any number", value, int64(most))
		}
	}
	dollars := s.Limits.DollarsPerDay
	if !(dollars >= 0 && dollars <= 1e7) {
		p.fault(at+".dollars_per_day", "found %v, want more than 0, up to 10000000, or 0, which is any number", dollars)
	}
	if dollars == 0 {
		return
	}
	var unknown []string
	for i := range p.plan.Targets {
		t := &p.plan.Targets[i]
		if (len(s.Targets) == 0 || slices.Contains(s.Targets, t.Name)) && (t.Price.Input == 0 || t.Price.Output == 0) {
			unknown = append(unknown, t.Name)
		}
	}
	if len(unknown) > 0 {
		p.fault(at+".dollars_per_day", "found it, but of %s no price is known, want input and output of price there, by which what is spent is known, or targets without it",
			listedShort(unknown, targetsPath))
	}
}

// listedShort lists names for a message: "a, b or c". Of many it lists the first; without any it says where they would be.
func listedShort(names []string, under string) string {
	const most = 20
	switch {
	case len(names) == 0:
		return "a name under " + under + ", of which there are none"
	case len(names) > most:
		names = append(slices.Clone(names[:most]), fmt.Sprintf("one of %d more", len(names)-most))
	}
	return oneOfWords(names)
}
