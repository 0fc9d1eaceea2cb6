package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trysail-go/trysail"
)

// The headers of requests and answers.
const (
	OperationHeader  = "X-Trysail-Operation"           // in a request: the operation to run under, default "chat"
	AttemptsHeader   = "X-Trysail-Attempts"            // in an answer: attempts made
	TargetHeader     = "X-Trysail-Target"              // in an answer: the target that gave it, or was asked last
	BreakerHeader    = "X-Trysail-Breaker"             // in an answer: the state of that target's breaker; without one, of the operation's
	RequestIDHeader  = "X-Request-Id"                  // in both: the request's id
	ProviderIDHeader = "X-Trysail-Provider-Request-Id" // in an answer: the provider's own id
)

// headers that only the simulated provider gets.
const (
	simulateHeader = "X-Trysail-Simulate"
	attemptHeader  = "X-Trysail-Attempt"
)

// DefaultOperation is what requests run under that name no operation.
const DefaultOperation = "chat"

// ErrStopping is the cause with which a server ends the contexts of requests that run on when
// it stops. Their clients are told; nobody has left.
var ErrStopping = errors.New("the gateway is stopping")

// errPanicked is what a target hears of a call that ended in a bug of the gateway.
var errPanicked = errors.New("the call ended in a panic")

// errTotal is why a call ends that took too long altogether.
var errTotal = errors.New("the time limit of the whole request has passed")

// A Gateway is an [http.Handler] for the paths under /v1/ and /v1beta/ of the protocols of OpenAI, Anthropic and Gemini.
// Each request is a call of an operation, which goes from target to target as the plan says.
type Gateway struct {
	orchestrator *trysail.Orchestrator
	access       func(*http.Request) Access
	wrongKey     func(*http.Request) time.Duration
	ownKey       func(string) bool
	limits       Limits
	transport    http.RoundTripper
	log          *slog.Logger
	logBody      int
	ledger       ledger
	background   background

	plan   atomic.Pointer[snapshot]
	issued atomic.Pointer[map[keyHash]bool] // the keys that clients have or had; nil if there were none
	begun  time.Time                        // the instant 0

	applying   sync.Mutex // guards what follows, and is held while a plan is put into force
	standings  map[string]*standing
	accounts   map[keyHash]*account
	allowances map[keyHash]*allowance
	spendings  map[string]*allowance // of operations; also of those that no plan bounds any more
	purses     map[string]*purse     // of targets; also of those that no plan has any more, for they may come back on the same day
	probing    context.Context       //nolint:containedctx // that of the probes of the plan in force
	stopProbes context.CancelFunc    // ends it; nil if there are no probes

	opening sync.Mutex // held while an operation is created, so that their number stays within the limit
}

// New returns a gateway, or an error that names every bad field.
func New(cfg Config) (*Gateway, error) {
	limits := cfg.Limits.withDefaults()
	_, err := compile(cfg.Plan)
	errs := []error{err, limits.check()}
	if cfg.LogBody < 0 || cfg.LogBody > mostLogBody {
		errs = append(errs, fmt.Errorf("LogBody is %d, want 0 to %d bytes", cfg.LogBody, mostLogBody))
	}
	if cfg.Orchestrator == nil {
		errs = append(errs, errors.New("Orchestrator is nil, want one from trysail.New"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("gateway config: %w", err)
	}
	g := &Gateway{
		orchestrator: cfg.Orchestrator, begun: time.Now(),
		access: cfg.Access, wrongKey: cfg.WrongKey, ownKey: cfg.OwnKey, limits: limits, transport: cfg.Transport, log: cfg.Logger,
	}
	if g.access == nil {
		g.access = func(*http.Request) Access { return Access{} }
	}
	if g.transport == nil {
		g.transport = newTransport(limits)
	}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	g.ledger.begin(limits.Operations)
	g.background.begin()
	if g.logBody = cfg.LogBody; g.logBody > 0 {
		g.log.Warn("the log holds what is asked: the begin of every request's body (Config.LogBody)", "bytes", g.logBody)
	}
	if _, err := g.open(DefaultOperation); err != nil {
		return nil, fmt.Errorf("gateway config: %w", err)
	}
	if err := g.Apply(cfg.Plan); err != nil {
		return nil, err
	}
	return g, nil
}

// now returns how many nanoseconds there have been since the gateway was made: an instant that no change of the system's clock moves.
func (g *Gateway) now() int64 { return int64(time.Since(g.begun)) }

// ServeHTTP implements [http.Handler].
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e := &exchange{gateway: g, w: w, started: time.Now(), id: requestID(r), trace: traceOf(r.Header)}
	g.serve(e, r)
	bill := e.total()
	e.release(bill)
	g.ledger.enter(e, bill)
	e.logLine(r, bill)
	if e.broken {
		// The client must not take what it got for a complete answer.
		panic(http.ErrAbortHandler)
	}
}

// serve answers the request, also when there is a bug in the gateway.
func (g *Gateway) serve(e *exchange, r *http.Request) {
	defer func() {
		bug := recover()
		if bug == nil {
			return
		}
		g.log.Error("panic", "request_id", e.id, "panic", bug, "stack", string(debug.Stack()))
		if e.status != 0 {
			e.broken = true
			return
		}
		e.refuse(internalError("The gateway could not handle this request."))
	}()
	if bad := g.prepare(e, r); bad != nil {
		if r.ContentLength != 0 {
			// net/http reads what is left of the body before it sends the answer, and would wait for it as long as the client
			// likes. Half of the client's time, so that the other half is left for the answer.
			_ = http.NewResponseController(e.w).SetReadDeadline(e.started.Add(g.limits.Client / 2))
		}
		e.refuse(bad)
		return
	}
	if !g.catalogue(e) {
		g.run(e, r)
	}
}

// run makes the call and sends what came of it, unless a stream has been sent.
func (g *Gateway) run(e *exchange, r *http.Request) {
	ctx, cancel := context.WithDeadlineCause(r.Context(), e.started.Add(e.control.limit(e.route, &g.limits)), errTotal)
	defer cancel()
	e.walk.exchange = e
	e.since, e.legs = time.Now(), e.leg[:0]
	defer e.racers.Wait()
	defer e.walk.leave(errPanicked) // every other end has been settled
	ctx = e.control.under(ctx, e.route)
	_, err := trysail.Do(ctx, e.operation, e.attempt)
	e.settle(ctx, e.verdict, e.failure)
	e.err = err
	e.stopped = err != nil && errors.Is(context.Cause(r.Context()), ErrStopping)
	if !e.committed {
		e.answer()
	}
}

// requestID returns the client's id for the request, or a new one.
func requestID(r *http.Request) string {
	id := r.Header.Get(RequestIDHeader)
	if len(id) < 1 || len(id) > 128 {
		return rand.Text()
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return rand.Text()
		}
	}
	return id
}
