package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/monitor"
	"github.com/trysail-go/trysail/perf"
)

// A Config sets up an [API].
type Config struct {
	// Orchestrator is what the API shows and controls. Required.
	Orchestrator *trysail.Orchestrator

	// Presets are the presets that can be chosen. Default: the built-in ones.
	Presets *config.Manager

	// Reloader reloads the configuration that the Orchestrator is under. Nil: it cannot be reloaded.
	Reloader *config.Reloader

	// Monitor is what the program's events were recorded with. Default: one of the API's own.
	Monitor *monitor.Collector

	// Benchmarks runs benchmarks for the API. It must have a history. Default: one that knows the Orchestrator
	// and none of the program's variables.
	Benchmarks *perf.Runner

	// BenchmarkHistory remembers the runs. Default: the history of Benchmarks, or one of the API's own.
	BenchmarkHistory *perf.History

	// Keys are the keys that callers may use. Empty: every request is allowed, and
	// the program must see to it that only trusted callers reach the API.
	Keys Keys

	// TrustedProxies are the networks of proxies whose X-Forwarded-For is believed: the address of a client
	// is then what the nearest proxy outside of them, or the client, has. Default: none, so that a
	// client's address is that of its connection.
	TrustedProxies []netip.Prefix

	// Gateway is the gateway of the program. Nil: it has none, and the API no routes about it.
	Gateway Gateway

	// Validations is how many validations an address may ask for.
	Validations ValidationLimits

	// Detect says in what kind of environment the program runs, and which preset fits there. It is called with every
	// request that asks. Default: what [config.Detect] finds in [config.Here].
	Detect func() config.Recommendation

	// Redis reports whether the Redis that the program shares its state through can be used, as far as is known: it must
	// not wait. Nil: the program uses none, and /health/detailed says so. The trysail program leaves it nil as long as it shares
	// no state; it is there because the answer has a member for it.
	Redis func() (healthy bool)

	// Store says how the store is that keeps events, alerts and more beyond the life of the program: it must not wait.
	// Nil: the program keeps all of it in memory.
	Store func() StoreHealth

	// Audit remembers every change that is made through the API. Default: one of the API's own, which keeps the newest
	// 10,000 entries, at most 8 MiB, for as long as the program runs.
	//
	// A change is made first and then noted, with what it has found. While the log takes no entries up to 200 of them wait; then
	// requests that would change something are refused with 503.
	Audit AuditLog

	// Service is the name in the answer of /health. Default "resilience".
	Service string

	// Version is the program's version in /health and in the OpenAPI document.
	// Default "dev".
	Version string

	// Logger hears of resets, panics and failures of the API's own. Default: nobody does.
	Logger *slog.Logger
}

// An API serves the internal API. It comes from [New] and may be used by
// several goroutines at once.
type API struct {
	orc      *trysail.Orchestrator
	presets  *config.Manager
	reloader *config.Reloader // may be nil
	monitor  *monitor.Collector
	detect   func() config.Recommendation
	redis    func() bool        // may be nil
	store    func() StoreHealth // may be nil
	gateway  Gateway            // nil if there is none
	started  time.Time
	keys     Keys
	proxies  []netip.Prefix
	checks   *limiter // validations
	logins   *limiter // wrong keys
	trail    *trail
	service  string
	version  string
	log      *slog.Logger
	mux      *http.ServeMux
	huma     huma.API
	problems map[int]bool           // the statuses of all problems that the table promises
	document func() ([]byte, error) // the OpenAPI document

	stop      func() // ends what would not end by itself, or not soon
	stopped   <-chan struct{}
	onStop    func(func()) (forget func() bool)
	followers atomic.Int64

	benchmarks *perf.Runner
	history    *perf.History
	runs       chan struct{} // holds an item for each run that is under way
}

// New returns the API for cfg.
func New(cfg Config) (*API, error) {
	if cfg.Orchestrator == nil {
		return nil, errors.New("api config: Orchestrator is nil, want one from trysail.New")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Monitor == nil {
		var err error
		if cfg.Monitor, err = monitor.New(monitor.Config{}); err != nil {
			return nil, fmt.Errorf("api config: %w", err)
		}
	}
	quota, err := cfg.Validations.quota()
	if err != nil {
		return nil, fmt.Errorf("api config: %w", err)
	}
	if i := slices.IndexFunc(cfg.TrustedProxies, func(p netip.Prefix) bool { return !p.IsValid() }); i >= 0 {
		return nil, fmt.Errorf("api config: TrustedProxies[%d] is no network, want one such as 10.0.0.0/8", i)
	}
	runner, history, err := benchmarking(cfg.Benchmarks, cfg.BenchmarkHistory, cfg.Orchestrator)
	if err != nil {
		return nil, fmt.Errorf("api config: %w", err)
	}
	a := &API{
		orc:      cfg.Orchestrator,
		presets:  cmp.Or(cfg.Presets, config.NewManager()),
		reloader: cfg.Reloader,
		monitor:  cfg.Monitor,
		detect:   cfg.Detect,
		redis:    cfg.Redis,
		store:    cfg.Store,
		gateway:  cfg.Gateway,
		started:  time.Now(),
		keys:     cfg.Keys,
		proxies:  slices.Clone(cfg.TrustedProxies),
		checks:   newLimiter(quota),
		logins:   newLimiter(wrongKeys),
		trail:    &trail{log: cfg.auditLog(), logger: cfg.Logger},
		service:  cmp.Or(cfg.Service, "resilience"),
		version:  cmp.Or(cfg.Version, "dev"),
		log:      cfg.Logger,
		mux:      http.NewServeMux(),
		problems: map[int]bool{},

		benchmarks: runner,
		history:    history,
		runs:       make(chan struct{}, maxRuns),
	}
	if a.detect == nil {
		a.detect = func() config.Recommendation { return config.Detect(config.Here()) }
	}
	ctx, stop := context.WithCancel(context.Background())
	a.stop, a.stopped = stop, ctx.Done()
	a.onStop = func(f func()) func() bool { return context.AfterFunc(ctx, f) }
	if err := a.mount(); err != nil {
		return nil, err
	}
	return a, nil
}

// auditLog returns the log that was given, or one of the API's own.
func (cfg *Config) auditLog() AuditLog {
	if cfg.Audit != nil {
		return cfg.Audit
	}
	return &memoryLog{}
}

// mount puts the routes on the mux. The document is written for the first who asks for it: that takes longer than all the rest.
func (a *API) mount() error {
	a.huma = huma.NewAPI(a.humaConfig(), adapter{a})
	for _, r := range a.routes() {
		for _, status := range r.problems() {
			a.problems[status] = true
		}
		r.run(a, r.operation())
	}
	describe(a.huma.OpenAPI(), a.problems)
	a.document = sync.OnceValues(func() ([]byte, error) { return json.Marshal(a.huma.OpenAPI()) })
	a.mux.HandleFunc("GET "+documentPath, a.serveDocument)
	if err := a.documentation(); err != nil {
		return fmt.Errorf("read the documentation page: %w", err)
	}
	return nil
}

// Close ends event streams and runs of benchmarks, and refuses new ones; other requests go on. Call it when the server stops, with
// [http.Server.RegisterOnShutdown]: Shutdown waits for streams, which have no end of their own. It may be called several times.
func (a *API) Close() { a.stop() }

// Handler returns the handler of every path under /internal. What is not in the
// table is answered with a 404 or 405 problem.
func (a *API) Handler() http.Handler { return BodyTimeout(http.HandlerFunc(a.serve), bodyTime) }
