package model_test

import (
	"cmp"
	"context"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trysail-go/trysail"
)

// A callsMachine drives calls of an operation with a limiter beside a bucket, of which each takes a unit.
type callsMachine struct {
	*callers
	orc    *trysail.Orchestrator
	op     *trysail.Operation
	policy trysail.Policy
	model  bucket // by the last policy that had a limit
}

func TestLimitedCallsAgreeWithModel(t *testing.T) {
	play(t, func(t *rapid.T) {
		m := newCallsMachine(t)
		defer m.home()
		t.Repeat(map[string]func(*rapid.T){
			"call":    m.begin,
			"leave":   m.giveUp,
			"apply":   m.apply,
			"breaker": func(t *rapid.T) { m.turn(pick(t, "shut", false, false, true)) },
			"wait":    m.pass,
			"":        m.check,
		})
	})
}

func (m *callsMachine) draw(t *rapid.T) (rate, burst int64) {
	rate, burst = pick[int64](t, "rate", 3, 6, 24), pick[int64](t, "burst", 1, 2, 5)
	m.policy = trysail.Policy{
		Total: pick(t, "total", 0, 0, time.Second),
		Limiter: trysail.LimiterPolicy{
			Rate: perSecond(rate), Burst: float64(burst),
			MaxWait:  pick(t, "longest wait", 0, 2*time.Second, 10*time.Second),
			Disabled: pick(t, "disabled", false, false, false, false, true),
		},
		Retry: trysail.RetryPolicy{Disabled: true},
	}
	return rate, burst
}

// newCallsMachine begins with a limit, because a limiter is made when there is one for the first time.
func newCallsMachine(t *rapid.T) *callsMachine {
	m := &callsMachine{callers: newCallers(), model: bucket{verdicts: map[int]verdict{}}}
	m.model.rate, m.model.burst = m.draw(t)
	m.policy.Limiter.Disabled = false
	m.model.maxWait, m.model.level = m.policy.Limiter.MaxWait, m.model.depth()
	orc, err := trysail.New(trysail.Config{Default: m.policy})
	if err != nil {
		t.Fatal(err)
	}
	m.orc, m.op = orc, orc.Operation("chat")
	return m
}

func (m *callsMachine) begin(t *rapid.T) {
	id := len(m.leave)
	patience := pick(t, "patience", 0, 0, 500*time.Millisecond, 5*time.Second, max(m.model.due(m.model.line, unit)-m.model.now, 1))
	switch least := min(cmp.Or(patience, forever), cmp.Or(m.policy.Total, forever)); {
	case m.model.shut:
		m.model.verdicts[id] = verdict{at: m.model.now, why: open}
	case m.policy.Limiter.Disabled:
		m.model.verdicts[id] = verdict{at: m.model.now, why: "in"}
	default:
		m.model.arrive(id, unit, least)
	}
	m.call(context.Background(), id, patience, func(ctx context.Context) error {
		_, err := trysail.Do(ctx, m.op, func(context.Context) (int, error) { return 1, nil })
		return err
	})
}

func (m *callsMachine) giveUp(t *rapid.T) {
	if len(m.model.line) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.model.line)-1).Draw(t, "which")
	m.leave[m.model.line[i].id]()
	m.model.give(i)
}

// apply changes the policy. Who waits when there is no limit any more is served as before.
func (m *callsMachine) apply(t *rapid.T) {
	rate, burst := m.draw(t)
	if _, err := m.orc.Apply(trysail.Config{Default: m.policy}); err != nil {
		t.Fatal(err)
	}
	if !m.policy.Limiter.Disabled {
		m.model.maxWait = m.policy.Limiter.MaxWait
		m.model.turnTo(rate, burst)
	}
}

// turn shuts the breaker's door, or opens it again. Who is refused there has used nothing of the rate.
func (m *callsMachine) turn(shut bool) {
	m.model.shut = shut
	if shut {
		m.op.Breaker().ForceOpen(trysail.Override{})
	} else {
		m.op.Breaker().Close(trysail.Override{})
	}
}

func (m *callsMachine) pass(t *rapid.T) {
	d := nextTime(t, m.model.next(), m.model.now, 1, 300*time.Millisecond, 3*time.Second, 30*24*time.Hour)
	time.Sleep(d)
	m.model.pass(m.model.now + d)
}

func (m *callsMachine) check(t *rapid.T) {
	m.agree(t, m.model.verdicts)
	got, ok := m.op.Limiter()
	if ok == m.policy.Limiter.Disabled {
		t.Fatalf("Limiter() = %+v, %t while disabled is %t", got, ok, m.policy.Limiter.Disabled)
	}
	if ok {
		m.model.compare(t, got, m.start)
	}
	var want trysail.OperationMetrics
	for _, v := range m.model.verdicts {
		want.Calls++
		switch v.why {
		case "in":
			want.Succeeded++
			continue
		case limited:
			want.Limited++
		case open:
			want.Rejected++
		case gone:
			want.Canceled++
		}
		want.Failed++
	}
	if got := counted(m.op); got != want {
		t.Fatalf("Metrics() = %+v, want %+v", got, want)
	}
}
