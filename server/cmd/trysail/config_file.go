package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/server/api"
	"github.com/trysail-go/trysail/server/configfile"
)

// A configuration is what the file says. Without a file it says nothing.
type configuration struct {
	file     *configfile.File // nil: there is none
	document *config.Document // nil: there is none
	server   serverSection
	gateway  gatewaySection
	bad      []configfile.Fault // what the reader of the file has refused
}

// serverSection is the key "server" of the file: the flags of these names, and the keys.
type serverSection struct {
	// Addr is the address to listen on. Without a key it must be a loopback address.
	Addr *string

	// LogFormat is auto, text or json: text on a terminal, JSON elsewhere, by default.
	LogFormat *string

	// ShutdownTimeout is how long running requests may go on after SIGTERM: up to 59 min.
	ShutdownTimeout *time.Duration

	// ShutdownDelay is how long requests are still accepted after SIGTERM, while /readyz says that the server stops: up to 59 min.
	ShutdownDelay *time.Duration

	// DataDir is a directory for what is to outlive the program: events, alerts, benchmarks, versions of the configuration, audit log. Without
	// it all of that is in memory.
	DataDir *string

	// APIKey is a key for the internal API and, beyond loopback, for the gateway. API_KEY goes before it.
	APIKey configfile.Secret

	// AdditionalAPIKeys are more of them. ADDITIONAL_API_KEYS goes before all of them.
	AdditionalAPIKeys []configfile.Secret

	// ReadOnlyAPIKeys are keys that may only read the internal API. READ_ONLY_API_KEYS goes before all of them.
	ReadOnlyAPIKeys []configfile.Secret

	// TrustedProxies are networks, such as 10.0.0.0/8, whose proxies are believed what they say of a client's address
	// in X-Forwarded-For.
	TrustedProxies []string

	// ValidationsPerMinute is how many configurations a client's address may have the internal API check in any minute: 1 to 10,000.
	ValidationsPerMinute *int

	// ValidationsPerHour is how many in any hour: 1 to 10,000.
	ValidationsPerHour *int

	// ValidationCooldown is the time from one to the next: up to 1 min.
	ValidationCooldown *time.Duration
}

// gatewaySection is the key "gateway" of the file: targets, routes, the flags of these names, and the key of the one target that needs no targets.
type gatewaySection struct {
	// Targets are the providers' endpoints, by names of yours: 1 to 64 of the characters A-Z a-z 0-9 . _ : -. A request that no route takes goes to
	// those of its protocol, in their order. Without any: those for which the environment has a key or an address, or else the simulated provider.
	Targets map[string]targetSection

	// Routes lead requests to targets; the first that matches counts.
	Routes []routeSection

	// Keys are those by which clients of yours are known. With any, every request to the gateway needs one of them, or one of the server's.
	Keys []keySection

	// Operations are bounds for what the requests of an operation use together, by its name. How many requests it takes is said by its limiter
	// under operations. Default: none.
	Operations map[string]operationLimitsSection

	// OpenAIBaseURL is the address of the target openai, where there are no targets. Default: https://api.openai.com/v1 if there is a key for it.
	OpenAIBaseURL *string `file:"openai_base_url"`

	// OpenAIAPIKey is the key of the target openai, where there are no targets. OPENAI_API_KEY goes before it.
	OpenAIAPIKey configfile.Secret `file:"openai_api_key"`

	// MaxBody is the size of the largest request body.
	MaxBody *configfile.Size

	// MaxAnswer is the size of the largest answer that is no stream.
	MaxAnswer *configfile.Size

	// LogBody is how much of each request's body the log holds: up to 64 KiB. Default 0: nothing. With more the log holds prompts, and whatever
	// secrets there are in them.
	LogBody *configfile.Size

	// MaxOperations is how many operations requests may create by naming them.
	MaxOperations *int

	// ConnectTimeout is the time until a connection to the provider stands: up to 59 min, as all of these.
	ConnectTimeout *time.Duration

	// FirstTokenTimeout is the time until the first token of a stream.
	FirstTokenTimeout *time.Duration

	// AnswerTimeout is the time until an answer that is no stream is complete.
	AnswerTimeout *time.Duration

	// IdleTimeout is the time between the tokens of a stream; keep-alives do not count.
	IdleTimeout *time.Duration

	// TotalTimeout is the time for a request with all its attempts and waits.
	TotalTimeout *time.Duration

	// ClientTimeout is the time for a client to send its request, and to take a piece of the answer.
	ClientTimeout *time.Duration

	// SimulateFaultRate is the share of the simulated provider's answers that fail, 0 to 1.
	SimulateFaultRate *float64

	// SimulateTokenDelay is the simulated provider's time for a token.
	SimulateTokenDelay *time.Duration
}

// readConfiguration takes a file apart, all of it at once.
func readConfiguration(loader *configfile.Loader, file *configfile.File) (*configuration, error) {
	c := &configuration{file: file}
	document, err := loader.Load(file, map[string]any{"server": &c.server, "gateway": &c.gateway})
	c.document, c.bad = document, faultsOf(err)
	return c, err
}

// AfterApply notes which flags the command line and the variables set: those go before the file.
func (s *serveCmd) AfterApply(ctx *kong.Context, p *program) error { //nolint:unparam // kong wants it so
	s.given = map[string]config.Origin{}
	for _, flag := range ctx.Flags() {
		for _, name := range flag.Envs {
			if _, set := p.lookup(name); set {
				s.given[flag.Name] = config.Origin{Source: config.FromVariable, Detail: name}
			}
		}
	}
	for _, step := range ctx.Path {
		switch {
		case step.Flag == nil:
		case step.Resolved: // by the env file
			s.given[step.Flag.Name] = config.Origin{Source: config.FromVariable, Detail: step.Flag.Envs[0]}
		default:
			s.given[step.Flag.Name] = config.Origin{Source: config.FromFlag, Detail: "--" + step.Flag.Name}
		}
	}
	return nil
}

// isGiven reports whether the command line or a variable sets a flag.
func (s *serveCmd) isGiven(flag string) bool {
	_, given := s.given[flag]
	return given
}

// over returns the settings with those of the file in the places of the defaults.
func (s *serveCmd) over(c *configuration) *serveCmd {
	merged := *s
	merged.filed = map[string]config.Origin{}
	f := filing{&merged, c}
	server, gateway := &c.server, &c.gateway
	take(f, "addr", &merged.Addr, server.Addr)
	take(f, "log-format", &merged.LogFormat, server.LogFormat)
	take(f, "data-dir", &merged.DataDir, server.DataDir)
	if len(server.TrustedProxies) > 0 {
		take(f, "trusted-proxies", &merged.TrustedProxies, &server.TrustedProxies)
	}
	take(f, "validations-per-minute", &merged.ValidationsPerMinute, server.ValidationsPerMinute)
	take(f, "validations-per-hour", &merged.ValidationsPerHour, server.ValidationsPerHour)
	take(f, "validation-cooldown", &merged.ValidationCooldown, server.ValidationCooldown)
	take(f, "shutdown-timeout", &merged.ShutdownTimeout, server.ShutdownTimeout)
	take(f, "shutdown-delay", &merged.ShutdownDelay, server.ShutdownDelay)
	take(f, "openai-base-url", &merged.OpenAIBaseURL, gateway.OpenAIBaseURL)
	take(f, "max-body", &merged.MaxBody, (*int64)(gateway.MaxBody))
	take(f, "max-answer", &merged.MaxAnswer, (*int64)(gateway.MaxAnswer))
	take(f, "log-body", &merged.LogBody, (*int64)(gateway.LogBody))
	take(f, "max-operations", &merged.MaxOperations, gateway.MaxOperations)
	take(f, "connect-timeout", &merged.ConnectTimeout, gateway.ConnectTimeout)
	take(f, "first-token-timeout", &merged.FirstTokenTimeout, gateway.FirstTokenTimeout)
	take(f, "answer-timeout", &merged.AnswerTimeout, gateway.AnswerTimeout)
	take(f, "idle-timeout", &merged.IdleTimeout, gateway.IdleTimeout)
	take(f, "total-timeout", &merged.TotalTimeout, gateway.TotalTimeout)
	take(f, "client-timeout", &merged.ClientTimeout, gateway.ClientTimeout)
	take(f, "simulate-fault-rate", &merged.SimulateFaultRate, gateway.SimulateFaultRate)
	take(f, "simulate-token-delay", &merged.SimulateTokenDelay, gateway.SimulateTokenDelay)
	return &merged
}

// A filing puts what a file says into settings.
type filing struct {
	into *serveCmd
	from *configuration
}

func take[T any](f filing, flag string, into, from *T) {
	if from != nil && !f.into.isGiven(flag) {
		*into = *from
		f.into.filed[flag] = f.from.origin(keyOf(flag))
	}
}

// origin says where in the file the value of a path is.
func (c *configuration) origin(path string) config.Origin {
	document := config.Document{Name: c.file.Name(), Line: c.file.Line}
	return document.Origin(path)
}

// blame gives an error about a flag its place, if the file is where the value comes from.
func (s *serveCmd) blame(c *configuration, flag string, err error) error {
	if err == nil {
		return nil
	}
	path := keyOf(flag)
	if c.file == nil || s.isGiven(flag) {
		return err
	}
	return c.file.Refuse(path, "%v", err)
}

// keyOf returns the path in the file of a flag.
func keyOf(flag string) string {
	key := strings.ReplaceAll(flag, "-", "_")
	switch flag {
	case "addr", "log-format", "shutdown-timeout", "shutdown-delay", "data-dir", "trusted-proxies",
		"validations-per-minute", "validations-per-hour", "validation-cooldown":
		return "server." + key
	default:
		return "gateway." + key
	}
}

// locate gives faults of the library their places in the file, if there is one.
func (c *configuration) locate(err error) error {
	if c.file == nil {
		return err
	}
	return c.file.Locate(err)
}

// keys returns the API keys of the environment, or else of the file.
func (c *configuration) keys(env config.Environ) (api.Keys, error) {
	first := cmp.Or(env.Value("API_KEY", ""), c.server.APIKey.Reveal())
	more := listed(env, "ADDITIONAL_API_KEYS", c.server.AdditionalAPIKeys)
	keys, err := api.NewKeys(append([]string{first}, more...)...)
	if err != nil {
		return api.Keys{}, err
	}
	keys, err = keys.WithReadOnly(listed(env, "READ_ONLY_API_KEYS", c.server.ReadOnlyAPIKeys)...)
	if err == nil && !keys.Empty() && !keys.HasAdmin() {
		err = errors.New("there are read-only API keys and no other: set API_KEY too, or nobody can change anything")
	}
	return keys, err
}

// listed returns the keys that a variable lists or, without it, those of the file.
func listed(env config.Environ, variable string, file []configfile.Secret) []string {
	if list := env.Value(variable, ""); list != "" {
		return strings.Split(list, ",")
	}
	var keys []string
	for _, key := range file {
		keys = append(keys, key.Reveal())
	}
	return keys
}

// providerKey returns the provider's key of the environment, or else of the file.
func (c *configuration) providerKey(env config.Environ) string {
	return cmp.Or(env.Value("OPENAI_API_KEY", ""), c.gateway.OpenAIAPIKey.Reveal())
}

// fixed lists what is read at the start only, as text to compare. It may hold secrets.
func (r *reading) fixed() map[string]string {
	s, c, env := r.settings, r.file, config.Environ(r.sources.Variable)
	keys := fmt.Sprintf("%q %q %q", env.Value("API_KEY", ""), env.Value("ADDITIONAL_API_KEYS", ""), env.Value("READ_ONLY_API_KEYS", ""))
	for _, list := range [][]configfile.Secret{{c.server.APIKey}, c.server.AdditionalAPIKeys, c.server.ReadOnlyAPIKeys} {
		for _, key := range list {
			keys += fmt.Sprintf(" %q", key.Reveal())
		}
		keys += " |" // a key that becomes a read-only one is a change
	}
	return map[string]string{
		"server.addr": s.Addr, "server.log_format": s.LogFormat, "server.shutdown_timeout": s.ShutdownTimeout.String(), "server.shutdown_delay": s.ShutdownDelay.String(),
		"server.api_key, server.additional_api_keys, server.read_only_api_keys": keys,
		"server.data_dir":        s.DataDir,
		"server.trusted_proxies": strings.Join(s.TrustedProxies, ","),
		"server.validations_per_minute, server.validations_per_hour, server.validation_cooldown": fmt.Sprint(s.validations()),
		"gateway limits": fmt.Sprint(s.MaxBody, s.MaxAnswer, s.MaxOperations, s.ConnectTimeout, s.FirstTokenTimeout,
			s.AnswerTimeout, s.IdleTimeout, s.TotalTimeout, s.ClientTimeout),
		"gateway.log_body":            fmt.Sprint(s.LogBody),
		"gateway.simulate_fault_rate": fmt.Sprint(s.SimulateFaultRate), "gateway.simulate_token_delay": s.SimulateTokenDelay.String(),
		"observe_calls": fmt.Sprint(c.document != nil && c.document.ObserveCalls),
	}
}

// differing returns the names of what has another value, sorted.
func differing(was, is map[string]string) []string {
	var names []string
	for name, value := range is {
		if was[name] != value {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
