package trysailtest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/trysailtest"
)

func TestKitOnRetries(t *testing.T) {
	own := func(change func(*trysail.Policy)) trysail.Policy {
		p := trysailtest.Exact(trysail.Balanced.Policy())
		change(&p)
		return p
	}
	for name, tc := range map[string]struct {
		policy       trysail.Policy
		script, want string
	}{
		"every strategy begins with its least wait: aggressive": {
			trysailtest.Exact(trysail.Aggressive.Policy()), "fail",
			"transient after 2 attempts in 1s, waits 1s",
		},
		"balanced": {
			trysailtest.Exact(trysail.Balanced.Policy()), "fail",
			"transient after 3 attempts in 4s, waits 2s 2s",
		},
		"conservative": {
			trysailtest.Exact(trysail.Conservative.Policy()), "fail",
			"transient after 5 attempts in 32s, waits 4s 4s 8s 16s",
		},
		"critical": {
			trysailtest.Exact(trysail.Critical.Policy()), "fail",
			"transient after 7 attempts in 1m36s, waits 3s 3s 6s 12s 24s 48s",
		},
		"what the server asks for is a floor": {
			own(func(*trysail.Policy) {}), "429:9s, 503:1s, ok",
			"ok after 3 attempts in 11s, waits 9s 2s",
		},
		"a wait that does not fit into the budget is not begun": {
			own(func(p *trysail.Policy) { p.Retry.DelayBudget = 3 * time.Second }), "fail",
			"transient after 2 attempts in 2s, waits 2s",
		},
		"the limit of an attempt ends a hung one": {
			own(func(p *trysail.Policy) { p.Attempt = 20 * time.Second }), "hang",
			"transient after 3 attempts in 1m4s, waits 2s 2s: time limit of the attempt has passed",
		},
		"but waits for a deaf one": {
			own(func(p *trysail.Policy) { p.Attempt = 20 * time.Second }), "fail after 30s deaf, ok",
			"ok after 2 attempts in 32s, waits 2s",
		},
		"the limit of the call": {
			own(func(p *trysail.Policy) { p.Total = 5 * time.Second }), "fail, hang",
			"transient after 2 attempts in 5s, waits 2s: time limit of the call has passed",
		},
		"a class with numbers of its own": {
			own(func(p *trysail.Policy) { p.Retry.Classes[trysail.ClassOverloaded].Attempts = 1 }), "503",
			"overloaded after 1 attempt in 0s",
		},
		"what repeating cannot help": {
			own(func(*trysail.Policy) {}), "fail, content_policy, ok",
			"content_policy after 2 attempts in 2s, waits 2s",
		},
		"a panic is not repeated": {
			own(func(*trysail.Policy) {}), "panic",
			"panic after 1 attempt in 0s",
		},
	} {
		bubble(t, name, func(t *testing.T) {
			op, _ := trysailtest.Operation(t, tc.policy)
			trysailtest.Run(t, op, tc.script).Want(t, tc.want)
		})
	}
}

// Waits of a policy with jitter lie between bounds.
func TestKitOnJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op, _ := trysailtest.Operation(t, trysail.Balanced.Policy())
		for range 100 {
			call := trysailtest.Run(t, op, "fail, ok")
			if wait := call.Waits[0]; wait < 2*time.Second || wait > 4*time.Second {
				t.Errorf("waited %v, want 2s and up to 2s of jitter", wait)
			}
		}
	})
}

func TestKitOnRetryBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget, err := trysail.NewRetryBudget(trysail.RetryBudgetConfig{Floor: trysail.Rate(1) / 60, Share: 0.001})
		if err != nil {
			t.Fatal(err)
		}
		policy := trysailtest.Exact(trysail.Balanced.Policy())
		policy.Retry.Budget = budget
		op, _ := trysailtest.Operation(t, policy)
		trysailtest.Run(t, op, "fail").Want(t, "transient after 2 attempts in 2s, waits 2s: retry budget is used up")
	})
}

// A breaker through an outage: it opens, probes once too early, and closes.
func TestKitOnBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op, recorder := trysailtest.Operation(t, once())
		for range 4 {
			trysailtest.Run(t, op, "fail")
		}
		trysailtest.Run(t, op, "permanent") // says nothing about the dependency
		trysailtest.WantState(t, op, trysail.Closed)
		trysailtest.Run(t, op, "fail")
		trysailtest.WantState(t, op, trysail.Open)

		time.Sleep(time.Minute - 1)
		trysailtest.Run(t, op, "ok").Want(t, "not called in 0s: circuit breaker is open")
		time.Sleep(time.Nanosecond)
		trysailtest.WantState(t, op, trysail.HalfOpen)
		trysailtest.Run(t, op, "503").Want(t, "overloaded after 1 attempt in 0s")
		trysailtest.WantState(t, op, trysail.Open)
		trysailtest.HalfOpen(t, op)

		probe := trysailtest.NewDependency(t, "well", "ok after 10s")
		go func() { _, _ = trysail.Do(t.Context(), op, probe.Call) }()
		synctest.Wait()
		trysailtest.Run(t, op, "ok").Want(t, "not called in 0s: circuit breaker is open") // the only place is taken
		time.Sleep(10 * time.Second)
		synctest.Wait()
		trysailtest.WantState(t, op, trysail.Closed)

		recorder.Want(t, `
			      0s  call failed after 1 attempt in 0s, transient: scripted failure
			      0s  call failed after 1 attempt in 0s, transient: scripted failure
			      0s  call failed after 1 attempt in 0s, transient: scripted failure
			      0s  call failed after 1 attempt in 0s, transient: scripted failure
			      0s  call failed after 1 attempt in 0s, permanent: scripted failure
			      0s  breaker closed->open (5 calls in a row failed)
			      0s  call failed after 1 attempt in 0s, transient: scripted failure
			59.999999999s  call not made: circuit breaker is open: 5 calls in a row failed
			    1m0s  breaker open->half-open (the recovery timeout has passed)
			    1m0s  breaker half-open->open (a probe failed)
			    1m0s  call failed after 1 attempt in 0s, overloaded: 503 Service Unavailable
			    2m0s  breaker open->half-open (the recovery timeout has passed)
			    2m0s  call not made: circuit breaker is open (half-open): the recovery timeout has passed
			   2m10s  breaker half-open->closed (a probe succeeded)
			   2m10s  call ok after 1 attempt in 10s
		`)
	})
}

func TestKitOnBreakerRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := once()
		policy.Breaker = trysail.BreakerPolicy{
			RatesOnly: true, SlowRate: 0.5, SlowCall: 30 * time.Second, WindowCalls: 10, MinCalls: 4,
		}
		op, recorder := trysailtest.Operation(t, policy)
		for _, script := range []string{"ok", "ok", "ok after 31s", "ok after 31s"} {
			trysailtest.WantState(t, op, trysail.Closed)
			trysailtest.Run(t, op, script)
		}
		trysailtest.WantState(t, op, trysail.Open)
		want := "closed->open (2 of 4 calls took longer than 30s, 0 of them are still under way)"
		if got := recorder.Transitions(); len(got) != 1 || got[0] != want {
			t.Errorf("Transitions() = %q, want %q", got, want)
		}
	})
}

func TestKitOnHedges(t *testing.T) {
	for name, tc := range map[string]struct {
		max          int
		script, want string
		causes       []error
	}{
		"the second is faster": {
			1, "hang, ok after 1s", "ok after 2 attempts in 6s, hedged after 5s",
			[]error{trysail.ErrHedgeLost, nil},
		},
		"the first is in time": {1, "ok after 4999ms", "ok after 1 attempt in 4.999s", []error{nil}},
		"the first is faster after all": {
			1, "ok after 6s, ok after 6s", "ok after 2 attempts in 6s, hedged after 5s",
			[]error{nil, trysail.ErrHedgeLost},
		},
		"the third answers": {
			2, "hang, hang, ok after 2s", "ok after 3 attempts in 12s, hedged after 5s 5s",
			[]error{trysail.ErrHedgeLost, trysail.ErrHedgeLost, nil},
		},
		"a failure waits for the other": {
			1, "fail after 6s, ok after 7s", "ok after 2 attempts in 12s, hedged after 5s",
			[]error{nil, nil},
		},
		"both fail, and the next attempt is hedged, too": {
			1, "fail after 6s, fail after 6s, ok after 6s", "ok after 4 attempts in 19s, waits 2s, hedged after 5s 5s",
			[]error{nil, nil, nil, trysail.ErrHedgeLost},
		},
		"one that nobody wants any more panics": {
			1, "panic after 9s deaf, ok", "ok after 2 attempts in 5s, hedged after 5s",
			[]error{trysail.ErrHedgeLost, nil},
		},
		"one that counts panics": {
			1, "hang, panic after 1s", "panic after 2 attempts in 6s, hedged after 5s",
			[]error{trysail.ErrHedgeLost, nil},
		},
	} {
		bubble(t, name, func(t *testing.T) {
			policy := trysailtest.Exact(trysail.Balanced.Policy())
			policy.Hedge = trysail.HedgePolicy{After: 5 * time.Second, Max: tc.max}
			op, recorder := trysailtest.Operation(t, policy)
			model := trysailtest.NewDependency(t, 1, tc.script)
			model.Trace(func() error {
				_, err := trysail.Do(t.Context(), op, trysail.Hedged(op, model.Call))
				return err
			}).Want(t, tc.want)
			if heard := strings.Count(recorder.String(), "hedge 1 after 5s"); (heard > 0) != (len(tc.causes) > 1) {
				t.Errorf("the recorder heard %v, want the hedges", recorder)
			}
			time.Sleep(10 * time.Second) // until a deaf one has ended
			attempts := model.Attempts()
			if len(attempts) != len(tc.causes) {
				t.Fatalf("%d attempts, want %d", len(attempts), len(tc.causes))
			}
			for i, a := range attempts {
				lost := tc.causes[i] != nil
				if a.Ended.IsZero() || lost != errors.Is(a.Cause, trysail.ErrHedgeLost) {
					t.Errorf("attempt %d ended with the cause %v, want %v", i+1, a.Cause, tc.causes[i])
				}
			}
		})
	}
}

func TestKitOnFallbacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op, recorder := trysailtest.Operation(t, once())
		model := trysailtest.NewDependency(t, "fresh", "503")
		small := trysailtest.NewDependency(t, "small", "429 after 2s")
		cache := trysailtest.NewDependency(t, "stale", "ok")

		call := model.Trace(func() error {
			text, err := trysail.DoWithFallback(t.Context(), op, model.Call, small.Fallback, cache.Fallback)
			if text != "stale" {
				t.Errorf("DoWithFallback() = %q, want %q", text, "stale")
			}
			return err
		})
		call.Want(t, "ok after 1 attempt in 2s")
		want := `operation "op": overloaded: 503 Service Unavailable (then 429 Too Many Requests)`
		if got := fmt.Sprint(cache.Attempts()[0].Reason); got != want {
			t.Errorf("the cache was asked because of %q, want %q", got, want)
		}
		recorder.Want(t, `
			0s  call failed after 1 attempt in 0s, overloaded: 503 Service Unavailable
			2s  fallback ok
		`)
		if _, err := trysail.DoWithFallback(t.Context(), op, model.Call, small.Fallback); err == nil {
			t.Error("DoWithFallback() = nil, want the failures")
		}
		recorder.Want(t, `
			0s  call failed after 1 attempt in 0s, overloaded: 503 Service Unavailable
			2s  fallback ok
			2s  call failed after 1 attempt in 0s, overloaded: 503 Service Unavailable
			4s  fallback failed, overloaded: operation "op": overloaded: 503 Service Unavailable (then 429 Too Many Requests)
		`)
	})
}

// The begin of a stream is an attempt, its end is not.
func TestKitOnStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op, recorder := trysailtest.Operation(t, trysailtest.Exact(trysail.Balanced.Policy()))
		model := trysailtest.NewDependency(t, "stream", "503, ok after 1s")
		var permit *trysail.Permit
		model.Trace(func() (err error) {
			_, permit, err = trysail.Start(t.Context(), op, model.Call)
			return err
		}).Want(t, "ok after 2 attempts in 3s, waits 2s")
		time.Sleep(time.Minute)
		permit.Done(trysail.Committed(trysailtest.ErrScripted))
		recorder.Want(t, `
			  0s  retry in 2s: attempt 1 failed, overloaded: 503 Service Unavailable
			1m3s  call failed after 2 attempts in 1m3s, transient: scripted failure
		`)
	})
}

// A caller who leaves ends the attempt, which the dependency can tell from a time limit.
func TestKitOnCallerWhoLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op, _ := trysailtest.Operation(t, trysail.Policy{Attempt: time.Minute})
		errLeft := errors.New("the user closed the page")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(5*time.Second, func() { cancel(errLeft) })
		model := trysailtest.NewDependency(t, "text", "hang")
		model.Trace(func() error {
			_, err := trysail.Do(ctx, op, model.Call)
			return err
		}).Want(t, "canceled after 1 attempt in 5s")
		if a := model.Attempts()[0]; !errors.Is(a.Cause, errLeft) || !errors.Is(a.Err, context.Canceled) {
			t.Errorf("the attempt ended with %v, cause %v; want %v, cause %v", a.Err, a.Cause, context.Canceled, errLeft)
		}
	})
}

// Whose time was up can be read from the line.
func TestKitOnCallersDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op, _ := trysailtest.Operation(t, trysail.Policy{Attempt: time.Minute})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		model := trysailtest.NewDependency(t, "text", "hang")
		call := func() error {
			_, err := trysail.Do(ctx, op, model.Call)
			return err
		}
		model.Trace(call).Want(t, "transient after 1 attempt in 10s: context deadline exceeded")
		model.Trace(call).Want(t, "not called in 0s: context deadline exceeded")
	})
}
