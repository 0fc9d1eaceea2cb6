package trysailtest

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// ProviderConfig sets how a [Provider] behaves. The zero value answers every request
// well and at once, unless the request carries a script.
type ProviderConfig struct {
	// FaultRate is the share of the requests without a script that fail, 0 to 1.
	// Default 0. It can be changed later: see [Provider.SetFaultRate].
	FaultRate float64

	// Faults is a script, as [ParseScript] reads it. Each request that FaultRate lets
	// fail gets one of its entries by chance. Default "500,503,429:1,reset,cut:5".
	Faults string

	// TokenDelay is the wait between two tokens of a stream. Default 0.
	TokenDelay time.Duration

	// FirstTokenDelay is the wait before the first token of a stream, after its role
	// chunk, and before a good plain answer. Default 0.
	FirstTokenDelay time.Duration

	// Seed makes the choice of faults repeatable: requests that arrive in the same
	// order meet the same faults. 0, the default, seeds at random.
	Seed uint64
}

func (c ProviderConfig) check() error {
	var errs []error
	if err := checkRate(c.FaultRate); err != nil {
		errs = append(errs, err)
	}
	if _, err := ParseScript(c.Faults); err != nil {
		errs = append(errs, fmt.Errorf("in Faults: %w", err))
	}
	if c.TokenDelay < 0 {
		errs = append(errs, fmt.Errorf("TokenDelay is %v, want 0 or more", c.TokenDelay))
	}
	if c.FirstTokenDelay < 0 {
		errs = append(errs, fmt.Errorf("FirstTokenDelay is %v, want 0 or more", c.FirstTokenDelay))
	}
	return errors.Join(errs...)
}

func checkRate(rate float64) error {
	if !(rate >= 0 && rate <= 1) { // written so that NaN fails too
		return fmt.Errorf("FaultRate is %v, want a share from 0 to 1", rate)
	}
	return nil
}

// A Provider is a simulated AI provider: an [http.Handler] that is safe for concurrent
// use. Create it with [NewProvider].
//
// Where a fault breaks the connection and the ResponseWriter cannot be hijacked, as
// with HTTP/2 or an [net/http/httptest.ResponseRecorder], ServeHTTP panics with
// [http.ErrAbortHandler], by which net/http breaks the answer off.
type Provider struct {
	tokenDelay, firstTokenDelay time.Duration

	dice    *dice
	scripts pathScripts
	prose   prose
	log     requestLog
	closing chan struct{} // closed by Close; ends every wait

	mu      sync.Mutex // guards total and closed, and running's Add
	total   int
	closed  bool
	running sync.WaitGroup // the requests under way
}

// NewProvider returns a provider, or an error that names every bad field. It starts no
// goroutine.
func NewProvider(cfg ProviderConfig) (*Provider, error) {
	cfg.Faults = cmp.Or(cfg.Faults, "500,503,429:1,reset,cut:5")
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("provider config: %w", err)
	}
	faults, err := ParseScript(cfg.Faults)
	if err != nil {
		return nil, err // check has parsed it already
	}
	return &Provider{
		tokenDelay:      cfg.TokenDelay,
		firstTokenDelay: cfg.FirstTokenDelay,
		dice:            newDice(cfg.FaultRate, faults, cfg.Seed),
		prose:           newProse(),
		log:             newRequestLog(),
		closing:         make(chan struct{}),
	}, nil
}

// ServeHTTP answers one request, or lets it meet the fault that its script or chance
// has chosen.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{p: p, w: w, r: r, protocol: protocolOf(r), id: randomID("req_"), began: time.Now()}
	if !p.enter() {
		x.failStatus(http.StatusServiceUnavailable)
		return
	}
	defer p.running.Done()
	readErr := x.readBody()
	attempt, scriptErr := x.draw()
	p.log.add(r, x.body, attempt)
	switch {
	case readErr != nil:
		x.failRead(readErr)
	case scriptErr != nil:
		x.failScript(scriptErr)
	case !x.failEarly():
		x.protocol.serve(x)
	}
}

// draw chooses the exchange's fault: by the request's own script, by one set for its
// path, or by chance. It returns which attempt of its call the request is.
func (x *exchange) draw() (attempt int, err error) {
	attempt = attemptOf(x.r.Header)
	script, err := headerScript(x.r.Header)
	if script != nil || err != nil {
		x.fault = script.At(attempt)
		return attempt, err
	}
	if fault, counted, ok := x.p.scripts.next(x.r.URL.Path); ok {
		x.fault = fault
		return counted, nil
	}
	x.fault = x.p.dice.draw()
	return attempt, nil
}

// Requests returns the newest 1000 requests, oldest first. The copies are the caller's.
func (p *Provider) Requests() []SeenRequest { return p.log.all() }

// Total returns how many requests have come in so far.
func (p *Provider) Total() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.total
}

// SetFaultRate changes the share of the requests without a script that fail, 0 to 1,
// from the next request on.
func (p *Provider) SetFaultRate(rate float64) error {
	if err := checkRate(rate); err != nil {
		return err
	}
	p.dice.setRate(rate)
	return nil
}

// Close ends every wait, so that hung requests break off at once, and answers later
// requests with status 503. It does not wait and may be called more than once. A
// server that the provider is mounted in calls it when it shuts down.
func (p *Provider) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.closed = true
		close(p.closing)
	}
	return nil
}

// enter counts a request in, unless the provider is closed.
func (p *Provider) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total++
	if p.closed {
		return false
	}
	p.running.Add(1)
	return true
}
