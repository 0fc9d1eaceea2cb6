package model_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trysail-go/trysail"
)

// Numbers of a user's own size: the model must hold for production durations.
const (
	threshold = 3
	recovery  = time.Minute
)

// breakerModel is the consecutive rule as one would write it down: one thing at a time, and no atomics.
type breakerModel struct {
	op *trysail.Operation

	state      trysail.State
	failures   int
	until      time.Time // of an open breaker
	generation int
	probing    bool
	held       []*call
}

// A call is one that is under way.
type call struct {
	permit     *trysail.Permit
	generation int
	probe      bool
}

func TestBreakerAgreesWithModel(t *testing.T) {
	play(t, func(t *rapid.T) {
		orc, err := trysail.New(trysail.Config{Default: trysail.Policy{Breaker: trysail.BreakerPolicy{
			FailureThreshold: threshold, RecoveryTimeout: recovery, HalfOpenMaxCalls: 1, ProbeTimeout: time.Hour,
		}}})
		if err != nil {
			t.Fatal(err)
		}
		m := &breakerModel{op: orc.Operation("chat"), state: trysail.Closed}
		t.Repeat(map[string]func(*rapid.T){
			"begin":   func(t *rapid.T) { m.begin(t) },
			"succeed": func(t *rapid.T) { m.end(t, nil) },
			"fail":    func(t *rapid.T) { m.end(t, trysail.Transient(errors.New("busy"))) },
			"neutral": func(t *rapid.T) { m.end(t, trysail.Permanent(errors.New("wrong"))) },
			"wait": func(t *rapid.T) {
				time.Sleep(rapid.SampledFrom([]time.Duration{1, time.Second, recovery - 1, recovery}).Draw(t, "time"))
			},
			"reset": func(*rapid.T) { m.op.Breaker().Reset("by hand"); m.become(trysail.Closed) },
			"":      m.check,
		})
		for _, c := range m.held {
			c.permit.Done(nil)
		}
	})
}

// become enters a state; what began before does not count any more.
func (m *breakerModel) become(s trysail.State) {
	m.state, m.failures, m.probing = s, 0, false
	m.generation++
	if s == trysail.Open {
		m.until = time.Now().Add(recovery)
	}
}

// advance is what time does.
func (m *breakerModel) advance() {
	if m.state == trysail.Open && !time.Now().Before(m.until) {
		m.become(trysail.HalfOpen)
	}
}

func (m *breakerModel) begin(t *rapid.T) {
	m.advance()
	admitted := m.state == trysail.Closed || m.state == trysail.HalfOpen && !m.probing
	permit, err := m.op.Acquire(context.Background())
	if (err == nil) != admitted {
		t.Fatalf("Acquire() = %v in state %v with a probe under way: %t", err, m.state, m.probing)
	}
	if !admitted {
		if !errors.Is(err, trysail.ErrOpen) {
			t.Fatalf("Acquire() = %v, want %v", err, trysail.ErrOpen)
		}
		return
	}
	c := &call{permit: permit, generation: m.generation, probe: m.state == trysail.HalfOpen}
	m.probing = m.probing || c.probe
	m.held = append(m.held, c)
}

func (m *breakerModel) end(t *rapid.T, err error) {
	if len(m.held) == 0 {
		return
	}
	m.advance()
	i := rapid.IntRange(0, len(m.held)-1).Draw(t, "which")
	c := m.held[i]
	m.held = append(m.held[:i], m.held[i+1:]...)
	c.permit.Done(err)
	if c.generation != m.generation {
		return
	}
	neutral := err != nil && trysail.Classify(err) == trysail.ClassPermanent
	switch {
	case c.probe && neutral:
		m.probing = false
	case neutral:
	case c.probe && err == nil:
		m.become(trysail.Closed)
	case c.probe:
		m.become(trysail.Open)
	case err == nil:
		m.failures = 0
	default:
		if m.failures++; m.failures == threshold {
			m.become(trysail.Open)
		}
	}
}

func (m *breakerModel) check(t *rapid.T) {
	m.advance()
	s := m.op.Breaker().Snapshot()
	if s.State != m.state || m.state == trysail.Closed && s.Failures != m.failures {
		t.Fatalf("the breaker is %v after %d failures in a row, the model %v after %d", s.State, s.Failures, m.state, m.failures)
	}
}
