package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/monitor"
	"github.com/trysail-go/trysail/server/api"
	"github.com/trysail-go/trysail/server/configfile"
	"github.com/trysail-go/trysail/server/gateway"
	"github.com/trysail-go/trysail/trysailtest"
)

// serveCmd is the command "serve". Secrets are read from the environment or named
// by the file: a flag would show them in the list of processes.
type serveCmd struct {
	Config string `env:"TRYSAIL_CONFIG" placeholder:"FILE" help:"The configuration file, usually trysail.yaml. It is read again whenever it changes. Flags and variables go before it."`

	Addr            string        `default:"127.0.0.1:8000" env:"TRYSAIL_ADDR" placeholder:"HOST:PORT" help:"Address to listen on (${default}). Without API_KEY it must be a loopback address."`
	EnvFile         string        `default:".env" env:"TRYSAIL_ENV_FILE" placeholder:"FILE" help:"File of variables, which the environment goes before (${default}, if it is there)."`
	LogLevel        string        `placeholder:"LEVEL" help:"DEBUG, INFO, WARNING, ERROR or CRITICAL. Default: what LOG_LEVEL says, or INFO."`
	LogFormat       string        `default:"auto" enum:"auto,text,json" env:"TRYSAIL_LOG_FORMAT" placeholder:"FORMAT" help:"auto, text or json (${default}): text on a terminal, JSON elsewhere."`
	ShutdownTimeout time.Duration `default:"30s" env:"TRYSAIL_SHUTDOWN_TIMEOUT" placeholder:"TIME" help:"How long running requests may go on after SIGTERM (${default}). Storing what is left then takes 5s more at most."`

	ShutdownDelay time.Duration `default:"0s" env:"TRYSAIL_SHUTDOWN_DELAY" placeholder:"TIME" help:"How long to go on accepting requests after SIGTERM, while /readyz says that it stops (${default}). Behind a load balancer: the time that it takes to notice."`

	DataDir string `env:"TRYSAIL_DATA_DIR" placeholder:"DIR" help:"Directory for what is to outlive the program: events, alerts, benchmarks, versions of the configuration, audit log. It is made if it is not there. Default: none, all of that is in memory."`

	TrustedProxies []string `env:"TRYSAIL_TRUSTED_PROXIES" placeholder:"NETWORK,..." help:"Networks, such as 10.0.0.0/8, whose proxies are believed what X-Forwarded-For says of a client's address. Default: none."`

	ValidationsPerMinute int           `default:"60" env:"TRYSAIL_VALIDATIONS_PER_MINUTE" placeholder:"N" help:"How many configurations a client's address may have the internal API check in any minute (${default})."`
	ValidationsPerHour   int           `default:"1000" env:"TRYSAIL_VALIDATIONS_PER_HOUR" placeholder:"N" help:"How many in any hour (${default})."`
	ValidationCooldown   time.Duration `default:"0s" env:"TRYSAIL_VALIDATION_COOLDOWN" placeholder:"TIME" help:"From one to the next (${default})."`

	OpenAIBaseURL string `name:"openai-base-url" env:"OPENAI_BASE_URL" placeholder:"URL" help:"Where OpenAI's protocol is spoken, with /v1. Default: https://api.openai.com/v1 if OPENAI_API_KEY is set."`

	MaxBody           int64         `default:"33554432" env:"TRYSAIL_MAX_BODY" placeholder:"BYTES" help:"Largest request body (${default})."`
	MaxAnswer         int64         `default:"16777216" env:"TRYSAIL_MAX_ANSWER" placeholder:"BYTES" help:"Largest answer that is no stream (${default})."`
	LogBody           int64         `default:"0" env:"TRYSAIL_LOG_BODY" placeholder:"BYTES" help:"How much of each request's body the log holds, up to 65536 (${default}: nothing). With more the log holds prompts."`
	MaxOperations     int           `default:"1000" env:"TRYSAIL_MAX_OPERATIONS" placeholder:"N" help:"How many operations requests may create (${default})."`
	ConnectTimeout    time.Duration `default:"5s" env:"TRYSAIL_CONNECT_TIMEOUT" placeholder:"TIME" help:"Until a connection to the provider stands (${default})."`
	FirstTokenTimeout time.Duration `default:"60s" env:"TRYSAIL_FIRST_TOKEN_TIMEOUT" placeholder:"TIME" help:"Until the first token of a stream (${default})."`
	AnswerTimeout     time.Duration `default:"5m" env:"TRYSAIL_ANSWER_TIMEOUT" placeholder:"TIME" help:"Until an answer that is no stream is complete (${default})."`
	IdleTimeout       time.Duration `default:"30s" env:"TRYSAIL_IDLE_TIMEOUT" placeholder:"TIME" help:"Between the tokens of a stream (${default})."`
	TotalTimeout      time.Duration `default:"10m" env:"TRYSAIL_TOTAL_TIMEOUT" placeholder:"TIME" help:"For a request with all its attempts (${default})."`
	ClientTimeout     time.Duration `default:"30s" env:"TRYSAIL_CLIENT_TIMEOUT" placeholder:"TIME" help:"For a client to send its request, and to take a piece of the answer (${default})."`

	SimulateFaultRate  float64       `default:"0" env:"TRYSAIL_SIMULATE_FAULT_RATE" placeholder:"SHARE" help:"Share of the simulated provider's answers that fail, 0 to 1 (${default})."`
	SimulateTokenDelay time.Duration `default:"15ms" env:"TRYSAIL_SIMULATE_TOKEN_DELAY" placeholder:"TIME" help:"The simulated provider's time for a token (${default})."`

	given map[string]config.Origin // who set the flags that the command line and the variables set
	filed map[string]config.Origin // where the file says what it sets
}

// Help is shown by "trysail serve --help".
func (serveCmd) Help() string {
	return `Without a provider's key a simulated provider answers: no key, no network, no database is needed. Each key, and each base URL, makes
a target for requests of its protocol; the configuration file can name others, and routes to them. The base URLs are the providers':
that of this server is for its clients.

Read from the environment and the env file, or else from the configuration file:
  OPENAI_API_KEY            OpenAI's key
  ANTHROPIC_API_KEY         Anthropic's
  GEMINI_API_KEY            Google's; GOOGLE_API_KEY counts without it
  ANTHROPIC_BASE_URL        where Anthropic's protocol is spoken, without /v1. Default: https://api.anthropic.com
  GEMINI_BASE_URL           where Gemini's is, without /v1beta; GOOGLE_GEMINI_BASE_URL counts without it
  API_KEY                   a key for the internal API and, beyond loopback, for the gateway
  ADDITIONAL_API_KEYS       more of them, separated by commas
  READ_ONLY_API_KEYS        keys that may only read the internal API, separated by commas
  RESILIENCE_PRESET         simple (default), development, production, or auto: as the environment suggests
  RESILIENCE_CUSTOM_CONFIG  numbers other than the preset's, a JSON object
  RESILIENCE_ENABLED        true (default) or false: calls run once, plainly, with metrics only
  LOG_LEVEL                 DEBUG, INFO (default), WARNING, ERROR or CRITICAL
  SHOW_CONFIG_LOADING       true or false (default): log each step of loading the configuration

The configuration file takes all of it, and the policies of operations: see docs/reference/trysail.yaml.
In it, secrets are named (${NAME}, {file: PATH}), not written down. A bad file is an error at the start.

SIGHUP reads both files again; the configuration file is also read whenever it changes. What has changed
applies to calls that begin then. A file with a fault changes nothing, and the log says what is wrong.

Exit code: 0 after SIGTERM or SIGINT, 1 if something fails or requests had to be cut off, 2 for settings that are no good.`
}

// Run serves until the program is told to stop.
func (s *serveCmd) Run(p *program) error {
	defer runtime.KeepAlive(newBallast())
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP) // before all else: by default it ends the process
	defer signal.Stop(hangups)
	srv, err := s.build(p, nil)
	if err != nil {
		return err
	}
	defer srv.follow(hangups)()
	return srv.run(p.ctx, p.stop)
}

// A server is the program when it serves.
type server struct {
	reader       *reader
	now          *reading          // of the start
	settings     *serveCmd         // of the start, with those of the file
	fixed        map[string]string // what is read at the start only
	log          *slog.Logger
	level        *slog.LevelVar // of log
	monitor      *monitor.Collector
	keeper       *keeper
	reloader     *config.Reloader
	watcher      *configfile.Watcher // nil without a configuration file
	listener     net.Listener
	internal     *api.API
	http         *http.Server
	ready        readiness
	giveUp       context.CancelCauseFunc // ends the contexts of all requests
	unfollow     func()                  // ends reloads; nil if there are none
	orchestrator *trysail.Orchestrator
	planned      *planned                    // the gateway's plan; changed in the reloader's turn
	applier      applier                     // the gateway
	gatewayEnd   func()                      // ends what the gateway does beside its requests
	simulated    *trysailtest.ProviderServer // nil without targets that are simulated
}

// build puts the parts together, from what needs nothing to what needs all. A fault in
// the settings is found before anything is started.
func (s *serveCmd) build(p *program, observe func(trysail.Event)) (*server, error) {
	srv := &server{level: &slog.LevelVar{}}
	var err error
	if srv.monitor, err = monitor.New(remembered()); err != nil {
		return nil, err
	}
	srv.reader = newReader(s, p)
	now, badFiles := srv.reader.read(nil)
	srv.now, srv.settings = now, now.settings
	planned, badPlan := srv.plan(now)
	srv.planned, now.sources.Companion = planned, planned
	loaded, badConfig := now.sources.Load()
	srv.level.Set(levelOf(loaded.LogLevel))
	srv.log = newLogger(p.stderr, srv.level, srv.settings.LogFormat)
	srv.tellLoading(&loaded)
	api.Record(srv.monitor, monitor.Subject{}, loaded.Events)
	keys, badKeys := now.keys()
	err = errors.Join(badFiles, badConfig, badKeys, badPlan, srv.settings.check(now.file), srv.settings.blame(now.file, "data-dir", srv.settings.checkDataDir()))
	if err == nil {
		err = srv.settings.checkAccess(keys, len(now.file.gateway.Keys) > 0, config.DetectEnvironment(now.sources.Variable), srv.log)
	}
	if err != nil {
		return nil, usageError{err}
	}
	if srv.keeper, err = openKeeper(p.ctx, srv.settings.DataDir, srv.log); err != nil {
		return nil, err
	}
	srv.keeper.restore(p.ctx, srv.monitor)
	if err := srv.orchestrate(p.ctx, loaded, observe); err != nil {
		srv.close()
		return nil, usageError{err}
	}
	srv.keeper.persist(srv.monitor)
	srv.fixed = now.fixed()
	err = srv.start(keys)
	if err == nil {
		err = srv.watch()
	}
	if err != nil {
		srv.close()
		return nil, err
	}
	srv.log.Info("configuration", "file", s.Config, "preset", loaded.Trysail.Preset, "source", loaded.Kind(),
		"enabled", !loaded.Trysail.Disabled, "api_keys", !keys.Empty())
	return srv, nil
}

// start opens sockets and makes the handlers.
func (srv *server) start(keys api.Keys) error {
	ln, err := listen(srv.settings.Addr)
	if err != nil {
		return err
	}
	srv.listener = ln
	gw, err := srv.gateway(keys)
	if err != nil {
		return err
	}
	proxies, err := networksOf(srv.settings.TrustedProxies)
	if err != nil {
		return err
	}
	internal, err := api.New(api.Config{
		Orchestrator: srv.orchestrator, Presets: srv.reader.presets, Reloader: srv.reloader, Monitor: srv.monitor,
		Benchmarks: srv.benchmarks(), Store: srv.keeper.health, Audit: srv.keeper.audit(), Detect: srv.detect,
		Gateway: gatewayView{gw}, Keys: keys, TrustedProxies: proxies, Validations: srv.settings.validations(),
		Version: versionText(), Logger: srv.log,
	})
	if err != nil {
		return err
	}
	srv.internal = internal
	handler := routes(internal.Handler(), gw)
	if loopbackAddress(srv.settings.Addr) { // of a part of it the address is the only protection
		handler = onlyLocal(handler, keys, gw.Keyed, internal.RefuseKey)
	}
	requests, giveUp := context.WithCancelCause(context.Background())
	srv.giveUp = giveUp
	srv.http = srv.httpServer(requests, handler)
	srv.http.RegisterOnShutdown(internal.Close)
	return nil
}

// gateway returns the gateway in front of the targets of the plan.
func (srv *server) gateway(keys api.Keys) (*gateway.Gateway, error) {
	s := srv.settings
	if err := srv.planned.again(srv); err != nil { // now the port is known
		return nil, usageError{err}
	}
	plan, err := srv.simulate(srv.planned.plan)
	if err != nil {
		return nil, err
	}
	gw, err := gateway.New(gateway.Config{
		Orchestrator: srv.orchestrator,
		Plan:         plan,
		Access:       gatewayAccess(keys, !loopbackAddress(s.Addr)),
		WrongKey:     func(r *http.Request) time.Duration { return srv.internal.WrongKey(r) }, // which is there when requests come
		OwnKey:       keys.Holds,
		Logger:       srv.log,
		LogBody:      int(s.LogBody),
		Limits: gateway.Limits{
			Body: s.MaxBody, Answer: s.MaxAnswer, Operations: s.MaxOperations, Connect: s.ConnectTimeout, FirstToken: s.FirstTokenTimeout, Plain: s.AnswerTimeout,
			Idle: s.IdleTimeout, Total: s.TotalTimeout, Client: s.ClientTimeout,
		},
	})
	if err != nil {
		return nil, usageError{err}
	}
	srv.applier, srv.gatewayEnd = gw, gw.Close
	srv.tellPlan(srv.planned)
	return gw, nil
}

// run serves until ctx ends, then lets running requests finish. From then on
// stop gives the signals back, so that a second one ends the program at once.
//
// What is left to be stored is stored then.
func (srv *server) run(ctx context.Context, stop func()) error {
	defer srv.close()
	began, err := srv.serve(ctx, stop)
	err = errors.Join(err, srv.settle(began))
	if err == nil {
		srv.log.Info("stopped")
	}
	return err
}

// serve serves until ctx ends. It returns when that was.
func (srv *server) serve(ctx context.Context, stop func()) (time.Time, error) {
	var stopping time.Time // set before drained is
	drained := make(chan error, 1)
	cancel := context.AfterFunc(ctx, func() {
		srv.ready.end()
		stop()
		srv.linger()
		stopping = time.Now()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), srv.settings.ShutdownTimeout)
		defer cancel()
		drained <- srv.http.Shutdown(grace)
	})
	defer cancel()
	defer pulse()()
	srv.ready.begin()
	srv.log.Info("listening", "url", "http://"+srv.listener.Addr().String())
	if err := srv.http.Serve(srv.listener); !errors.Is(err, http.ErrServerClosed) {
		return time.Now(), err
	}
	if err := <-drained; err != nil {
		srv.cutOff(ctx)
		return stopping, fmt.Errorf("requests were still running after %v and have been cut off", srv.settings.ShutdownTimeout)
	}
	return stopping, nil
}

// settle stores what is left, in what is left of the time for stopping, or a little longer. Nothing may change the
// configuration then: it could not be stored.
func (srv *server) settle(began time.Time) error {
	if srv.unfollow != nil {
		srv.unfollow()
	}
	ctx, cancel := context.WithTimeout(context.Background(), max(srv.settings.ShutdownTimeout-time.Since(began), storingTime))
	defer cancel()
	return srv.keeper.close(ctx)
}

// linger goes on accepting requests until whoever sends them can have noticed that the program is no longer ready. What comes
// then is answered, but its connection is not kept.
func (srv *server) linger() {
	delay := srv.settings.ShutdownDelay
	srv.log.Info("stopping", "accepting_for", delay.String(), "running_requests_may_take", srv.settings.ShutdownTimeout.String())
	if delay == 0 {
		return
	}
	srv.http.SetKeepAlivesEnabled(false)
	<-time.After(delay) // a second signal ends the program
}

// tellingTime is how long requests that are cut off have to tell their clients.
const tellingTime = time.Second

// cutOff ends the requests that are left. Their handlers learn why, so that streams end with an
// error event and each request has its line in the log; what is left then is cut.
func (srv *server) cutOff(ctx context.Context) {
	srv.giveUp(gateway.ErrStopping)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellingTime)
	defer cancel()
	_ = srv.http.Shutdown(last)
	_ = srv.http.Close()
}

// close gives back what start took. It may be called at any time.
func (srv *server) close() {
	if srv.giveUp != nil {
		srv.giveUp(gateway.ErrStopping)
	}
	if srv.listener != nil {
		_ = srv.listener.Close()
	}
	if srv.gatewayEnd != nil {
		srv.gatewayEnd()
	}
	if srv.simulated != nil {
		_ = srv.simulated.Close()
	}
	if srv.watcher != nil {
		_ = srv.watcher.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), storingTime)
	defer cancel()
	_ = srv.keeper.close(ctx) // it may have been closed, and said what was lost
}

// check names every setting that is out of range, by the flag or the place in the file, before anything
// is started.
func (s *serveCmd) check(c *configuration) error {
	var errs []error
	bad := func(flag string, err error) { errs = append(errs, s.blame(c, flag, err)) }
	if !slices.Contains([]string{"auto", "text", "json"}, s.LogFormat) {
		bad("log-format", fmt.Errorf("log-format is %q, want auto, text or json", s.LogFormat))
	}
	bad("addr", checkAddress(s.Addr))
	if _, err := networksOf(s.TrustedProxies); err != nil {
		bad("trusted-proxies", err)
	}
	if !(s.SimulateFaultRate >= 0 && s.SimulateFaultRate <= 1) { // written so that NaN fails too
		bad("simulate-fault-rate", fmt.Errorf("simulate-fault-rate is %v, want 0 to 1", s.SimulateFaultRate))
	}
	if s.SimulateTokenDelay < 0 {
		bad("simulate-token-delay", fmt.Errorf("simulate-token-delay is %v, want 0s or more", s.SimulateTokenDelay))
	}
	if s.ShutdownDelay < 0 || s.ShutdownDelay > 59*time.Minute {
		bad("shutdown-delay", fmt.Errorf("shutdown-delay is %v, want 0s to 59m", s.ShutdownDelay))
	}
	for _, f := range s.timeouts() {
		if f.limit <= 0 || f.limit > 59*time.Minute {
			bad(f.flag, fmt.Errorf("%s is %v, want more than 0s and at most 59m", f.flag, f.limit))
		}
	}
	s.checkValidations(bad)
	if s.MaxBody < 1 {
		bad("max-body", fmt.Errorf("max-body is %d, want at least 1 byte", s.MaxBody))
	}
	if s.MaxAnswer < 1 {
		bad("max-answer", fmt.Errorf("max-answer is %d, want at least 1 byte", s.MaxAnswer))
	}
	if s.LogBody < 0 || s.LogBody > 64<<10 {
		bad("log-body", fmt.Errorf("log-body is %d, want 0, which is nothing, to 65536 bytes", s.LogBody))
	}
	if s.MaxOperations < 1 {
		bad("max-operations", fmt.Errorf("max-operations is %d, want at least 1", s.MaxOperations))
	}
	return errors.Join(errs...)
}
