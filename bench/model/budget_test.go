package model_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/trysail-go/trysail"
)

// A budgetMachine drives the operations of two orchestrators, which share a budget, beside a purse. Only the waits
// before retries overlap.
type budgetMachine struct {
	start   time.Time
	budget  *trysail.RetryBudget
	users   []*user
	waiting []*patient // the first one began first
	model   purse
}

// A user is an operation that uses the budget, and what its counters must be.
type user struct {
	op     *trysail.Operation
	cost   trysail.Cost
	counts trysail.OperationMetrics
}

// mostAttempts and hedgeAfter are those of the operations.
const (
	mostAttempts = 4
	hedgeAfter   = 2 * time.Second
	longestWait  = 10 * time.Minute
)

func TestRetryBudgetAgreesWithModel(t *testing.T) {
	play(t, func(t *rapid.T) {
		m := newBudgetMachine(t)
		defer m.home()
		t.Repeat(map[string]func(*rapid.T){
			"call":   m.call,
			"begin":  m.begin,
			"leave":  m.leave,
			"hedge":  m.hedge,
			"refuse": m.refuse,
			"wait":   m.wait,
			"":       m.check,
		})
	})
}

func newBudgetMachine(t *rapid.T) *budgetMachine {
	m := &budgetMachine{start: time.Now(), model: purse{last: -1, cfg: trysail.RetryBudgetConfig{
		Share: pick(t, "share", 0.1, 0.5, 1), Floor: pick[trysail.Rate](t, "floor", 0.02, 0.05),
		Window:    pick(t, "window", time.Minute, 64*time.Second+1),
		CostShare: pick(t, "share of the cost", 0.25, 1), CostReserve: pick[trysail.Cost](t, "reserve", 0, 10),
	}}}
	var err error
	if m.budget, err = trysail.NewRetryBudget(m.model.cfg); err != nil {
		t.Fatal(err)
	}
	for _, cost := range []trysail.Cost{0, 4} {
		orc, err := trysail.New(trysail.Config{Default: trysail.Policy{
			Retry: trysail.RetryPolicy{
				Attempts: mostAttempts, Backoff: trysail.BackoffNone, NoJitter: true, DelayBudget: time.Hour, Budget: m.budget, Cost: cost,
			},
			Breaker: trysail.BreakerPolicy{FailureThreshold: 100},
			Hedge:   trysail.HedgePolicy{After: hedgeAfter},
		}})
		if err != nil {
			t.Fatal(err)
		}
		m.users = append(m.users, &user{op: orc.Operation("chat"), cost: cost})
		time.Sleep(time.Second) // their clocks begin at different times
	}
	return m
}

func (m *budgetMachine) now() time.Duration { return time.Since(m.start) }

// home sends those home who wait, so that the next history begins with nobody.
func (m *budgetMachine) home() {
	for _, p := range m.waiting {
		p.leave()
	}
	synctest.Wait()
}

// ask asks the model for another attempt.
func (m *budgetMachine) ask(now time.Duration, u *user) *spending {
	e := m.model.allow(now, u.cost)
	if e == nil {
		u.counts.Denied++
	}
	return e
}

var (
	errBusy  = errors.New("busy")
	errWrong = trysail.Permanent(errors.New("wrong"))
)

// call makes a call of which some attempts fail: one after the other in the same instant.
func (m *budgetMachine) call(t *rapid.T) {
	u := rapid.SampledFrom(m.users).Draw(t, "user")
	failures, failure := rapid.IntRange(0, mostAttempts).Draw(t, "failures"), pick(t, "failure", errBusy, errBusy, errWrong)
	attempts, denied := 1, false
	m.model.begin(m.now())
	for attempts <= failures && attempts < mostAttempts && !errors.Is(failure, errWrong) {
		if denied = m.ask(m.now(), u) == nil; denied {
			break
		}
		attempts++
		u.counts.Retries++
	}
	failed := attempts <= failures
	if failed {
		u.counts.Failed++
	} else {
		u.counts.Succeeded++
		m.model.succeed(m.now(), u.cost)
	}
	made := 0
	_, err := trysail.Do(context.Background(), u.op, func(context.Context) (int, error) {
		if made++; made <= failures {
			return 0, failure
		}
		return 1, nil
	})
	var e *trysail.Error
	if made != attempts || errors.Is(err, failure) != failed || errors.Is(err, trysail.ErrBudget) != denied {
		t.Fatalf("Do() = %v after %d attempts; want an error is %t, for the budget is %t, after %d", err, made, failed, denied, attempts)
	}
	if failed && (!errors.As(err, &e) || e.Attempts != attempts || e.Class != trysail.Classify(failure)) {
		t.Fatalf("Do() = %+v, want %d attempts and the class of %v", e, attempts, failure)
	}
}

// A patient caller is in the wait before a retry.
type patient struct {
	*user
	until time.Duration // when the wait would be over
	retry *spending
	leave context.CancelFunc
	err   chan error
}

// begin begins a call that has to wait before its retry, if the budget allows one.
func (m *budgetMachine) begin(t *rapid.T) {
	u := rapid.SampledFrom(m.users).Draw(t, "user")
	m.model.begin(m.now())
	ctx, cancel := context.WithCancel(context.Background())
	p := &patient{user: u, until: m.now() + longestWait, retry: m.ask(m.now(), u), leave: cancel, err: make(chan error, 1)}
	go func() {
		_, err := trysail.Do(ctx, u.op, func(context.Context) (int, error) { return 0, trysail.RateLimited(errBusy, longestWait) })
		p.err <- err
	}()
	synctest.Wait()
	if p.retry != nil {
		m.waiting = append(m.waiting, p)
		return
	}
	cancel()
	u.counts.Failed++
	if err := <-p.err; !errors.Is(err, errBusy) || !errors.Is(err, trysail.ErrBudget) {
		t.Fatalf("Do() = %v, want both %v and %v", err, errBusy, trysail.ErrBudget)
	}
}

// leave has a caller leave who waits. His retry is not made, and uses nothing of the budget.
func (m *budgetMachine) leave(t *rapid.T) {
	if len(m.waiting) > 0 {
		m.goes(t, rapid.IntRange(0, len(m.waiting)-1).Draw(t, "which"))
	}
}

func (m *budgetMachine) goes(t *rapid.T, i int) {
	p := m.waiting[i]
	m.waiting = slices.Delete(m.waiting, i, i+1)
	p.leave()
	m.model.takeBack(p.retry)
	p.counts.Failed++
	p.counts.Canceled++
	if err := <-p.err; !errors.Is(err, errBusy) || !errors.Is(err, context.Canceled) || errors.Is(err, trysail.ErrBudget) {
		t.Fatalf("Do() = %v, want both %v and %v", err, errBusy, context.Canceled)
	}
}

// hurry has those leave whose wait would end within d.
func (m *budgetMachine) hurry(t *rapid.T, d time.Duration) {
	for len(m.waiting) > 0 && m.waiting[0].until <= m.now()+d {
		m.goes(t, 0)
	}
}

// hedge makes a call that succeeds after a while, or sooner beside a hedge.
func (m *budgetMachine) hedge(t *rapid.T) {
	u := rapid.SampledFrom(m.users).Draw(t, "user")
	first, second := pick(t, "first", time.Second, 5*time.Second), pick(t, "second", time.Second, 5*time.Second)
	m.hurry(t, first)
	now, took := m.now(), first
	m.model.begin(now)
	if first > hedgeAfter && m.ask(now+hedgeAfter, u) != nil {
		u.counts.Hedges++
		if hedged := hedgeAfter + second; hedged < first {
			took = hedged
			u.counts.HedgeWins++
		}
	}
	u.counts.Succeeded++
	m.model.succeed(now+took, u.cost)
	rivals := make(chan time.Duration, 2)
	rivals <- first
	rivals <- second
	_, err := trysail.Do(context.Background(), u.op, trysail.Hedged(u.op, func(ctx context.Context) (int, error) {
		timer := time.NewTimer(<-rivals)
		defer timer.Stop()
		select {
		case <-timer.C:
			return 1, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}))
	if got := m.now() - now; err != nil || got != took {
		t.Fatalf("Do() = %v after %v, want a success after %v", err, got, took)
	}
}

// refuse makes a call that the breaker refuses: it is none for the budget.
func (m *budgetMachine) refuse(t *rapid.T) {
	u := rapid.SampledFrom(m.users).Draw(t, "user")
	u.op.Breaker().ForceOpen(trysail.Override{})
	_, err := trysail.Do(context.Background(), u.op, func(context.Context) (int, error) { return 1, nil })
	u.op.Breaker().Close(trysail.Override{})
	u.counts.Failed++
	u.counts.Rejected++
	if !errors.Is(err, trysail.ErrOpen) {
		t.Fatalf("Do() = %v, want %v", err, trysail.ErrOpen)
	}
}

// wait lets time pass: often until just before the next twelfth begins, or until it does.
func (m *budgetMachine) wait(t *rapid.T) {
	w, now := m.model.width(), m.now()
	next := now + w - (now-m.model.origin)%w
	d := nextTime(t, next, now, 1, w-1, w, m.model.cfg.Window, 14*w-1, 14*w, time.Hour)
	m.hurry(t, d)
	time.Sleep(d)
}

func (m *budgetMachine) check(t *rapid.T) {
	if got, want := m.budget.Snapshot(), m.model.snapshot(m.now()); got != want {
		t.Fatalf("Snapshot() = %+v, want %+v", got, want)
	}
	for _, u := range m.users {
		want := u.counts
		want.Calls = want.Succeeded + want.Failed
		if got := counted(u.op); got != want {
			t.Fatalf("Metrics() = %+v, want %+v", got, want)
		}
	}
}
