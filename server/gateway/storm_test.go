package gateway_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
)

// newStorm starts a fleet with waits of a millisecond and with everything else as it is by default, the retry budget too.
func newStorm(t *testing.T, policy trysail.Policy, scripts []string, change func(*gateway.Config)) *fleet {
	t.Helper()
	policy.Retry = trysail.RetryPolicy{Base: time.Millisecond, MinDelay: time.Millisecond, MaxDelay: 2 * time.Millisecond, NoJitter: true}
	orc, err := trysail.New(trysail.Config{Default: policy})
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{rig: rig{t: t, orchestrator: orc}}
	return f.start(scripts, change)
}

// serving starts a provider of the test's own, as the first target's.
func serving(t *testing.T, h http.HandlerFunc) func(*gateway.Config) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return func(c *gateway.Config) { c.Plan.Targets[0].BaseURL = server.URL + "/v1" }
}

// A dead provider is not asked much more often than calls come, with breakers and, where somebody has switched these off, without.
func TestStormAgainstADeadProvider(t *testing.T) {
	for name, tc := range map[string]struct {
		breaker    trysail.BreakerPolicy
		workers, n int
		most       float64 // attempts a call
	}{
		"40 at a time":                   {trysail.BreakerPolicy{}, 40, 400, 1.6},
		"40 at a time, without breakers": {trysail.BreakerPolicy{Disabled: true}, 40, 400, 1.6},
		"200 calls":                      {trysail.BreakerPolicy{}, 1, 200, 1.2},
		"200 calls, without breakers":    {trysail.BreakerPolicy{Disabled: true}, 1, 200, 1.2},
	} {
		t.Run(name, func(t *testing.T) {
			f := newStorm(t, trysail.Policy{Breaker: tc.breaker}, []string{"500"}, func(c *gateway.Config) { c.Plan.Targets[0].Policy.Breaker = tc.breaker })
			var told atomic.Int64
			inParallel(tc.workers, tc.n, func() {
				if got := f.chat(plainBody); got.status == 500 || got.status == 503 {
					told.Add(1)
				}
			})
			if told.Load() != int64(tc.n) {
				t.Errorf("%d of %d calls were told of it", told.Load(), tc.n)
			}
			rate := float64(f.providers[0].Total()) / float64(tc.n)
			if rate > tc.most || tc.breaker.Disabled && rate < 1 {
				t.Errorf("%.2f attempts a call, want at most %.1f", rate, tc.most)
			}
		})
	}
}

// inParallel does something n times, with so many workers.
func inParallel(workers, n int, do func()) {
	var wg sync.WaitGroup
	var taken atomic.Int64
	for range workers {
		wg.Go(func() {
			for taken.Add(1) <= int64(n) {
				do()
			}
		})
	}
	wg.Wait()
}

// However many calls wait for the end of the open time: as many probes as the policy says, and no more, go to the provider.
func TestProbesAfterTheOpenTime(t *testing.T) {
	const callers, probes = 100, 3
	var asked atomic.Int64
	release := make(chan struct{})
	f := newStorm(t, trysail.Policy{}, []string{"ok"}, serving(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		<-release
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"choices":[]}`)
	}))
	op, _ := f.orchestrator.Lookup("target/a")
	op.Breaker().OpenUntil(time.Now().Add(100*time.Millisecond), "a test")
	if got := f.chat(plainBody); got.status != 503 || got.header.Get("Retry-After") == "" {
		t.Fatalf("status %d, Retry-After %q; want 503 and a time", got.status, got.header.Get("Retry-After"))
	}
	for time.Now().Before(op.Breaker().Snapshot().NextAttemptAt) {
		time.Sleep(time.Millisecond)
	}
	var good, refused atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			switch got := f.chat(plainBody); got.status {
			case 200:
				good.Add(1)
			case 503:
				if refused.Add(1) == callers-probes {
					close(release)
				}
			default:
				t.Errorf("status %d: %s", got.status, got.body)
			}
		})
	}
	wg.Wait()
	if asked.Load() != probes || good.Load() != probes || refused.Load() != callers-probes {
		t.Errorf("%d probes, %d good, %d refused; want %d, %d, %d", asked.Load(), good.Load(), refused.Load(), probes, probes, callers-probes)
	}
	if state := op.Breaker().State(); state != trysail.Closed {
		t.Errorf("the breaker is %v after good probes, want closed", state)
	}
}

// Rate limits say that a provider is well.
func TestRateLimitsOpenNoBreaker(t *testing.T) {
	f := newStorm(t, trysail.Policy{}, []string{"429:0"}, nil)
	inParallel(10, 100, func() {
		if got := f.chat(plainBody); got.status != 429 {
			t.Errorf("status %d: %s", got.status, got.body)
		}
	})
	op, _ := f.orchestrator.Lookup(gateway.DefaultOperation)
	if target, own := f.breaker("a").State, op.Breaker().State(); target != trysail.Closed || own != trysail.Closed {
		t.Errorf("the target's breaker is %v, the operation's %v, want both closed", target, own)
	}
	f.script(0, "ok")
	if got := f.chat(plainBody); got.status != 200 {
		t.Errorf("status %d, want 200: %s", got.status, got.body)
	}
}

// A plan that no longer has the target of running streams cuts none of them.
func TestPlanWithoutTheTargetOfRunningStreams(t *testing.T) {
	const streams = 200
	release, begun := make(chan struct{}), make(chan struct{}, streams)
	f := newStorm(t, trysail.Policy{}, []string{"ok", "ok"}, serving(t, heldStream(begun, release)))
	results := make(chan reply, streams)
	for range streams {
		go func() { results <- f.chat(streamBody) }()
	}
	for range streams {
		<-begun
	}
	next := f.plan
	next.Targets = next.Targets[1:]
	for range 5 {
		if err := f.gateway.Apply(next); err != nil {
			t.Fatal(err)
		}
		if err := f.gateway.Apply(f.plan); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.gateway.Apply(next); err != nil {
		t.Fatal(err)
	}
	if got := f.chat(plainBody); got.status != 200 || got.header.Get(gateway.TargetHeader) != "b" {
		t.Errorf("status %d from %q, want 200 from the target that is left", got.status, got.header.Get(gateway.TargetHeader))
	}
	close(release)
	for range streams {
		got := <-results
		if got.status != 200 || got.err != nil || got.body != heldText || got.header.Get(gateway.TargetHeader) != "a" {
			t.Fatalf("status %d, %v from %q:\n%s", got.status, got.err, got.header.Get(gateway.TargetHeader), got.body)
		}
	}
}

// What heldStream sends: a token at once, and the end when it is released.
const (
	heldBegin = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Ahoy\"}}]}\n\n"
	heldEnd   = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"
	heldText  = heldBegin + heldEnd
)

func heldStream(begun chan<- struct{}, release <-chan struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, heldBegin)
		_ = http.NewResponseController(w).Flush()
		begun <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, heldEnd)
	}
}

// A client's time limit holds with all attempts and waits. A busy machine may be late once, a gateway that adds its attempts up always is.
func TestClientTimeLimitHolds(t *testing.T) {
	const limit = 400 * time.Millisecond
	for name, script := range map[string]string{
		"attempts that fail slowly": "", "silence": "hang", "a wait that is asked for": "429:30",
	} {
		t.Run(name, func(t *testing.T) {
			var took time.Duration
			for range 5 {
				change := func(*gateway.Config) {}
				if script == "" {
					change = serving(t, func(w http.ResponseWriter, r *http.Request) {
						_, _ = io.Copy(io.Discard, r.Body)
						time.Sleep(limit * 3 / 8)
						http.Error(w, `{"error":{"message":"x"}}`, http.StatusInternalServerError)
					})
				}
				f := newStorm(t, trysail.Policy{}, []string{strings.TrimSpace(script + " ")}, change)
				if script == "" {
					f.script(0, "ok")
				}
				begun := time.Now()
				got := f.chat(plainBody, gateway.TimeoutHeader, limit.String())
				took = time.Since(begun)
				if got.status < 429 {
					t.Fatalf("status %d: %s", got.status, got.body)
				}
				if took <= limit {
					return
				}
			}
			t.Errorf("it took %v, want at most %v", took, limit)
		})
	}
}
