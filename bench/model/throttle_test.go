package model_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trysail-go/trysail"
)

// A throttleModel is a list of the calls that have said something, the dropped ones included. The window is cut into
// twelfths, counted from the first instant of the orchestrator, which is number 1: it holds that of now and the eleven before.
type throttleModel struct {
	policy  trysail.ThrottlePolicy
	said    []word
	dropped uint64
}

type word struct {
	at    time.Duration
	taken bool
}

func (m *throttleModel) snapshot(now time.Duration) (s trysail.ThrottleSnapshot) {
	twelfth := func(at time.Duration) int64 { return int64((at + 1) / (m.policy.Window / 12)) }
	for _, w := range m.said {
		if twelfth(now)-twelfth(w.at) < 12 {
			s.Calls++
			if w.taken {
				s.Taken++
			}
		}
	}
	if made := float64(s.Calls); s.Calls >= m.policy.MinCalls {
		s.Share = min(max((made-m.policy.Factor*float64(s.Taken))/(made+1), 0), m.policy.MaxShare)
	}
	s.Dropped = m.dropped
	return s
}

// A throttleMachine drives an operation with a throttle beside the model. Whether a call is dropped is chance, where the share is
// neither 0 nor 1; the model is told.
type throttleMachine struct {
	start  time.Time
	orc    *trysail.Orchestrator
	op     *trysail.Operation
	model  throttleModel
	counts trysail.OperationMetrics
}

func TestThrottleAgreesWithModel(t *testing.T) {
	play(t, func(t *rapid.T) {
		m := &throttleMachine{start: time.Now()}
		orc, err := trysail.New(m.draw(t))
		if err != nil {
			t.Fatal(err)
		}
		m.orc, m.op = orc, orc.Operation("chat")
		t.Repeat(map[string]func(*rapid.T){"call": m.call, "calls": m.call, "apply": m.apply, "wait": m.wait, "": m.check})
	})
}

func (m *throttleMachine) draw(t *rapid.T) trysail.Config {
	m.model.policy = trysail.ThrottlePolicy{
		Factor: pick(t, "factor", 1.05, 2), MinCalls: pick(t, "fewest calls", 1, 4), MaxShare: pick(t, "largest share", 0.5, 0.9),
		Window: pick(t, "window", time.Minute, time.Minute, time.Hour),
	}
	return trysail.Config{Default: trysail.Policy{
		Throttle: m.model.policy, Retry: trysail.RetryPolicy{Disabled: true}, Breaker: trysail.BreakerPolicy{Disabled: true},
	}}
}

func (m *throttleMachine) now() time.Duration { return time.Since(m.start) }

func (m *throttleMachine) call(t *rapid.T) {
	outcome := pick(t, "outcome", nil, errWrong, errBusy, trysail.Unavailable(errBusy), context.Canceled)
	dropping := m.model.snapshot(m.now()).Share > 0
	_, err := trysail.Do(context.Background(), m.op, func(context.Context) (int, error) { return 1, outcome })
	if errors.Is(err, trysail.ErrThrottled) {
		if !dropping || trysail.Classify(err) != trysail.ClassOverloaded {
			t.Fatalf("Do() = %v while the share to drop is above 0: %t", err, dropping)
		}
		m.model.dropped++
		m.counts.Throttled++
		m.counts.Failed++
		m.model.said = append(m.model.said, word{m.now(), false})
		return
	}
	switch {
	case !errors.Is(err, outcome):
		t.Fatalf("Do() = %v, want %v", err, outcome)
	case outcome == nil:
		m.counts.Succeeded++
	case errors.Is(outcome, context.Canceled): // the caller has left, and says nothing about the load
		m.counts.Failed++
		m.counts.Canceled++
		return
	default:
		m.counts.Failed++
	}
	m.model.said = append(m.model.said, word{m.now(), outcome == nil || errors.Is(outcome, errWrong)})
}

// apply changes the policy. A window of another length begins empty.
func (m *throttleMachine) apply(t *rapid.T) {
	before := m.model.policy.Window
	if _, err := m.orc.Apply(m.draw(t)); err != nil {
		t.Fatal(err)
	}
	if m.model.policy.Window != before {
		m.model.said = nil
	}
}

// wait lets time pass: often until just before the next twelfth begins, or until it does.
func (m *throttleMachine) wait(t *rapid.T) {
	w, now := m.model.policy.Window/12, m.now()
	time.Sleep(nextTime(t, now+w-(now+1)%w, now, 1, w-1, w, 11*w, 12*w))
}

func (m *throttleMachine) check(t *rapid.T) {
	if got, ok := m.op.Throttle(); !ok || got != m.model.snapshot(m.now()) {
		t.Fatalf("Throttle() = %+v, %t; want %+v", got, ok, m.model.snapshot(m.now()))
	}
	want := m.counts
	want.Calls = want.Succeeded + want.Failed
	if got := counted(m.op); got != want {
		t.Fatalf("Metrics() = %+v, want %+v", got, want)
	}
}
