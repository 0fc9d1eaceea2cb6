package trysailtest_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/trysailtest"
)

func TestTripWhateverTheRules(t *testing.T) {
	for name, change := range map[string]func(*trysail.Policy){
		"failures in a row": func(*trysail.Policy) {},
		"many of them":      func(p *trysail.Policy) { p.Breaker.FailureThreshold = 100 },
		"a rate over calls": func(p *trysail.Policy) {
			p.Breaker = trysail.BreakerPolicy{RatesOnly: true, FailureRate: 0.9, WindowCalls: 50}
		},
		"a rate over time": func(p *trysail.Policy) { p.Breaker = trysail.BreakerPolicy{RatesOnly: true, FailureRate: 0.5} },
		"slow calls alone": func(p *trysail.Policy) {
			p.Breaker = trysail.BreakerPolicy{RatesOnly: true, SlowRate: 1, SlowCall: time.Minute}
		},
		"a limit on calls":       func(p *trysail.Policy) { p.Limiter = trysail.LimiterPolicy{Rate: 0.1, Burst: 22} },
		"a throttle":             func(p *trysail.Policy) { p.Throttle = trysail.ThrottlePolicy{Factor: 1.05, MinCalls: 1} },
		"several probes":         func(p *trysail.Policy) { p.Breaker.HalfOpenMaxCalls = 3 },
		"an open time that grew": func(p *trysail.Policy) { p.Breaker.MaxRecovery = time.Hour },
	} {
		bubble(t, name, func(t *testing.T) {
			policy := trysailtest.Exact(trysail.Critical.Policy())
			change(&policy)
			op, recorder := trysailtest.Operation(t, policy)
			for range 20 {
				trysailtest.Run(t, op, "ok")
			}
			start := time.Now()
			trysailtest.Trip(t, op)
			trysailtest.WantState(t, op, trysail.Open)
			trysailtest.Trip(t, op) // it is open already
			if took := time.Since(start); took != 0 {
				t.Errorf("Trip() took %v, want no time", took)
			}
			trysailtest.HalfOpen(t, op)
			trysailtest.HalfOpen(t, op) // nothing more to do
			if took := time.Since(start); took != op.Policy().Breaker.RecoveryTimeout {
				t.Errorf("half-open after %v, want %v", took, op.Policy().Breaker.RecoveryTimeout)
			}
			trysailtest.Trip(t, op) // from half-open
			trysailtest.WantState(t, op, trysail.Open)
			trysailtest.HalfOpen(t, op) // from open
			if got := recorder.Transitions(); len(got) != 4 {
				t.Errorf("Transitions() = %q, want 4", got)
			}
		})
	}
}

func TestKitTellsWhatIsWrong(t *testing.T) {
	for name, tc := range map[string]struct {
		test func(t testing.TB)
		want string
	}{
		"nothing": {func(t testing.TB) {
			op, _ := trysailtest.Operation(t, once())
			trysailtest.Run(t, op, "fail").Want(t, " transient after  1 attempt in 0s\n")
		}, ""},
		"a script": {
			func(t testing.TB) { trysailtest.NewDependency(t, 1, "explode") },
			`script of a dependency: outcome 1 is "explode", want ok, fail, hang, panic, a status from 400 to 599 or a class, such as 429:2s or permanent`,
		},
		"a policy": {
			func(t testing.TB) { trysailtest.Operation(t, trysail.Policy{Retry: trysail.RetryPolicy{Attempts: 99}}) },
			"operation of a test: trysail config: Default.Retry.Attempts is 99, want 1 to 20",
		},
		"no breaker": {func(t testing.TB) {
			op, _ := trysailtest.Operation(t, trysail.Policy{Breaker: trysail.BreakerPolicy{Disabled: true}})
			trysailtest.Trip(t, op)
		}, "operation \"op\" has no breaker: its policy says so\nlog: what the recorder has heard last:"},
		"an operator's word": {func(t testing.TB) {
			op, _ := trysailtest.Operation(t, trysail.Policy{Breaker: trysail.BreakerPolicy{RecoveryTimeout: time.Minute}})
			op.Breaker().Disable(trysail.Override{Reason: "maintenance"})
			trysailtest.HalfOpen(t, op)
		}, `
breaker of "op" is disabled (maintenance) and cannot be brought to open
log: what the recorder has heard last:
	0s  breaker closed->disabled (maintenance)
	0s  call failed after 1 attempt in 0s, transient: scripted failure
	0s  call failed after 1 attempt in 0s, transient: scripted failure
	0s  call failed after 1 attempt in 0s, transient: scripted failure
	0s  call failed after 1 attempt in 0s, transient: scripted failure
	0s  call failed after 1 attempt in 0s, transient: scripted failure`},
		"a call": {func(t testing.TB) {
			op, recorder := trysailtest.Operation(t, trysailtest.Exact(trysail.Balanced.Policy()))
			trysailtest.Run(t, op, "fail, ok").Want(t, "ok after 1 attempt in 0s")
			recorder.Want(t, "0s call ok")
		}, `
the call went
	ok after 2 attempts in 2s, waits 2s
want
	ok after 1 attempt in 0s
the recorder's time went
	0s  retry in 2s: attempt 1 failed, transient: scripted failure
	2s  call ok after 2 attempts in 2s
want
	0s call ok
log: what the recorder has heard last:
	0s  retry in 2s: attempt 1 failed, transient: scripted failure
	2s  call ok after 2 attempts in 2s`},
	} {
		bubble(t, name, func(t *testing.T) { wantSaid(t, failing(t, tc.test), tc.want) })
	}
}

// A failed test with very many calls tells the newest.
func TestKitLogIsShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said := failing(t, func(t testing.TB) {
			op, _ := trysailtest.Operation(t, once())
			for range 1000 {
				trysailtest.Run(t, op, "ok")
			}
			t.Errorf("enough")
		})
		if lines := strings.Count(said, "\n") + 1; lines > 60 {
			t.Errorf("the test was told %d lines, want at most 60", lines)
		}
	})
}

// Outside a bubble, all works in real time, and the recorder waits for silence.
func TestKitOutsideABubble(t *testing.T) {
	op, recorder := trysailtest.Operation(t, trysail.Policy{Retry: trysail.RetryPolicy{Backoff: trysail.BackoffNone}})
	call := trysailtest.Run(t, op, "fail x2, ok after 1ms")
	if call.Attempts != 3 || len(call.Waits) != 2 || call.Took < time.Millisecond || call.Err != nil {
		t.Errorf("the call went %v, want ok after 3 attempts", call)
	}
	if retries := recorder.Events(trysail.EventRetry); len(retries) != 2 {
		t.Errorf("%d retries were heard, want 2", len(retries))
	}
	if all := recorder.Events(); len(all) != 3 || all[2].Kind != trysail.EventCall {
		t.Errorf("Events() = %+v, want two retries and the call", all)
	}
}

// HalfOpen outside a bubble waits as long as the policy says.
func TestHalfOpenOutsideABubble(t *testing.T) {
	op, _ := trysailtest.Operation(t, trysail.Policy{Breaker: trysail.BreakerPolicy{RecoveryTimeout: 5 * time.Millisecond}})
	trysailtest.HalfOpen(t, op)
	trysailtest.WantState(t, op, trysail.HalfOpen)
}

// Whoever waits in a bubble himself is not disturbed by calls of the kit in other goroutines.
func TestKitBesideSomebodyWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op, recorder := trysailtest.Operation(t, once())
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { trysailtest.Run(t, op, "ok after 1s") })
			synctest.Wait()
		}
		all.Wait()
		if got := len(recorder.Events()); got != 100 {
			t.Errorf("%d events, want 100", got)
		}
	})
}
