package trysail_test

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// The flags of the simulation. One seed prints its plan and what happened:
//
//	go test -run 'TestFleet$' -fleet.seed=17 -v .
var (
	fleetSeed  = flag.Uint64("fleet.seed", 0, "the one seed that the simulation of a fleet runs, and prints")
	fleetSeeds = flag.Uint64("fleet.seeds", 60, "how many seeds the simulation of a fleet runs, from 1 on")
)

// TestFleet lets callers with policies of all kinds loose on a provider that falls ill in all
// kinds of ways and gets well again, in a bubble and so in no time. Whatever happens:
//
//   - every call returns within what its policy allows, and nothing is left when all have;
//   - when the provider is well, each breaker closes within its open time, the time of its probes and
//     a second, and lets all calls through after its ramp;
//   - when the provider is well, each throttle stops dropping; before, it drops at most MaxShare;
//   - retries and hedges <= Share·calls + Floor·t + Floor·Window, for all that share a budget;
//   - each of these holds while Register and Apply change the policies: a call has the attempts, waits, time limits
//     and the budget that it began with; what calls share is bounded by the policies that they meet there;
//   - an adaptive limit stays between MinConcurrent and MaxConcurrent;
//   - the context of an answer that goes on lives until its permit is given back;
//   - the observer hears of every call, attempt, hedge and transition, once and in order;
//   - what the provider has seen agrees with the metrics, and so does what the callers got;
//   - a breaker that refuses a share of the calls lets about the others through, and closes as soon as any other;
//   - at once there are never more probes than HalfOpenMaxCalls, none of them keeps its place longer than
//     ProbeTimeout, and never more calls than MaxConcurrent or the limiter's rate allow.
//
// A seed fixes the plan: phases, policies, when calls are made and what each attempt meets. It
// does not fix the engine's own jitter, nor which of two goroutines goes first in the same
// nanosecond: a failure that depends on them may need -count.
func TestFleet(t *testing.T) {
	if *fleetSeed != 0 {
		synctest.Test(t, func(t *testing.T) { newFleet(t, *fleetSeed).run(true) })
		return
	}
	var failed atomic.Int64
	for seed := uint64(1); seed <= *fleetSeeds; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			if failed.Load() >= 5 {
				t.Fatal("not run: five seeds have failed, which is enough to think about")
			}
			synctest.Test(t, func(t *testing.T) { newFleet(t, seed).run(false) })
			if t.Failed() {
				failed.Add(1)
			}
		})
	}
}

// A fleet is a plan come to life.
type fleet struct {
	t        *testing.T
	plan     *fleetPlan
	start    time.Time
	provider *fleetProvider
	budgets  []*trysail.RetryBudget
	ops      []*fleetOperation

	calls sync.WaitGroup
	over  chan struct{} // closed when no more calls are to be made
	bail  context.Context
	stop  context.CancelFunc // ends bail, which ends what is wedged

	mu       sync.Mutex // guards what follows
	timeline []string
	blamed   int
}

// A fleetOperation is an operation and what its callers got.
type fleetOperation struct {
	*operationPlan
	number       int
	op           *trysail.Operation
	orchestrator *trysail.Orchestrator
	epochs       epochs

	early   atomic.Int64 // calls from before the provider was well, or the policy the last one
	holds   atomic.Int64 // permits that are kept
	settled atomic.Bool  // from now on nothing may be refused

	made, succeeded, rejected, throttled, full, limited, unstarted, panicked atomic.Uint64

	heard heard // guarded by the fleet's mutex
}

// heard is what the observer heard of an operation.
type heard struct {
	calls, successes, attempts, hedges, retries, leaked uint64
	to                                                  [trysail.MetricsOnly + 1]uint64 // transitions
	generation                                          uint64
}

func newFleet(t *testing.T, seed uint64) *fleet {
	f := &fleet{t: t, plan: newFleetPlan(seed), start: time.Now(), over: make(chan struct{})}
	f.bail, f.stop = context.WithCancel(t.Context())
	f.provider = &fleetProvider{plan: f.plan, start: f.start, blame: f.blame, accounts: make([]fleetAccount, len(f.plan.budgets))}
	for _, cfg := range f.plan.budgets {
		b, err := trysail.NewRetryBudget(cfg)
		if err != nil {
			t.Fatal(err)
		}
		f.budgets = append(f.budgets, b)
	}
	var shared [4]*trysail.Orchestrator
	for i, o := range f.plan.operations {
		f.ops = append(f.ops, f.operation(i, o, &shared))
		f.provider.books = append(f.provider.books, ledger{visits: map[*visit]bool{}, under: map[*fleetCall]bool{}})
	}
	return f
}

// operation makes an operation, in one of the orchestrators that several share or in its own.
func (f *fleet) operation(number int, o *operationPlan, shared *[4]*trysail.Orchestrator) *fleetOperation {
	which := o.orchestrator
	cfg := trysail.Config{}
	if o.watched {
		which += 2
		cfg.Observer, cfg.ObserveCalls = observer(f.observe), o.told
	}
	policy, name := f.under(o.policy, o.budget), fmt.Sprint("op", number)
	made := &fleetOperation{operationPlan: o, number: number}
	if o.applied {
		cfg.Default = policy
		made.orchestrator = newOrchestrator(f.t, cfg)
		made.op = made.orchestrator.Operation(name)
	} else {
		if shared[which] == nil {
			shared[which] = newOrchestrator(f.t, cfg)
		}
		made.orchestrator = shared[which]
		var err error
		if made.op, err = made.orchestrator.Register(name, trysail.OperationConfig{Policy: policy}); err != nil {
			f.t.Fatalf("%v\n%v", err, f.plan)
		}
	}
	made.epochs.begin(made.op, o.budget, func() {})
	return made
}

// longest is how long a call of that habit that began then may have taken by now, its waits at the gates included.
func (o *fleetOperation) longest(h habit, began time.Time) time.Duration {
	met := o.epochs.since(began) // the gates, and what Hedged looks at with every attempt
	wait := most(met, func(p *trysail.Policy) time.Duration { return p.Limiter.MaxWait }) +
		most(met, func(p *trysail.Policy) time.Duration { return p.Bulkhead.MaxWait })
	return wait + most(o.epochs.at(began), func(p *trysail.Policy) time.Duration {
		attempt := max(patience, deafFor)
		if p.Attempt > 0 {
			attempt = max(p.Attempt, deafFor)
		}
		if o.hedged {
			attempt = hedged(attempt, met)
		}
		d := time.Duration(tries(p))*attempt + p.Retry.DelayBudget
		if p.Total > 0 && h != streaming { // of which Total bounds the wait only
			d = min(d, p.Total+deafFor)
		}
		return d
	})
}

// hedged is how long an attempt may take whose runs may take so long, one after the other.
func hedged(attempt time.Duration, met []epoch) time.Duration {
	before := most(met, func(p *trysail.Policy) time.Duration { return p.Hedge.After }) // each of them
	if most(met, func(p *trysail.Policy) float64 { return p.Hedge.Percentile }) > 0 {
		before = attempt
	}
	for range most(met, func(p *trysail.Policy) int { return p.Hedge.Max }) {
		attempt += before
	}
	return attempt
}

// tries is how often a call may be tried.
func tries(p *trysail.Policy) int {
	if p.Retry.Disabled {
		return 1
	}
	n := p.Retry.Attempts
	for _, row := range p.Retry.Classes {
		n = max(n, row.Attempts)
	}
	return n
}

// run makes the plan happen, and prints it when something was wrong or somebody wants to see it.
func (f *fleet) run(print bool) {
	defer f.stop()
	var recovered, callers sync.WaitGroup
	for _, o := range f.ops {
		for i, c := range o.callers {
			callers.Go(func() { f.caller(o, i, c) })
		}
		callers.Go(func() { // traffic, as long as a breaker may need some to close
			f.sleepUntil(f.plan.heal)
			f.caller(o, len(o.callers), callerPlan{every: steady})
		})
		for _, c := range o.changes {
			callers.Go(func() { f.change(o, c) })
		}
		recovered.Go(func() { f.recover(o) })
	}
	f.watch(&recovered)
	close(f.over)
	callers.Wait()
	f.wait(&f.calls, "calls")
	time.Sleep(patience + deafFor) // until those have ended who do not know that they have lost
	synctest.Wait()
	f.balance()
	if print || f.t.Failed() {
		f.t.Logf("%v\nwhat happened:\n%v", f.plan, strings.Join(f.timeline, "\n"))
	}
}
