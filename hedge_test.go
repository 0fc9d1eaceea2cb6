package trysail_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// hedging is a policy of one attempt with hedges.
func hedging(p trysail.HedgePolicy) trysail.Policy {
	policy := once()
	policy.Hedge = p
	return policy
}

// after is a hedge after two seconds.
func after2s() trysail.HedgePolicy { return trysail.HedgePolicy{After: 2 * time.Second} }

// A runner is what one attempt of a race does.
type runner struct {
	takes time.Duration
	err   error
}

// raced makes a call whose attempts, in the order in which they begin, are the runners, and
// returns the number of the one whose answer it got, from 0. Runners heed their contexts; those that
// are not given take an hour.
func raced(t testing.TB, op *trysail.Operation, runners ...runner) (winner int, took time.Duration, err error) {
	t.Helper()
	var begun atomic.Int64
	start := time.Now()
	winner, err = trysail.Do(t.Context(), op, trysail.Hedged(op, func(ctx context.Context) (int, error) {
		i := int(begun.Add(1)) - 1
		mine := runner{takes: time.Hour}
		if i < len(runners) {
			mine = runners[i]
		}
		select {
		case <-time.After(mine.takes):
			return i, mine.err
		case <-ctx.Done():
			return i, ctx.Err()
		}
	}))
	return winner, time.Since(start), err
}

func TestHedge(t *testing.T) {
	const s = time.Second
	for name, tc := range map[string]struct {
		policy  trysail.HedgePolicy
		runners []runner
		winner  int
		took    time.Duration
		err     error
		hedges  uint64
	}{
		"a fast answer needs none":       {after2s(), []runner{{2*s - 1, nil}}, 0, 2*s - 1, nil, 0},
		"a slow one is overtaken":        {after2s(), []runner{{60 * s, nil}, {1 * s, nil}}, 1, 3 * s, nil, 1},
		"the first may still be first":   {after2s(), []runner{{3 * s, nil}, {60 * s, nil}}, 0, 3 * s, nil, 1},
		"a failure in time is the end":   {after2s(), []runner{{1 * s, errDown}}, 0, 1 * s, errDown, 0},
		"a failure waits for the other":  {after2s(), []runner{{3 * s, errDown}, {8 * s, nil}}, 1, 10 * s, nil, 1},
		"a hedge that fails is no end":   {after2s(), []runner{{9 * s, nil}, {1 * s, errDown}}, 0, 9 * s, nil, 1},
		"the last failure is told":       {after2s(), []runner{{3 * s, errors.New("first")}, {8 * s, errDown}}, 1, 10 * s, errDown, 1},
		"what is out already ends all":   {after2s(), []runner{{60 * s, nil}, {1 * s, trysail.Committed(errDown)}}, 1, 3 * s, errDown, 1},
		"what cannot be helped ends all": {after2s(), []runner{{60 * s, nil}, {1 * s, errBadRequest}}, 1, 3 * s, errBadRequest, 1},
		"as many as there may be": {
			trysail.HedgePolicy{After: 2 * s, Max: 3},
			[]runner{{60 * s, nil}, {60 * s, nil}, {60 * s, nil}, {1 * s, nil}},
			3, 7 * s, nil, 3,
		},
		"and no more": {after2s(), []runner{{60 * s, nil}, {60 * s, nil}}, 0, 60 * s, nil, 1},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, hedging(tc.policy))
			winner, took, err := raced(t, op, tc.runners...)
			if winner != tc.winner || took != tc.took || !errors.Is(err, tc.err) {
				t.Errorf("the winner is %d in %v with %v, want %d in %v with %v", winner, took, err, tc.winner, tc.took, tc.err)
			}
			m := op.Metrics()
			if m.Hedges != tc.hedges || m.Calls != 1 || (m.HedgeWins == 1) != (tc.winner > 0 && tc.err == nil) {
				t.Errorf("Metrics() = %+v, want %d hedges", m, tc.hedges)
			}
		})
	}
}

func TestHedgeIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op, r := listening(t, hedging(after2s()))
		_, _, _ = raced(t, op, runner{time.Minute, nil}, runner{time.Second, nil})
		heard := r.heard()
		if len(heard) != 2 || heard[0].Kind != trysail.EventHedge || heard[0].Attempt != 1 || heard[0].Wait != 2*time.Second ||
			heard[1].Kind != trysail.EventCall || heard[1].Attempt != 1 {
			t.Errorf("heard %+v, want a hedge after 2s and a call of one attempt", heard)
		}
	})
}

// Those who lose have their contexts ended at once, and know why; the winner's lives until
// its function has returned.
func TestLosersAreCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, hedging(after2s()))
		var begun atomic.Int64
		lost := make(chan error, 1)
		start := time.Now()
		_, err := trysail.Do(t.Context(), op, trysail.Hedged(op, func(ctx context.Context) (int, error) {
			if begun.Add(1) == 1 {
				<-ctx.Done()
				if took := time.Since(start); took != 3*time.Second {
					t.Errorf("the loser hears of it after %v, want 3s", took)
				}
				lost <- context.Cause(ctx)
				return 0, ctx.Err()
			}
			time.Sleep(time.Second)
			return 1, ctx.Err()
		}))
		if cause := <-lost; err != nil || !errors.Is(cause, trysail.ErrHedgeLost) {
			t.Errorf("Do() = %v, and the loser's context ended with %v; want ErrHedgeLost", err, cause)
		}
	})
}

// closer is a value that must be closed by whoever gets it.
type closer struct{ closed *atomic.Int64 }

func (c *closer) Close() error { c.closed.Add(1); return nil }

func TestValuesThatNobodyGetsAreClosed(t *testing.T) {
	for name, tc := range map[string]struct {
		first error // that of the slow attempt, beside its value
		late  bool  // it ends after the call
	}{
		"late":               {nil, true},
		"late with an error": {errDown, true},
		"before the winner":  {errDown, false},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, hedging(after2s()))
			var closed, begun atomic.Int64
			got, err := trysail.Do(t.Context(), op, trysail.Hedged(op, func(context.Context) (*closer, error) {
				if begun.Add(1) == 1 {
					time.Sleep(3 * time.Second)
					if tc.late {
						time.Sleep(time.Minute) // deaf to its context
					}
					return &closer{&closed}, tc.first
				}
				time.Sleep(2 * time.Second)
				return &closer{&closed}, nil
			}))
			time.Sleep(time.Hour)
			if err != nil || got == nil || closed.Load() != 1 {
				t.Errorf("Do() = %v with %d values closed, want one, and not the winner's", err, closed.Load())
			}
		})
	}
	bubble(t, "none", func(t *testing.T) { // a nil pointer has nothing to close
		op := newOperation(t, hedging(after2s()))
		var begun atomic.Int64
		_, err := trysail.Do(t.Context(), op, trysail.Hedged(op, func(ctx context.Context) (*closer, error) {
			if begun.Add(1) == 1 {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return nil, nil //nolint:nilnil // that is the point
		}))
		synctest.Wait()
		if err != nil {
			t.Errorf("Do() = %v", err)
		}
	})
}

func TestPanicOfAHedge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, hedging(after2s()))
		var begun atomic.Int64
		defer func() {
			v, ok := recover().(error)
			if !ok || !strings.Contains(v.Error(), "oops") || !strings.Contains(v.Error(), "hedge_test.go") {
				t.Errorf("recovered %v, want oops with the stack of where it happened", v)
			}
			if m := op.Metrics(); m.Panics != 1 || m.Failed != 1 || op.Breaker().Snapshot().Failures != 1 {
				t.Errorf("Metrics() = %+v, want one panic, which is a failure", m)
			}
		}()
		_, _ = trysail.Do(t.Context(), op, trysail.Hedged(op, func(ctx context.Context) (int, error) {
			if begun.Add(1) == 2 {
				panic("oops")
			}
			return 0, hang(ctx)
		}))
		t.Error("Do() returned, want the panic")
	})
}

// The panic of an attempt that has lost ends nothing, and is noted.
func TestPanicOfALoser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, hedging(after2s()))
		var begun atomic.Int64
		_, err := trysail.Do(t.Context(), op, trysail.Hedged(op, func(ctx context.Context) (int, error) {
			if begun.Add(1) == 1 {
				<-ctx.Done()
				panic("lost")
			}
			return 1, nil
		}))
		synctest.Wait()
		if d := op.Explain(); err != nil || len(d) != 1 || !strings.Contains(d[0].Reason, "panicked: lost") {
			t.Errorf("Do() = %v, Explain() = %+v; want the panic noted", err, d)
		}
	})
}

// Without an answer there is nobody to wait for.
func TestHedgedFunctionThatEndsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, hedging(after2s()))
		_, err := trysail.Do(t.Context(), op, trysail.Hedged(op, func(context.Context) (int, error) { runtime.Goexit(); return 1, nil }))
		if err == nil || op.Metrics().Failed != 1 || op.Breaker().Snapshot().Failures != 1 {
			t.Errorf("Do() = %v with %+v, want a failure", err, op.Metrics())
		}
	})
}

// Neither when another attempt is still running: something in the function has ended it on purpose.
func TestHedgeThatEndsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, hedging(after2s()))
		var begun atomic.Int64
		start := time.Now()
		_, err := trysail.Do(t.Context(), op, trysail.Hedged(op, func(ctx context.Context) (int, error) {
			if begun.Add(1) == 2 {
				runtime.Goexit()
			}
			return 0, hang(ctx)
		}))
		if took := time.Since(start); err == nil || took != 2*time.Second {
			t.Errorf("Do() = %v after %v, want a failure after 2s", err, took)
		}
	})
}

// Of values that come at the same moment all but one are closed.
func TestValuesOfOneMomentAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, hedging(trysail.HedgePolicy{After: time.Second, Max: 5}))
		const n = 200
		var closed, begun atomic.Int64
		for range n {
			moment := time.Now().Add(10 * time.Second)
			before := op.Metrics().Hedges
			_, _ = trysail.Do(t.Context(), op, trysail.Hedged(op, func(context.Context) (*closer, error) {
				begun.Add(1)
				time.Sleep(time.Until(moment))
				return &closer{&closed}, nil
			}))
			synctest.Wait()
			if hedges := op.Metrics().Hedges; hedges > before+5 {
				t.Fatalf("%d hedges of one call", hedges-before)
			}
		}
		if got, want := closed.Load(), begun.Load()-n; got != want || want < n {
			t.Errorf("%d values are closed, want the %d that nobody got", got, want)
		}
	})
}

func TestHedgesNeedTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget, err := trysail.NewRetryBudget(trysail.RetryBudgetConfig{Share: 0.1, Floor: 0.05, Window: time.Minute}) // three
		if err != nil {
			t.Fatal(err)
		}
		policy := hedging(after2s())
		policy.Retry.Budget = budget
		op := newOperation(t, policy)
		for range 4 {
			_, _, _ = raced(t, op, runner{3 * time.Second, nil}, runner{time.Minute, nil})
		}
		if m, s := op.Metrics(), budget.Snapshot(); m.Hedges != 3 || m.Denied != 1 || s.Retries != 3 {
			t.Errorf("Metrics() = %+v, budget %+v; want 3 hedges, and one denied", m, s)
		}
	})
}

// Without a budget of the policy's hedges have one of their own, and retries none.
func TestHedgesHaveABudgetOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := hedging(after2s())
		policy.Retry = trysail.RetryPolicy{NoJitter: true, Attempts: 2}
		policy.Breaker.Disabled = true
		op := newOperation(t, policy)
		for range 1000 {
			_, _, _ = raced(t, op, runner{2*time.Second + 1, nil})
		}
		// When all is slow: a tenth of the calls, and 0.2 a second in the 2000 s and a minute before.
		m := op.Metrics()
		if m.Hedges < 450 || m.Hedges > 100+400+12 || m.Denied != 1000-m.Hedges {
			t.Errorf("Metrics() = %+v, want some 500 of the 1000 calls hedged", m)
		}
		denied := m.Denied
		for range 50 {
			_, _, _ = raced(t, op, runner{0, errDown}, runner{0, errDown})
		}
		if m := op.Metrics(); m.Retries != 50 || m.Denied != denied {
			t.Errorf("Metrics() = %+v, want every retry made", m)
		}
	})
}

func TestNoHedge(t *testing.T) {
	slow := []runner{{10 * time.Second, nil}, {0, nil}}
	for name, run := range map[string]func(t *testing.T, op *trysail.Operation){
		"of a probe": func(t *testing.T, op *trysail.Operation) {
			halfOpen(t, op)
			_, _, _ = raced(t, op, slow...)
		},
		"of a function that is not wrapped": func(t *testing.T, op *trysail.Operation) {
			_ = lasting(t, op, time.Minute, nil)
		},
		"while the breaker is open": func(t *testing.T, op *trysail.Operation) {
			time.AfterFunc(time.Second, func() { op.Breaker().ForceOpen(trysail.Override{}) })
			_, _, _ = raced(t, op, slow...)
		},
		"for a caller who has left": func(t *testing.T, op *trysail.Operation) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, _ = trysail.Do(ctx, op, trysail.Hedged(op, func(context.Context) (int, error) { time.Sleep(time.Minute); return 1, nil }))
		},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, hedging(after2s()))
			run(t, op)
			if m := op.Metrics(); m.Hedges != 0 {
				t.Errorf("Metrics() = %+v, want no hedge", m)
			}
		})
	}
}

// Time limits and retries hold for all attempts of a race together.
func TestHedgeUnderLimitsAndRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := hedging(after2s())
		policy.Attempt = 10 * time.Second
		policy.Retry = trysail.RetryPolicy{NoJitter: true, Attempts: 2}
		op := newOperation(t, policy)
		slow := runner{time.Hour, nil}
		_, took, err := raced(t, op, slow, slow, slow, slow)
		if !errors.Is(err, trysail.ErrAttemptTimeout) || took != 22*time.Second {
			t.Errorf("raced() = %v in %v, want ErrAttemptTimeout after twice 10s and a wait of 2s", err, took)
		}
		var e *trysail.Error
		if m := op.Metrics(); !errors.As(err, &e) || e.Attempts != 2 || m.Retries != 1 || m.Hedges != 2 || m.Calls != 1 {
			t.Errorf("%+v with %+v, want two attempts, with a hedge each", e, m)
		}
	})
}

// With Start the stream of the winner lives until the permit is given back.
func TestHedgedStart(t *testing.T) {
	for name, attempt := range map[string]time.Duration{"with a limit": 10 * time.Second, "without": 0} {
		bubble(t, name, func(t *testing.T) {
			policy := hedging(after2s())
			policy.Attempt = attempt
			op := newOperation(t, policy)
			var begun atomic.Int64
			contexts := make(chan context.Context, 2)
			_, permit, err := trysail.Start(t.Context(), op, trysail.Hedged(op, func(ctx context.Context) (int, error) {
				contexts <- ctx
				if begun.Add(1) == 1 {
					return 0, hang(ctx)
				}
				time.Sleep(time.Second)
				return 1, nil
			}))
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			loser, winner := <-contexts, <-contexts
			if loser.Err() == nil || winner.Err() != nil {
				t.Errorf("contexts: loser %v, winner %v; want the loser's ended alone", loser.Err(), winner.Err())
			}
			permit.Done(nil)
			if winner.Err() == nil || op.Metrics().HedgeWins != 1 {
				t.Errorf("after Done: winner %v, %+v; want it ended, and a hedge that won", winner.Err(), op.Metrics())
			}
		})
	}
}

// Hedging that is switched on while Start waits for its next attempt does not hand out a stream whose
// context has ended. Neither does that of an operation within one that has none.
func TestHedgedStartOfAnOperationWithoutHedges(t *testing.T) {
	for name, hedges := range map[string]func(t *testing.T, orc *trysail.Orchestrator) *trysail.Operation{
		"switched on meanwhile": func(t *testing.T, orc *trysail.Orchestrator) *trysail.Operation {
			if _, err := orc.Apply(trysail.Config{Default: trysail.Policy{Hedge: after2s()}}); err != nil {
				t.Error(err)
			}
			return orc.Operation("op")
		},
		"another one's": func(t *testing.T, _ *trysail.Orchestrator) *trysail.Operation {
			return newOperation(t, hedging(after2s()))
		},
	} {
		bubble(t, name, func(t *testing.T) {
			orc := newOrchestrator(t, trysail.Config{})
			tries := 0
			var own context.Context
			_, permit, err := trysail.Start(t.Context(), orc.Operation("op"), func(ctx context.Context) (int, error) {
				if tries++; tries == 1 {
					return 0, errDown
				}
				return trysail.Hedged(hedges(t, orc), func(ctx context.Context) (int, error) { own = ctx; return 1, nil })(ctx)
			})
			if err != nil || own.Err() != nil {
				t.Fatalf("Start() = %v with a context that is %v, want both nil", err, own.Err())
			}
			if permit.Done(nil); own.Err() == nil {
				t.Error("the context lives on after the permit")
			}
		})
	}
}

// When the time is over nobody waits for an attempt that is deaf to it.
func TestRaceEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, hedging(after2s()))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		var begun atomic.Int64
		_, err := trysail.Do(ctx, op, trysail.Hedged(op, func(ctx context.Context) (int, error) {
			if begun.Add(1) == 1 {
				time.Sleep(time.Hour)
				return 1, nil
			}
			return 0, hang(ctx)
		}))
		if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took != 5*time.Second {
			t.Errorf("Do() = %v after %v, want the deadline after 5s", err, took)
		}
		time.Sleep(time.Hour) // until the deaf one has ended
	})
}

func TestBadHedge(t *testing.T) {
	for name, tc := range map[string]struct {
		policy trysail.HedgePolicy
		want   []string
	}{
		"negative":          {trysail.HedgePolicy{After: -1, Max: 6}, []string{"Hedge.After is -1ns, want 0s to 1h", "Hedge.Max is 6, want 1 to 5"}},
		"a small share":     {trysail.HedgePolicy{Percentile: 0.4}, []string{"Hedge.Percentile is 0.4, want 0.5 to 0.999"}},
		"no number":         {trysail.HedgePolicy{Percentile: math.NaN()}, []string{"Hedge.Percentile is NaN"}},
		"percent":           {trysail.HedgePolicy{Percentile: 95}, []string{"Hedge.Percentile is 95"}},
		"never":             {trysail.HedgePolicy{After: time.Minute}, []string{"Hedge.After is 1m0s, want less than Attempt, which is 1m0s"}},
		"nothing to do":     {trysail.HedgePolicy{Max: 2}, []string{"Hedge.Max is 2, want After or Percentile"}},
		"an impossible Max": {trysail.HedgePolicy{After: 1, Max: -1}, []string{"Hedge.Max is -1, want 1 to 5"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := trysail.New(trysail.Config{Default: trysail.Policy{Attempt: time.Minute, Hedge: tc.policy}})
			for _, want := range tc.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("New() = %v, want %q in it", err, want)
				}
			}
		})
	}
}

func TestHedgeLimits(t *testing.T) {
	for name, p := range map[string]trysail.HedgePolicy{
		"the least": {After: 1, Percentile: 0.5, Max: 1},
		"the most":  {After: time.Hour - 1, Percentile: 0.999, Max: 5},
	} {
		policy := hedging(p)
		policy.Attempt = time.Hour
		if got := newOperation(t, policy).Policy().Hedge; got != p {
			t.Errorf("%s: Policy().Hedge = %+v, want %+v", name, got, p)
		}
	}
}

// Hedged composes with everything that takes a function, and leaves what cannot be run to Do.
func TestHedgedWithoutAnythingToHedge(t *testing.T) {
	op := newOperation(t, once())
	got, err := trysail.Do(t.Context(), op, trysail.Hedged(op, func(ctx context.Context) (bool, error) { return ctx == t.Context(), nil }))
	if err != nil || !got {
		t.Errorf("Do() = %t, %v; want the function run as it is", got, err)
	}
	if _, err := trysail.Do(t.Context(), op, trysail.Hedged[int](op, nil)); !errors.Is(err, trysail.ErrNoFunction) {
		t.Errorf("Do() = %v, want ErrNoFunction", err)
	}
	if _, err := trysail.Do(t.Context(), nil, trysail.Hedged(nil, func(context.Context) (int, error) { return 1, nil })); !errors.Is(err, trysail.ErrNoOperation) {
		t.Errorf("Do() = %v, want ErrNoOperation", err)
	}
}

func TestHedgedWithFallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, hedging(after2s()))
		start := time.Now()
		got, err := trysail.DoWithFallback(t.Context(), op,
			trysail.Hedged(op, func(context.Context) (string, error) { time.Sleep(3 * time.Second); return "", errDown }),
			func(context.Context, error) (string, error) { return "plan B", nil })
		if took := time.Since(start); got != "plan B" || err != nil || took != 5*time.Second || op.Metrics().Hedges != 1 {
			t.Errorf("got %q, %v after %v; want plan B after both attempts, at 5s", got, err, took)
		}
	})
}

// A stream that another operation races inside of a permit's function lives as long as the permit,
// also when several begin at once; those that come too late end at once.
func TestRacesWithinAPermit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, hedging(after2s()))
		contexts := make([]context.Context, 20)
		var outer context.Context
		race := func(ctx context.Context, i int) {
			_, _ = trysail.Do(ctx, op, trysail.Hedged(op, func(ctx context.Context) (int, error) { contexts[i] = ctx; return i, nil }))
		}
		_, permit, err := trysail.Start(t.Context(), op, func(ctx context.Context) (int, error) {
			outer = ctx
			var all sync.WaitGroup
			for i := range 19 {
				all.Go(func() { race(ctx, i) })
			}
			all.Wait()
			return 1, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if contexts[7].Err() != nil {
			t.Error("a context has ended before the permit is given back")
		}
		permit.Done(nil)
		race(outer, 19)
		for i, ctx := range contexts {
			if ctx.Err() == nil {
				t.Errorf("context %d lives on after the permit", i)
			}
		}
	})
}

// Of two attempts that fail, the error that says more comes back: a wait that the server asked for is a
// floor, and the end of the time must not hide a 429.
func TestHedgeKeepsTheTellingFailure(t *testing.T) {
	limited := trysail.RateLimited(errDown, time.Minute)
	errSame := trysail.RateLimited(errors.New("same"), time.Minute)
	for name, tc := range map[string]struct {
		runners []runner
		attempt time.Duration
		class   trysail.Class
		after   time.Duration
		also    error
		not     error
	}{
		"the first asked for a longer wait": {[]runner{{3 * time.Second, limited}, {8 * time.Second, errDown}}, 0, trysail.ClassRateLimited, time.Minute, errDown, nil},
		"the last did":                      {[]runner{{3 * time.Second, errDown}, {8 * time.Second, limited}}, 0, trysail.ClassRateLimited, time.Minute, errDown, nil},
		"the other never answered":          {[]runner{{3 * time.Second, limited}, {time.Hour, nil}}, 10 * time.Second, trysail.ClassRateLimited, time.Minute, trysail.ErrAttemptTimeout, nil},
		"the time ran out":                  {[]runner{{3 * time.Second, errDown}, {time.Hour, nil}}, 10 * time.Second, trysail.ClassTransient, 0, errDown, nil},
		"both asked for the same":           {[]runner{{3 * time.Second, errSame}, {8 * time.Second, limited}}, 0, trysail.ClassRateLimited, time.Minute, errDown, errSame},
	} {
		bubble(t, name, func(t *testing.T) {
			policy := hedging(after2s())
			policy.Attempt = tc.attempt
			op := newOperation(t, policy)
			_, _, err := raced(t, op, tc.runners...)
			var e *trysail.Error
			if !errors.As(err, &e) || e.Class != tc.class || e.RetryAfter != tc.after || !errors.Is(err, tc.also) || tc.not != nil && errors.Is(err, tc.not) {
				t.Errorf("raced() = %v, want class %v with a wait of %v, %v in it and %v not", err, tc.class, tc.after, tc.also, tc.not)
			}
		})
	}
}
