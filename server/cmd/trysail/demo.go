package main

import (
	"context"
	"fmt"
	"time"

	"github.com/trysail-go/trysail"
)

// demoOperation is what the demo's calls run under.
const demoOperation = "demo"

// demoCmd is the command "demo".
type demoCmd struct {
	Addr     string        `default:"127.0.0.1:8000" env:"TRYSAIL_ADDR" placeholder:"HOST:PORT" help:"Address to listen on (${default})."`
	Duration time.Duration `default:"60s" placeholder:"TIME" help:"How long to run (${default}); 0s runs until it is stopped."`
	Rate     float64       `default:"5" placeholder:"N" help:"Calls per second, 0.1 to 100 (${default})."`
	LogLevel string        `default:"ERROR" env:"LOG_LEVEL" placeholder:"LEVEL" help:"Level of the server's own log (${default})."`
}

// Help is shown by "trysail demo --help".
func (demoCmd) Help() string {
	return `The simulated provider is well for 15 seconds, fails for 20, and recovers for 25, again and again.
Watch the breaker here, or at http://127.0.0.1:8000/internal/resilience/circuit-breakers.

Exit code: 0, 1 if the address is in use, 2 for a wrong command line.`
}

// demoPolicy has the numbers of a patient operation in the time that somebody
// watches a demo.
func demoPolicy() trysail.Policy {
	return trysail.Policy{
		Retry: trysail.RetryPolicy{
			Attempts: 3, Base: 100 * time.Millisecond, MinDelay: 100 * time.Millisecond, MaxDelay: time.Second, Jitter: 100 * time.Millisecond,
		},
		Breaker: trysail.BreakerPolicy{FailureThreshold: 5, RecoveryTimeout: 8 * time.Second},
	}
}

// demoPhases are what the provider goes through. A call's script says what its
// attempts meet; calls take the scripts in turn.
func demoPhases() []demoPhase {
	return []demoPhase{
		{"healthy", "the provider answers, now and then only the second time", 15 * time.Second, []string{"ok", "ok", "ok", "500,ok"}},
		{"failing", "the provider fails in every way it can", 20 * time.Second, []string{"503", "reset", "cut:0", "429:0.2", "html"}},
		{"recovering", "the provider is well again, the breaker has to find out", 25 * time.Second, []string{"ok", "ok", "503,ok"}},
	}
}

type demoPhase struct {
	name, about string
	lasts       time.Duration
	scripts     []string
}

// Run serves and sends traffic until the time is up.
func (d *demoCmd) Run(p *program) error {
	if d.Duration < 0 || !(d.Rate >= 0.1 && d.Rate <= 100) {
		return usageError{fmt.Errorf("duration is %v and rate is %v, want 0s or more and 0.1 to 100", d.Duration, d.Rate)}
	}
	screen := newScreen(p.stdout)
	srv, err := d.serve().build(d.without(p), screen.transition)
	if err != nil {
		return err
	}
	if _, err := srv.orchestrator.Register(demoOperation, trysail.OperationConfig{Policy: demoPolicy()}); err != nil {
		srv.close()
		return err
	}
	ctx, cancel := d.lifetime(p.ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() {
		defer cancel() // without a server there is no demo
		served <- srv.run(ctx, p.stop)
	}()
	url := "http://" + srv.listener.Addr().String()
	screen.printf("Serving at %s. Every line is %v of traffic.", url, screenStep)
	newTraffic(url, d.Rate, screen).run(ctx)
	screen.end(srv.orchestrator)
	return <-served
}

// serve returns the settings of the demo's server.
func (d *demoCmd) serve() *serveCmd {
	return &serveCmd{
		Addr: d.Addr, LogLevel: d.LogLevel, LogFormat: "auto", ShutdownTimeout: 5 * time.Second, MaxBody: 1 << 20, MaxAnswer: 16 << 20, MaxOperations: 1000,
		ConnectTimeout: 5 * time.Second, FirstTokenTimeout: 5 * time.Second, AnswerTimeout: 10 * time.Second,
		IdleTimeout: 5 * time.Second, TotalTimeout: 20 * time.Second, ClientTimeout: 10 * time.Second,
		ValidationsPerMinute: 60, ValidationsPerHour: 1000, SimulateTokenDelay: 2 * time.Millisecond,
	}
}

// without hides the providers and keys of the environment: a demo's failures must
// not be paid for.
func (d *demoCmd) without(p *program) *program {
	hidden := *p
	hidden.lookup = func(name string) (string, bool) {
		switch name {
		case "OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL",
			"GEMINI_API_KEY", "GOOGLE_API_KEY", "GEMINI_BASE_URL", "GOOGLE_GEMINI_BASE_URL",
			"API_KEY", "ADDITIONAL_API_KEYS", "READ_ONLY_API_KEYS":
			return "", false
		default:
			return p.lookup(name)
		}
	}
	return &hidden
}

func (d *demoCmd) lifetime(parent context.Context) (context.Context, context.CancelFunc) {
	if d.Duration == 0 {
		return context.WithCancel(parent)
	}
	return context.WithTimeout(parent, d.Duration)
}
