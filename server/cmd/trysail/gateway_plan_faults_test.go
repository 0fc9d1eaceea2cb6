package main

import (
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// All that can be wrong with targets and routes is said at once, each with its place and what would be right.
func TestPlanFaults(t *testing.T) {
	for name, tc := range map[string]struct {
		file      string
		variables []string
		want      string
	}{
		"targets": {`gateway:
  targets:
    a b: {protocol: openai}
    north: {}
    south: {protocol: opnai, base_url: ftp://x}
    east: {protocol: openai, base_url: "https://me:hunter2@east.example/v1"}
    west: {protocol: openai, base_url: "http://[::1", provider: azur}
    anthropic: {base_url: "https://api.anthropic.com/v1/", window: -1, models: {m: ""}}
    openai: {base_url: https://api.openai.com, models_only: true, region: "a\tb"}
    gemini: {base_url: https://generativelanguage.googleapis.com/v1beta, price: {input: 1.25, output: $5/1M}, limits: {dollars_per_day: 5, concurrent: -2}}
    own: {protocol: openai, base_url: http://localhost:8000/v1}
    toy: {protocol: openai, simulated: true, base_url: https://x.example/v1}
    both: {protocol: openai, limits: {adaptive: true}, policy: {bulkhead: {max_concurrent: 5}, breaker: {failure_threshold: 999}}}
    retries: {protocol: openai, policy: {retry: {attempts: 3}}}
  openai_base_url: https://x.example/v1
`, nil, `
trysail.yaml:3:5: gateway.targets["a b"]: found the name "a b", want 1 to 64 of the characters A-Z a-z 0-9 . _ : -
trysail.yaml:4:5: gateway.targets.north.protocol: found no protocol, want openai, anthropic or gemini, or a target whose name is one of these
trysail.yaml:5:13: gateway.targets.south.protocol: found "opnai", want openai, anthropic or gemini; most other providers and local servers speak openai
trysail.yaml:6:30: gateway.targets.east.base_url: found a URL with user, query or fragment, want scheme, host and path only; keys go under api_key
trysail.yaml:7:30: gateway.targets.west.base_url: found a text that is no URL, want something like https://api.openai.com/v1
trysail.yaml:7:55: gateway.targets.west.provider: found "azur", want openai, azure_openai, anthropic, gemini, vertex, bedrock, mistral, cohere, groq, together, deepseek, openrouter, xai, ollama, vllm, tgi or huggingface, or no such key
trysail.yaml:8:17: gateway.targets.anthropic.base_url: found "https://api.anthropic.com/v1/", want it without /v1, which is a part of the requests' paths: https://api.anthropic.com
trysail.yaml:8:60: gateway.targets.anthropic.window: found -1, want a number of tokens such as 128000
trysail.yaml:8:81: gateway.targets.anthropic.models.m: found "", want the target's name for this model, up to 200 characters
trysail.yaml:9:14: gateway.targets.openai.base_url: found "https://api.openai.com", want it with the version: https://api.openai.com/v1
trysail.yaml:9:48: gateway.targets.openai.models_only: found true without models, so that it would take none: want models beside it
trysail.yaml:9:67: gateway.targets.openai.region: found "a\tb", want up to 64 of the characters A-Z a-z 0-9 . _ : / -
trysail.yaml:10:14: gateway.targets.gemini.base_url: found "https://generativelanguage.googleapis.com/v1beta", want it without /v1beta, which is a part of the requests' paths: https://generativelanguage.googleapis.com
trysail.yaml:10:89: gateway.targets.gemini.price.input: found 1.25, which is refused: want a price with its unit, such as "$1.25/1M": dollars for a million tokens
trysail.yaml:10:120: gateway.targets.gemini.limits.dollars_per_day: found it without price, want input and output of price, by which what is spent is known
trysail.yaml:10:140: gateway.targets.gemini.limits.concurrent: found -2, want 0, which is any number, to 100000
trysail.yaml:11:29: gateway.targets.own.base_url: found "http://localhost:8000/v1", which is this server itself (it listens on 127.0.0.1:8000): that is the address for its clients; want the provider's, such as https://api.openai.com/v1
trysail.yaml:12:46: gateway.targets.toy.base_url: found it at a target that is simulated, which has none: want one of the two
trysail.yaml:13:30: gateway.targets.both.limits: found concurrent or adaptive beside policy.bulkhead, want one of the two: they say the same
trysail.yaml:13:106: gateway.targets.both.policy.breaker.failure_threshold: found 999, want 1 to 100
trysail.yaml:14:42: gateway.targets.retries.policy.retry: found a key that is not known, want throttle, bulkhead or breaker
trysail.yaml:15:3: gateway.openai_base_url: found it beside targets, where it has no effect: want it at the target, as base_url`},

		"credentials": {`server: {api_key: "${OWN}"}
gateway:
  targets:
    a: {protocol: openai, api_key: sk-hunter2}
    b: {protocol: openai, credentials: [{env: EMPTY}, {env: MISSING}, {file: nowhere}, sk-hunter2]}
    c: {protocol: openai, credentials: [{env: GOOD}, {env: GOOD}, {name: c-1, env: OTHER}, {name: "no name", env: SPACED}]}
    d: {protocol: openai, api_key: "${GOOD}", credentials: [{env: OTHER}]}
    e: {protocol: openai, api_key: "${OWN}"}
    f: {protocol: openai, api_key_env: GOOD}
`, []string{"OWN=hunter0", "EMPTY= ", "GOOD=hunter1", "OTHER=hunter2", "SPACED=hunter 3"}, `
trysail.yaml:4:36: gateway.targets.a.api_key: found a secret in the file itself, want ${NAME}, {env: NAME} or {file: PATH} (or literal_secrets: true, if everybody who reads the file may know it)
trysail.yaml:5:47: gateway.targets.b.credentials[0].env: found the variable EMPTY, which is not set or empty, want it set
trysail.yaml:5:61: gateway.targets.b.credentials[1].env: found the variable MISSING, which is not set or empty, want it set
trysail.yaml:5:78: gateway.targets.b.credentials[2].file: found the file of a secret, but it cannot be read: stat nowhere: no such file or directory
trysail.yaml:5:88: gateway.targets.b.credentials[3]: found a secret in the file itself, want ${NAME}, {env: NAME} or {file: PATH} (or literal_secrets: true, if everybody who reads the file may know it)
trysail.yaml:6:54: gateway.targets.c.credentials[1]: found the same key as in credentials[0], want it once: one key is one account
trysail.yaml:6:68: gateway.targets.c.credentials[2].name: found the name "c-1", which credentials[0] has, want another
trysail.yaml:6:92: gateway.targets.c.credentials[3]: found a key with a character at place 7 that no key has, such as a blank or a line break, want the key alone, in one line
trysail.yaml:6:93: gateway.targets.c.credentials[3].name: found a name that is too long or has other characters than A-Z a-z 0-9 . _ : -, want 1 to 64 of these
trysail.yaml:7:27: gateway.targets.d.api_key: found it beside credentials, want one of the two: all keys under credentials
trysail.yaml:8:27: gateway.targets.e.api_key: found a key that is one of this server's own, which clients send: a provider must not learn it; want the provider's key
trysail.yaml:9:27: gateway.targets.f.api_key_env: found a key that is not known, did you mean api_key?`},

		"keys": {`server: {api_key: "${OWN}"}
literal_secrets: true
gateway:
  targets: {a: {protocol: openai, api_key: "${THEIRS}", price: {input: $1/1M, output: $1/1M}}, b: {protocol: openai, base_url: https://b.example/v1}}
  routes: [{name: main, operation: "x/y", targets: [a]}]
  keys:
    - {name: plain, key: tsk_hunter-a-0123456789}
    - {name: "a b", key: "${SHORT}", operations: [], routes: [], targets: []}
    - {name: x, key: "${A}", operations: [chta, "[a", target/a, "", chat, x/y], routes: [mian, ""], targets: [aa, main]}
    - {name: x, key: {env: A}}
    - {name: own, key: "${OWN}"}
    - {name: theirs, key: "${THEIRS}"}
    - {name: b, key: "${B}", limits: {requests_per_minute: 0.5, tokens_per_minute: -1, dollars_per_day: 1}, max_priority: urgent}
    - {name: c, key: "${C}", targets: [a], limits: {dollars_per_day: 1e9}}
    - {name: d, key: {sha256: hunter}}
    - {key: "${D}", role: admin}
    - {name: e}
    - tsk_hunter-a-0123456789
`, []string{"OWN=hunter0-0123456789", "THEIRS=hunter1-0123456789", "SHORT=hunter2", "A=hunter3-0123456789", "B=hunter4-0123456789", "C=hunter5-0123456789", "D=hunter6-0123456789"}, `
trysail.yaml:7:26: gateway.keys[0].key: found a key in the file itself, want ${NAME}, {env: NAME}, {file: PATH} or {sha256: HASH}: only its hash may stand here, which trysail config key prints with a new key
trysail.yaml:8:8: gateway.keys[1].name: found "a b", want 1 to 64 of the characters A-Z a-z 0-9 . _ : / -
trysail.yaml:8:26: gateway.keys[1].key: found a key of 7 characters, want 16 to 1000 that nobody can guess: trysail config key makes one
trysail.yaml:8:38: gateway.keys[1].operations: found an empty list, want one or more operations, or no such key, which is all
trysail.yaml:8:54: gateway.keys[1].routes: found an empty list, want one or more routes, or no such key, which is all
trysail.yaml:8:66: gateway.keys[1].targets: found an empty list, want one or more targets, or no such key, which is all
trysail.yaml:9:43: gateway.keys[2].operations[0]: found the operation "chta", which is not known, want chat or x/y, or a pattern such as team-a/*; one that only requests name can be made known under operations
trysail.yaml:9:49: gateway.keys[2].operations[1]: found "[a", which is no pattern: want * for any characters, ? for one, [a-z] for one of these
trysail.yaml:9:55: gateway.keys[2].operations[2]: found "target/a", want a name that does not begin with target/: those are the targets' own; what may serve the key goes under targets
trysail.yaml:9:65: gateway.keys[2].operations[3]: found the operation "", which is not known, want chat or x/y, or a pattern such as team-a/*; one that only requests name can be made known under operations
trysail.yaml:9:90: gateway.keys[2].routes[0]: found the route "mian", which is not known, want main
trysail.yaml:9:96: gateway.keys[2].routes[1]: found the route "", which is not known, want main
trysail.yaml:9:111: gateway.keys[2].targets[0]: found the target "aa", which is not known, want a or b
trysail.yaml:9:115: gateway.keys[2].targets[1]: found the target "main", which is not known, want a or b
trysail.yaml:10:8: gateway.keys[3].name: found the name "x", which gateway.keys[2] has, want another
trysail.yaml:10:17: gateway.keys[3].key: found the key of gateway.keys[2], want a key for each
trysail.yaml:11:19: gateway.keys[4].key: found one of the server's own keys, for which no limits hold, want another: trysail config key makes one
trysail.yaml:12:22: gateway.keys[5].key: found the provider's key of the target a, which clients must not have, want another: trysail config key makes one
trysail.yaml:13:39: gateway.keys[6].limits.requests_per_minute: found 0.5, want 1 to 10000000000, or 0, which is any number
trysail.yaml:13:65: gateway.keys[6].limits.tokens_per_minute: found -1, want 1 to 10000000000, or 0, which is any number
trysail.yaml:13:88: gateway.keys[6].limits.dollars_per_day: found it, but of b no price is known, want input and output of price there, by which what is spent is known, or targets without it
trysail.yaml:13:123: gateway.keys[6].max_priority: found the text "urgent", want interactive, batch or background
trysail.yaml:14:53: gateway.keys[7].limits.dollars_per_day: found 1e+09, want more than 0, up to 10000000, or 0, which is any number
trysail.yaml:15:31: gateway.keys[8].key.sha256: found a text of 6 characters, want the SHA-256 of a key, 64 hexadecimal digits: trysail config key prints it
trysail.yaml:16:7: gateway.keys[9]: found no name, want it: it is required
trysail.yaml:16:21: gateway.keys[9].role: found a key that is not known, want name, key, operations, routes, targets, limits or max_priority
trysail.yaml:17:7: gateway.keys[10]: found no key, want it: it is required
trysail.yaml:18:7: gateway.keys[11]: found a text, want a mapping with name, key, operations, routes, targets, limits or max_priority`},

		"probes": {`gateway:
  targets:
    a: {protocol: openai, base_url: https://a.example/v1, probe: {interval: 5s}}
    b: {protocol: openai, base_url: https://b.example/v1, probe: {path: models, interval: 1ms, timeout: 30}}
    c: {protocol: openai, base_url: https://c.example/v1, probe: {path: //evil.example/, timeout: 31s}}
    d: {protocol: openai, base_url: https://d.example/v1, probe: {path: "/m#a", interval: 2h, timeout: 3h}}
    e: {protocol: openai, base_url: https://e.example/v1, probe: /models}
`, nil, `
trysail.yaml:3:59: gateway.targets.a.probe: found no path in it, want one such as /models, or no probe
trysail.yaml:4:67: gateway.targets.b.probe.path: found "models", want a path behind base_url that begins with a slash, such as /models
trysail.yaml:4:81: gateway.targets.b.probe.interval: found 1ms, want 100ms to 1h
trysail.yaml:4:105: gateway.targets.b.probe.timeout: found 30, want a time such as "30s", "1m30s" or "250ms", with its unit
trysail.yaml:5:67: gateway.targets.c.probe.path: found "//evil.example/", want a path behind base_url that begins with a slash, such as /models
trysail.yaml:5:90: gateway.targets.c.probe.timeout: found 31s, want at most the interval, which is 30s
trysail.yaml:6:67: gateway.targets.d.probe.path: found "/m#a", want a path behind base_url that begins with a slash, such as /models
trysail.yaml:6:81: gateway.targets.d.probe.interval: found 2h0m0s, want 100ms to 1h
trysail.yaml:6:95: gateway.targets.d.probe.timeout: found 3h0m0s, want at most the interval, which is 2h0m0s
trysail.yaml:7:66: gateway.targets.e.probe: found a text, want a mapping with path, interval or timeout`},

		"no routes to name": {`gateway:
  targets: [a]
  keys: [{name: a, key: "${A}", routes: [main], targets: [a], limits: {dollars_per_day: 1}}]
`, []string{"A=hunter3-0123456789"}, `
trysail.yaml:2:12: gateway.targets: found a list, want a mapping`},

		"keys that are no list": {`gateway: {keys: {a: tsk_hunter-a-0123456789}}
`, nil, `
trysail.yaml:1:17: gateway.keys: found a mapping, want a list`},

		"routes": {`gateway:
  targets: {openai: {}, west: {protocol: openai}, anthropic: {}}
  routes:
    - {name: "a b", path: v1, model: "[a", targets: [opnai], operation: "a b", timeout: 2h, on_content_policy: maybe}
    - {targets: [openai, anthropic]}
    - {path: /v1/messages, targets: [openai, anthropic]}
    - {targets: []}
    - {name: x, strategy: criticl, targets: [west]}
    - {name: x, targets: [{target: west, weight: 0, priority: -1}, {target: openai, weight: 2e6}, west, 5, {weight: 1}]}
    - {operation: target/west, headers: {"a b": x, authorization: x, X-Team: "[a"}, targets: [west]}
    - {strategy: critical, targets: [west]}
    - {strategy: balanced, operation: chat, targets: [west]}
    - west
`, nil, `
trysail.yaml:4:8: gateway.routes[0].name: found "a b", want 1 to 64 of the characters A-Z a-z 0-9 . _ : -
trysail.yaml:4:21: gateway.routes[0].path: found "v1", want a pattern that begins with a slash, such as /v1/chat/*
trysail.yaml:4:31: gateway.routes[0].model: found "[a", which is no pattern: want * for any characters, ? for one, [a-z] for one of these
trysail.yaml:4:54: gateway.routes[0].targets[0]: found the target "opnai", which is not known, want openai, west or anthropic
trysail.yaml:4:62: gateway.routes[0].operation: found "a b", want 1 to 64 of the characters A-Z a-z 0-9 . _ : / -
trysail.yaml:4:80: gateway.routes[0].timeout: found 2h0m0s, want at most 59m
trysail.yaml:4:93: gateway.routes[0].on_content_policy: found "maybe", want deliver or next
trysail.yaml:5:26: gateway.routes[1].targets[1]: found the target anthropic, which speaks anthropic, want one that speaks openai, as openai does: requests keep their protocol
trysail.yaml:6:38: gateway.routes[2].targets[0]: found the target openai, which speaks openai, want one that speaks anthropic, as requests for /v1/messages do: requests keep their protocol
trysail.yaml:7:8: gateway.routes[3].targets: found no targets, want a list of one or more: openai, west or anthropic
trysail.yaml:8:27: gateway.routes[4].strategy: found the text "criticl", want aggressive, balanced, conservative or critical; did you mean critical?
trysail.yaml:9:8: gateway.routes[5].name: found the name "x", which gateway.routes[4] has, want another
trysail.yaml:9:42: gateway.routes[5].targets[0].weight: found 0, want more than 0, up to 1000000; a target that is to get nothing is left out, or has draining: true
trysail.yaml:9:53: gateway.routes[5].targets[0].priority: found -1, want 0 to 1000, the lowest first
trysail.yaml:9:85: gateway.routes[5].targets[1].weight: found 2e+06, want more than 0, up to 1000000; a target that is to get nothing is left out, or has draining: true
trysail.yaml:9:99: gateway.routes[5].targets[2]: found "west", which is targets[0] already, want each once
trysail.yaml:9:105: gateway.routes[5].targets[3]: found a number, want a text, which is the target, or a mapping with target, priority or weight
trysail.yaml:9:108: gateway.routes[5].targets[4]: found the target "", which is not known, want openai, west or anthropic
trysail.yaml:10:8: gateway.routes[6].operation: found "target/west", want a name that does not begin with target/: those are the targets' own
trysail.yaml:10:42: gateway.routes[6].headers["a b"]: found a name that no header has, want such as X-Team
trysail.yaml:10:52: gateway.routes[6].headers.authorization: found a header that holds a credential, which must not be written here: want a header such as X-Team
trysail.yaml:10:70: gateway.routes[6].headers.X-Team: found "[a", which is no pattern: want * for any characters, ? for one, [a-z] for one of these
trysail.yaml:12:8: gateway.routes[8].strategy: found balanced for the operation chat, which has critical by gateway.routes[7], want one strategy, or another operation
trysail.yaml:13:7: gateway.routes[9]: found a text, want a mapping with name, path, model, headers, targets, operation, strategy, timeout, on_content_policy, hedge, continue or allow`},

		"of a list of targets no route is blamed": {"gateway:\n  targets: [openai]\n  routes: [{targets: [openai]}]\n", nil, `
trysail.yaml:2:12: gateway.targets: found a list, want a mapping`},

		"routes without targets": {"gateway: {routes: [{targets: [openai]}]}", nil, `
trysail.yaml:1:31: gateway.routes[0].targets[0]: found the target "openai", which is not known, want simulated, simulated-anthropic or simulated-gemini`},

		"variables": {"", []string{
			"OPENAI_BASE_URL=localhost:1", "ANTHROPIC_BASE_URL=http://127.0.0.1:8000", "GOOGLE_GEMINI_BASE_URL=https://me:hunter2@x.example", "GEMINI_API_KEY=hunter 3",
		}, `
OPENAI_BASE_URL: found "localhost:1", want something like https://api.openai.com/v1
ANTHROPIC_BASE_URL: found "http://127.0.0.1:8000", which is this server itself (it listens on 127.0.0.1:8000): that is the address for its clients; want the provider's, such as https://api.anthropic.com
GEMINI_API_KEY: found a key with a character at place 7 that no key has, such as a blank or a line break, want the key alone, in one line
GOOGLE_GEMINI_BASE_URL: found a URL with user, query or fragment, want scheme, host and path only; keys go under api_key`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := compiled(t, tc.file, tc.variables...)
			if err == nil {
				t.Fatal("no fault")
			}
			// The reader's own faults come first, then those of planOf: each part is in the order of the lines.
			got, want := linesSorted(err.Error()), linesSorted(strings.TrimPrefix(tc.want, "\n"))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if strings.Contains(err.Error(), "hunter") {
				t.Errorf("it shows a secret:\n%v", err)
			}
		})
	}
}

func linesSorted(text string) []string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return lines
}

// A server is no target of its own, whatever it is called.
func TestOwnAddress(t *testing.T) {
	var elsewhere string // an address of this machine that is no loopback
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if network, ok := a.(*net.IPNet); ok && !network.IP.IsLoopback() && network.IP.To4() != nil {
			elsewhere = network.IP.String()
		}
	}
	for name, tc := range map[string]struct {
		listening, base string
		want            bool
	}{
		"the same":                        {"127.0.0.1:8000", "http://127.0.0.1:8000/v1", true},
		"by name":                         {"127.0.0.1:8000", "http://LocalHost.:8000", true},
		"by a name below it":              {"127.0.0.1:8000", "http://trysail.localhost:8000", true},
		"the name is listened on":         {"localhost:8000", "http://[::1]:8000", true},
		"everywhere":                      {"0.0.0.0:8000", "http://127.0.0.1:8000", true},
		"everywhere, in six":              {"[::]:8000", "http://localhost:8000", true},
		"everywhere, without a host":      {":8000", "http://[::1]:8000", true},
		"everywhere, called so":           {":8000", "http://0.0.0.0:8000", true},
		"0.0.0.0 is dialed as 127.0.0.1":  {"127.0.0.1:8000", "http://0.0.0.0:8000", true},
		"the port of http":                {"127.0.0.1:80", "http://127.0.0.1", true},
		"the port of https":               {"127.0.0.1:443", "https://127.0.0.1", true},
		"another port":                    {"127.0.0.1:8000", "http://127.0.0.1:8001", false},
		"another loopback address":        {"127.0.0.1:8000", "http://127.0.0.2:8000", false},
		"another machine":                 {"0.0.0.0:8000", "http://192.0.2.1:8000", false},
		"another name":                    {"0.0.0.0:8000", "http://provider.example:8000", false},
		"one network only":                {"192.0.2.7:8000", "http://localhost:8000", false},
		"one network, the same":           {"192.0.2.7:8000", "http://192.0.2.7:8000", true},
		"a port that is not known yet":    {"127.0.0.1:0", "http://127.0.0.1:0", false},
		"an address that is none":         {"nonsense", "http://127.0.0.1:8000", false},
		"an address of another interface": {":8000", "http://" + elsewhere + ":8000", elsewhere != ""},
	} {
		t.Run(name, func(t *testing.T) {
			u, err := url.Parse(tc.base)
			if err != nil {
				t.Fatal(err)
			}
			if got := addressOf(tc.listening).is(u); got != tc.want {
				t.Errorf("listening on %s, %s is this server: %v, want %v", tc.listening, tc.base, got, tc.want)
			}
		})
	}
}
