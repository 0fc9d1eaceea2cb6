package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
	"github.com/trysail-go/trysail/server/configfile"
	"github.com/trysail-go/trysail/server/gateway"
)

// checkTarget looks at what has a good kind, but may mean nothing.
func (p *planner) checkTarget(path string, s *targetSection) {
	if s.Simulated {
		for key, said := range map[string]bool{
			"base_url": s.BaseURL != "", "provider": s.Provider != "", "api_key": !s.APIKey.Empty(), "credentials": len(s.Credentials) > 0,
		} {
			if said {
				p.fault(path+"."+key, "found it at a target that is simulated, which has none: want one of the two")
			}
		}
	}
	if s.Provider != "" && !slices.Contains(providers(), s.Provider) {
		p.fault(path+".provider", "found %s, want %s, or no such key", quotedShort(s.Provider), oneOfWords(providers()))
	}
	for _, model := range p.reading.file.file.Names(path + ".models") {
		if is := s.Models[model]; is == "" || !shortText(model) || !shortText(is) {
			p.fault(configfile.Path(path+".models", model), "found %s, want the target's name for this model, up to 200 characters", quotedShort(is))
		}
	}
	if s.ModelsOnly && len(s.Models) == 0 {
		p.fault(path+".models_only", "found true without models, so that it would take none: want models beside it")
	}
	if s.Window < 0 || s.Window > 1_000_000_000 {
		p.fault(path+".window", "found %d, want a number of tokens such as 128000", s.Window)
	}
	if s.Region != "" && !plainWord(s.Region, 64, "._:/ -") {
		p.fault(path+".region", "found %s, want up to 64 of the characters A-Z a-z 0-9 . _ : / -", quotedShort(s.Region))
	}
	p.checkProbe(path+".probe", &s.Probe)
	p.checkLimits(path+".limits", s)
	p.checkPolicy(path+".policy", s)
}

// checkProbe looks at how a target is asked whether it is there.
func (p *planner) checkProbe(path string, s *probeSection) {
	if *s == (probeSection{}) {
		return
	}
	u, err := url.Parse(s.Path)
	switch {
	case s.Path == "":
		p.fault(path, "found no path in it, want one such as /models, or no probe")
	case err != nil, s.Path[0] != '/', strings.HasPrefix(s.Path, "//"), u.Fragment != "":
		p.fault(path+".path", "found %s, want a path behind base_url that begins with a slash, such as /models", quotedShort(s.Path))
	}
	interval := cmp.Or(s.Interval, 30*time.Second)
	if interval < 100*time.Millisecond || interval > time.Hour {
		p.fault(path+".interval", "found %v, want 100ms to 1h", interval)
	}
	if s.Timeout > interval {
		p.fault(path+".timeout", "found %v, want at most the interval, which is %v", s.Timeout, interval)
	}
}

// checkPolicy looks at what a target's policy comes to, with what targets have by default.
func (p *planner) checkPolicy(path string, s *targetSection) {
	err := gateway.CheckPlan(gateway.SingleTarget(gateway.Target{Name: "x", Protocol: gateway.OpenAIProtocol, Policy: s.Policy.policy()}))
	if err == nil || p.reading.badAround(path) {
		return
	}
	const field = `Operations["target/x"].Policy`
	for line := range strings.Lines(err.Error()) {
		if at := strings.Index(line, field); at >= 0 {
			line = line[at:]
		}
		p.faults = append(p.faults, p.reading.file.file.LocateUnder(errors.New(strings.TrimSpace(line)), field, path))
	}
}

// checkLimits looks at the bounds of a target.
func (p *planner) checkLimits(path string, s *targetSection) {
	l := &s.Limits
	for _, limit := range []struct {
		key   string
		value float64
		most  float64
	}{
		{"requests_per_minute", l.RequestsPerMinute, 1e7},
		{"tokens_per_minute", l.TokensPerMinute, 1e12},
		{"dollars_per_day", l.DollarsPerDay, 1e7},
		{"concurrent", float64(l.Concurrent), 1e5},
	} {
		if !(limit.value >= 0 && limit.value <= limit.most) {
			p.fault(path+"."+limit.key, "found %v, want 0, which is any number, to %v", limit.value, limit.most)
		}
	}
	if l.DollarsPerDay > 0 && (s.Price.Input == 0 || s.Price.Output == 0) {
		p.fault(path+".dollars_per_day", "found it without price, want input and output of price, by which what is spent is known")
	}
	if s.Policy.Bulkhead != (trysail.BulkheadPolicy{}) && (l.Concurrent > 0 || l.Adaptive) {
		p.fault(path, "found concurrent or adaptive beside policy.bulkhead, want one of the two: they say the same")
	}
}

// wrongBase says why no provider can be at an address, or nothing. It does not show what may be a password.
func (p *planner) wrongBase(text string, protocol gateway.Protocol) string {
	_, own, _ := protocolOf(wordOf(protocol))
	u, err := url.Parse(strings.TrimRight(text, "/"))
	switch {
	case err != nil:
		return "found a text that is no URL, want something like " + own
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "", gateway.CheckBaseURL(text) != nil && u.User == nil && u.RawQuery == "" && u.Fragment == "":
		return fmt.Sprintf("found %s, want something like %s", quotedShort(u.Redacted()), own)
	case u.User != nil, u.RawQuery != "", u.Fragment != "", gateway.CheckBaseURL(text) != nil:
		return "found a URL with user, query or fragment, want scheme, host and path only; keys go under api_key"
	}
	if p.own.is(u) {
		return fmt.Sprintf("found %s, which is this server itself (it listens on %s): that is the address for its clients; want the provider's, such as %s",
			quotedShort(text), p.own.text, own)
	}
	last := u.Path[strings.LastIndexByte(u.Path, '/')+1:]
	switch {
	case protocol != gateway.OpenAIProtocol && (last == "v1" || last == "v1beta" || last == "v1alpha"):
		return fmt.Sprintf("found %s, want it without /%s, which is a part of the requests' paths: %s", quotedShort(text), last, strings.TrimSuffix(u.String(), "/"+last))
	case protocol == gateway.OpenAIProtocol && llm.ProviderOf(u.Host) == llm.OpenAI && last != "v1":
		return fmt.Sprintf("found %s, want it with the version: %s", quotedShort(text), gateway.OpenAI)
	}
	return ""
}

// wrongKey says why a text cannot be a provider's key, or nothing. It shows nothing of it.
func (p *planner) wrongKey(key string) string {
	const most = 8 << 10
	if i := strings.IndexFunc(key, func(c rune) bool { return c <= ' ' || c > '~' }); i >= 0 {
		return fmt.Sprintf("with a character at place %d that no key has, such as a blank or a line break, want the key alone, in one line", i+1)
	}
	if len(key) > most {
		return fmt.Sprintf("of %d bytes, want at most %d", len(key), most)
	}
	if keys, err := p.reading.keys(); key != "" && err == nil && keys.Holds(key) {
		return "that is one of this server's own, which clients send: a provider must not learn it; want the provider's key"
	}
	return ""
}

// providers are the words for those whose ways package llm knows.
func providers() []string {
	var words []string
	for _, p := range []llm.Provider{
		llm.OpenAI, llm.AzureOpenAI, llm.Anthropic, llm.Gemini, llm.Vertex, llm.Bedrock, llm.Mistral, llm.Cohere, llm.Groq, llm.Together,
		llm.DeepSeek, llm.OpenRouter, llm.XAI, llm.Ollama, llm.VLLM, llm.TGI, llm.HuggingFace,
	} {
		words = append(words, string(p))
	}
	return words
}

// plainWord reports whether a text has 1 to most letters, digits and marks.
func plainWord(text string, most int, marks string) bool {
	return text != "" && len(text) <= most && !strings.ContainsFunc(text, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && !strings.ContainsRune(marks, c)
	})
}

// shortText reports whether a text has 1 to 200 characters that can be seen.
func shortText(text string) bool {
	return text != "" && utf8.RuneCountInString(text) <= 200 && !strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c == 0x7f })
}

// quotedShort is a text for a message.
func quotedShort(text string) string {
	const most = 80
	if runes := []rune(text); len(runes) > most {
		return fmt.Sprintf("%q…", string(runes[:most]))
	}
	return fmt.Sprintf("%q", text)
}

// An ownAddress is where a server listens.
type ownAddress struct{ text, host, port string }

func addressOf(text string) ownAddress {
	host, port, err := net.SplitHostPort(text)
	if err != nil { // it is refused elsewhere
		return ownAddress{text: text}
	}
	return ownAddress{text, host, port}
}
