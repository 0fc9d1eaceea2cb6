package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trysail-go/trysail/llm"
	"github.com/trysail-go/trysail/server/configfile"
	"github.com/trysail-go/trysail/server/gateway"
)

// The paths in the file.
const (
	targetsPath = "gateway.targets"
	routesPath  = "gateway.routes"
	keysPath    = "gateway.keys"
)

// A planner compiles what file and environment say into a plan for the gateway. It goes on after a fault, to find all of them.
type planner struct {
	reading *reading
	own     ownAddress // of this server, which is no target
	faults  []error
	plan    gateway.Plan
	from    map[string]string // where the keys of plan are from, by the paths of keysOf
}

// planOf returns the plan of a reading, for a server that listens on an address. All faults are in the error; those of the file have their lines.
// Targets of the simulated provider have no address yet: see withSimulated. What could not be read, and is in r.file.bad, is not reported again.
func planOf(r *reading, listening string) (gateway.Plan, error) {
	p, err := compilePlan(r, listening)
	return p.plan, err
}

// compilePlan is planOf with the planner.
func compilePlan(r *reading, listening string) (*planner, error) {
	p := &planner{reading: r, own: addressOf(listening), from: map[string]string{}}
	gw := &r.file.gateway
	switch {
	case r.badAt(targetsPath): // every name of a target would be wrong
	case len(gw.Targets) > 0:
		p.filed()
	default:
		p.fromEnvironment()
	}
	if !r.badAt(targetsPath) {
		p.routes()
		p.operationLimits()
	}
	p.keys()
	if len(p.faults) == 0 && len(r.file.bad) == 0 {
		p.check()
	}
	return p, p.err()
}

// check asks the gateway itself. It should find nothing that has not been found.
func (p *planner) check() {
	err := gateway.CheckPlan(p.plan)
	switch {
	case err == nil:
	case p.reading.file.file == nil:
		p.faults = append(p.faults, err)
	default:
		p.fault("gateway", "%v", err)
	}
}

// fault notes what is wrong at a path of the file, unless it is a consequence of what has been reported.
func (p *planner) fault(path, format string, args ...any) {
	if !p.reading.badAround(path) {
		p.faults = append(p.faults, p.reading.file.file.Refuse(path, format, args...))
	}
}

func (p *planner) err() error {
	err := errors.Join(p.faults...)
	if err == nil || p.reading.file.file == nil {
		return err
	}
	var located, others []error
	for _, fault := range p.faults {
		if _, ok := errors.AsType[*configfile.Error](fault); ok {
			located = append(located, fault)
		} else {
			others = append(others, fault)
		}
	}
	if len(located) > 0 {
		others = append(others, p.reading.file.file.Locate(errors.Join(located...))) // in the order of the lines
	}
	return errors.Join(others...)
}

// badAt reports whether the file's reader has refused the value at a path itself.
func (r *reading) badAt(path string) bool {
	return slices.ContainsFunc(r.file.bad, func(f configfile.Fault) bool { return f.Path == path })
}

// badAround reports whether it has refused something at, above or below a path.
func (r *reading) badAround(path string) bool {
	under := func(outer, inner string) bool {
		rest, ok := strings.CutPrefix(inner, outer)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
	}
	return slices.ContainsFunc(r.file.bad, func(f configfile.Fault) bool {
		return f.Path != "" && f.Path != "gateway" && (under(f.Path, path) || under(path, f.Path))
	})
}

// The protocols by the words of the file, in the order in which they are listed.
var protocols = []struct { //nolint:gochecknoglobals // a table that nothing changes
	word     string
	protocol gateway.Protocol
	base     string // of the provider whose protocol it is
}{
	{"openai", gateway.OpenAIProtocol, gateway.OpenAI},          // https://platform.openai.com/docs/api-reference
	{"anthropic", gateway.AnthropicProtocol, gateway.Anthropic}, // https://docs.anthropic.com/en/api/overview
	{"gemini", gateway.GeminiProtocol, gateway.Gemini},          // https://ai.google.dev/api
}

func protocolOf(word string) (p gateway.Protocol, base string, ok bool) {
	for _, known := range protocols {
		if known.word == word {
			return known.protocol, known.base, true
		}
	}
	return 0, "", false
}

func wordOf(p gateway.Protocol) string {
	for _, known := range protocols {
		if known.protocol == p {
			return known.word
		}
	}
	return fmt.Sprintf("protocol %d", p)
}

func protocolWords() string {
	words := make([]string, len(protocols))
	for i, known := range protocols {
		words[i] = known.word
	}
	return oneOfWords(words)
}

// oneOfWords lists words for a message: "a, b or c".
func oneOfWords(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// filed takes the targets of the file, in its order.
func (p *planner) filed() {
	gw := &p.reading.file.gateway
	for _, name := range p.reading.file.file.Names(targetsPath) {
		if section, ok := gw.Targets[name]; ok {
			p.plan.Targets = append(p.plan.Targets, p.target(name, &section))
		}
	}
	const beside = "found it beside targets, where it has no effect: want it at the target, as %s"
	if gw.OpenAIBaseURL != nil {
		p.fault("gateway.openai_base_url", beside, "base_url")
	}
	if !gw.OpenAIAPIKey.Empty() {
		p.fault("gateway.openai_api_key", beside, "api_key")
	}
}

// target compiles a target of the file.
func (p *planner) target(name string, s *targetSection) gateway.Target {
	path := configfile.Path(targetsPath, name)
	if !plainWord(name, 64, "._:-") {
		p.fault(path, "found the name %s, want 1 to 64 of the characters A-Z a-z 0-9 . _ : -", quotedShort(name))
	}
	protocol, base, known := protocolOf(cmp.Or(s.Protocol, name))
	switch {
	case known:
	case s.Protocol == "":
		p.fault(path+".protocol", "found no protocol, want %s, or a target whose name is one of these", protocolWords())
	default:
		p.fault(path+".protocol", "found %s, want %s; most other providers and local servers speak openai", quotedShort(s.Protocol), protocolWords())
	}
	t := gateway.Target{
		Name: name, Protocol: protocol, BaseURL: cmp.Or(strings.TrimRight(s.BaseURL, "/"), base), Provider: llm.Provider(s.Provider), Credentials: p.credentials(path, name, s),
		Models: s.Models, Only: s.ModelsOnly, Window: s.Window, Region: s.Region, Policy: s.Policy.policy(), Simulated: s.Simulated, Draining: s.Draining,
		Price: gateway.Price{Input: float64(s.Price.Input), CachedInput: float64(s.Price.CachedInput), Output: float64(s.Price.Output)},
		Limits: gateway.TargetLimits{
			Requests: s.Limits.RequestsPerMinute, Tokens: s.Limits.TokensPerMinute, Dollars: s.Limits.DollarsPerDay,
			Concurrent: s.Limits.Concurrent, Adaptive: s.Limits.Adaptive,
		},
		Probe: gateway.Probe{Path: s.Probe.Path, Interval: s.Probe.Interval, Timeout: s.Probe.Timeout},
	}
	if s.Simulated {
		t.BaseURL = ""
	}
	if s.BaseURL != "" && known {
		if wrong := p.wrongBase(s.BaseURL, protocol); wrong != "" {
			p.fault(path+".base_url", "%s", wrong)
		}
	}
	p.checkTarget(path, s)
	return t
}

// credentials returns the keys of a target.
func (p *planner) credentials(path, name string, s *targetSection) []gateway.Credential {
	list := s.Credentials
	if !s.APIKey.Empty() {
		if len(list) > 0 {
			p.fault(path+".api_key", "found it beside credentials, want one of the two: all keys under credentials")
		}
		list = []configfile.Credential{{Key: s.APIKey}}
	}
	if len(list) > mostPlaces {
		p.fault(path+".credentials", "found %d of them, want at most %d", len(list), mostPlaces)
	}
	var all []gateway.Credential
	names, keys := map[string]int{}, map[string]int{}
	for i, c := range list {
		at := fmt.Sprintf("%s.credentials[%d]", path, i)
		if !s.APIKey.Empty() {
			at = path + ".api_key"
		}
		key := c.Key.Reveal()
		if wrong := p.wrongKey(key); wrong != "" {
			p.fault(at, "found a key %s", wrong)
		}
		if first, twice := keys[key]; twice && key != "" {
			p.fault(at, "found the same key as in credentials[%d], want it once: one key is one account", first)
		}
		keys[key] = i
		given := c.Name
		c.Name = cmp.Or(c.Name, fmt.Sprintf("%s-%d", name, i+1))
		if first, twice := names[c.Name]; twice {
			p.fault(at+".name", "found the name %s, which credentials[%d] has, want another", quotedShort(c.Name), first)
		}
		names[c.Name] = i
		if given != "" && !plainWord(given, 64, "._:-") {
			p.fault(at+".name", "found a name that is too long or has other characters than A-Z a-z 0-9 . _ : -, want 1 to 64 of these")
		}
		p.from[credentialPath(name, i)] = c.Key.Origin()
		all = append(all, gateway.Credential{Name: c.Name, Key: key})
	}
	return all
}
