package model_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/trysail-go/trysail"
)

// An adaptiveMachine drives an operation with an adaptive bulkhead beside a search. Calls run until the machine, a limit or
// the caller ends them, so that their lengths and ends are drawn step by step.
type adaptiveMachine struct {
	*callers
	orc   *trysail.Orchestrator
	op    *trysail.Operation
	calls map[int]*running
	model search
	limit trysail.Policy // its Attempt or its Total is that of all policies, or neither is given
}

// A running call is one that ends with what is sent to outcome, and says in over what Do returned.
type running struct{ outcome, over chan error }

// The limits differ, and one of a policy is the same for the whole history: calls that end in the same instant began in the
// same instant, then, and which of them is first does not matter.
const (
	limitOfAll     = 10 * time.Second
	deadlineOfSome = 4 * time.Second
)

func TestAdaptiveLimitAgreesWithModel(t *testing.T) {
	play(t, func(t *rapid.T) {
		m := newAdaptiveMachine(t)
		defer m.home()
		t.Repeat(map[string]func(*rapid.T){
			"call":  func(t *rapid.T) { m.begin(t) },
			"calls": m.crowd,
			"end":   m.endOne,
			"ends":  m.endAll,
			"round": m.round,
			"leave": m.giveUp,
			"apply": func(t *rapid.T) { m.apply(t, m.draw(t)) },
			"turn":  m.turn,
			"wait":  m.pass,
			"":      m.check,
		})
	})
}

func newAdaptiveMachine(t *rapid.T) *adaptiveMachine {
	m := &adaptiveMachine{callers: newCallers(), calls: map[int]*running{}, model: search{
		hall: hall{inside: map[int]bool{}, verdicts: map[int]verdict{}}, guests: map[int]*guest{},
	}}
	switch pick(t, "limit", "none", "of attempts", "of calls") {
	case "of attempts":
		m.limit.Attempt = limitOfAll
	case "of calls":
		m.limit.Total = limitOfAll
	}
	policy := m.draw(t)
	orc, err := trysail.New(trysail.Config{Default: policy})
	if err != nil {
		t.Fatal(err)
	}
	m.orc, m.op = orc, orc.Operation("chat")
	m.model.adopt(policy)
	return m
}

// draw draws a policy. Nobody waits where calls have a limit of their own, because a wait might end in the very moment in
// which a call does.
func (m *adaptiveMachine) draw(t *rapid.T) trysail.Policy {
	p := m.limit
	p.Retry.Disabled, p.Breaker.Disabled = true, true
	p.Bulkhead = trysail.BulkheadPolicy{
		MaxConcurrent: pick(t, "most places", 1, 2, 3, 4, 5, 20, 25, 500),
		MaxQueue:      pick(t, "queue", 0, 0, 2, 5),
		MaxWait:       time.Hour,
		Adaptive:      pick(t, "adaptive", true, true, true, true, false),
		Disabled:      pick(t, "disabled", false, false, false, false, false, true),
	}
	if p.Total > 0 {
		p.Bulkhead.MaxQueue = 0
	}
	if p.Bulkhead.Adaptive {
		p.Bulkhead.MinConcurrent = min(pick(t, "fewest places", 1, 2, 2, 4, 170, 340), p.Bulkhead.MaxConcurrent)
	}
	return p
}

// begin has a call come. It returns its number.
func (m *adaptiveMachine) begin(t *rapid.T) int {
	id := len(m.leave)
	g := &guest{lasts: m.limit.Attempt + m.limit.Total, deaf: pick(t, "deaf", false, false, false, true)}
	patience := time.Duration(0)
	if pick(t, "in a hurry", false, false, true) && m.model.taken() < m.model.places() && !m.clashes(m.now()+deadlineOfSome) {
		patience = deadlineOfSome
		g.lasts, g.own = patience, true
	}
	m.model.guests[id] = g
	m.calls[id] = &running{make(chan error, 1), make(chan error, 1)}
	m.model.arrive(id, trysail.PriorityInteractive, patience)
	m.call(context.Background(), id, patience, func(ctx context.Context) error { return m.calls[id].run(ctx, m.op, g.deaf) })
	return id
}

// clashes reports whether a limit ends another call at that instant.
func (m *adaptiveMachine) clashes(at time.Duration) bool {
	for id := range m.model.inside {
		if m.model.until(id) == at {
			return true
		}
	}
	return false
}

// run returns when the call has begun, or with the reason why it does not.
func (c *running) run(ctx context.Context, op *trysail.Operation, deaf bool) error {
	began := make(chan struct{})
	go func() {
		_, err := trysail.Do(ctx, op, func(ctx context.Context) (int, error) {
			close(began)
			ended := ctx.Done()
			if deaf {
				ended = nil
			}
			select {
			case outcome := <-c.outcome:
				return 1, outcome
			case <-ended:
				return 0, ctx.Err()
			}
		})
		c.over <- err
	}()
	select {
	case <-began:
		return nil
	case err := <-c.over:
		return err
	}
}

// crowd has several calls come.
func (m *adaptiveMachine) crowd(t *rapid.T) {
	for range rapid.IntRange(2, 9).Draw(t, "number") {
		m.begin(t)
	}
}

// inside returns the calls that run, the oldest first.
func (m *adaptiveMachine) inside() []int { return slices.Sorted(maps.Keys(m.model.inside)) }

func drawOutcome(t *rapid.T) error {
	return pick(t, "outcome", nil, nil, nil, nil, errBusy, errWrong, trysail.RateLimited(errBusy, 0), trysail.Unavailable(errBusy),
		trysail.WithClass(errBusy, trysail.ClassBadAnswer, 0), trysail.WithClass(errBusy, trysail.ClassQuotaExhausted, 0))
}

func (m *adaptiveMachine) end(t *rapid.T, id int, outcome error) {
	m.calls[id].outcome <- outcome
	synctest.Wait()
	err := m.ended(t, id)
	if (err == nil) != (outcome == nil) || !errors.Is(err, outcome) {
		t.Fatalf("call %d: Do() = %v, want %v", id, err, outcome)
	}
	m.model.over(id, outcome)
}

// ended returns what Do has returned.
func (m *adaptiveMachine) ended(t *rapid.T, id int) error {
	select {
	case err := <-m.calls[id].over:
		return err
	default:
		t.Fatalf("call %d has not ended; in the model it has, at %v", id, m.model.now)
		return nil
	}
}

func (m *adaptiveMachine) endOne(t *rapid.T) {
	if inside := m.inside(); len(inside) > 0 {
		m.end(t, rapid.SampledFrom(inside).Draw(t, "which"), drawOutcome(t))
	}
}

// endAll ends the calls that run, one after the other and all alike.
func (m *adaptiveMachine) endAll(t *rapid.T) {
	outcome := drawOutcome(t)
	for _, id := range m.inside() {
		m.end(t, id, outcome)
	}
}

// round makes calls that end at once, beside those that run, and mostly succeed.
func (m *adaptiveMachine) round(t *rapid.T) {
	for range rapid.IntRange(1, 9).Draw(t, "number") {
		if id := m.begin(t); m.model.verdicts[id].why == "in" {
			m.end(t, id, pick(t, "outcome", nil, nil, nil, nil, nil, trysail.RateLimited(errBusy, 0)))
		}
	}
}

// giveUp has a caller leave, who waits or whose call runs. A deaf call runs on.
func (m *adaptiveMachine) giveUp(t *rapid.T) {
	inside, waiting := m.inside(), len(m.model.line)
	if len(inside)+waiting == 0 {
		return
	}
	i := rapid.IntRange(0, len(inside)+waiting-1).Draw(t, "which")
	if i < waiting {
		m.leave[m.model.line[i].id]()
		m.model.give(i, gone)
		return
	}
	id := inside[i-waiting]
	g := m.model.guests[id]
	if g.lasts > 0 && m.now() >= m.model.verdicts[id].at+g.lasts {
		return // it has been told to end already
	}
	m.leave[id]()
	synctest.Wait()
	if g.gone = true; g.deaf {
		return
	}
	if err := m.ended(t, id); !errors.Is(err, context.Canceled) {
		t.Fatalf("call %d: Do() = %v, want %v", id, err, context.Canceled)
	}
	m.model.over(id, context.Canceled)
}

// turn makes adaptive places fixed, and mostly adaptive again at once, or fixed ones adaptive, and changes nothing else. Or a
// search goes on that may find fewer places.
func (m *adaptiveMachine) turn(t *rapid.T) {
	p := m.model.policy
	if p.Bulkhead.Adaptive && pick(t, "begin anew", false, true) {
		p.Bulkhead.Adaptive, p.Bulkhead.MinConcurrent = false, 0
		m.apply(t, p)
		if pick(t, "stay fixed", false, false, true) {
			return
		}
	}
	p.Bulkhead.Adaptive, p.Bulkhead.MinConcurrent = true, 1
	m.apply(t, p)
}

func (m *adaptiveMachine) apply(t *rapid.T, p trysail.Policy) {
	if _, err := m.orc.Apply(trysail.Config{Default: p}); err != nil {
		t.Fatal(err)
	}
	m.model.adopt(p)
}

func (m *adaptiveMachine) pass(t *rapid.T) {
	_, due := m.model.nextEnd()
	d := nextTime(t, due, m.model.now, 1, time.Second, 20*time.Second)
	time.Sleep(d)
	synctest.Wait()
	for _, id := range m.model.elapse(m.model.now+d, context.DeadlineExceeded) {
		err, own := m.ended(t, id), m.model.guests[id].own
		late := errors.Is(err, trysail.ErrAttemptTimeout) || errors.Is(err, trysail.ErrTotalTimeout)
		if !errors.Is(err, context.DeadlineExceeded) || late == own {
			t.Fatalf("call %d: Do() = %v after the limit; it is the caller's: %t", id, err, own)
		}
	}
}

func (m *adaptiveMachine) check(t *rapid.T) {
	m.agree(t, m.model.verdicts)
	m.model.compare(t, m.op)
}

// home also ends those who do not heed that their callers leave.
func (m *adaptiveMachine) home() {
	m.callers.home()
	for _, c := range m.calls {
		close(c.outcome)
	}
	synctest.Wait()
}
