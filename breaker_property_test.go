package trysail_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// Random histories must go the same way in a breaker and in the model. A seed
// that fails is in the name of its subtest; give it to -run to see it again.
func TestBreakerAgreesWithTheModel(t *testing.T) {
	for name, looks := range map[string]bool{
		"looked at whenever something is due": true, // as a busy breaker is
		"looked at only when something comes": false,
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(150) {
				bubble(t, fmt.Sprint("seed ", seed), func(t *testing.T) {
					newHistory(t, seed, looks).run(400)
				})
				if t.Failed() {
					break // one history is enough to think about
				}
			}
		})
	}
}

// A history drives a breaker and the model side by side.
type history struct {
	t     *testing.T
	rand  *rand.Rand
	looks bool
	orc   *trysail.Orchestrator
	op    *trysail.Operation
	start time.Time
	model model
	calls []running
	ids   int
	steps []string
}

// running is a call that both have admitted.
type running struct {
	real  *held
	model modelCall
}

func newHistory(t *testing.T, seed uint64, looks bool) *history {
	h := &history{t: t, rand: rand.New(rand.NewPCG(seed, 0)), looks: looks, start: time.Now()}
	policy := once()
	policy.Breaker = trysail.BreakerPolicy{
		FailureThreshold: 1 + h.rand.IntN(5),
		RecoveryTimeout:  time.Minute,
		HalfOpenMaxCalls: 1 + h.rand.IntN(10),
		ProbeTimeout:     2 * time.Minute,
	}
	h.orc = newOrchestrator(t, trysail.Config{Default: policy})
	h.op, h.model.policy = h.orc.Operation("op"), policy.Breaker
	return h
}

func (h *history) run(steps int) {
	for range steps {
		h.step()
		if !h.agree() {
			return
		}
	}
}

func (h *history) note(format string, args ...any) {
	h.steps = append(h.steps, fmt.Sprintf("%v ", h.model.now)+fmt.Sprintf(format, args...))
}

func (h *history) step() {
	switch n := h.rand.IntN(100); {
	case n < 40:
		h.begin()
	case n < 75:
		h.settle()
	case n < 96:
		h.pass()
	case n < 98:
		h.register()
	default:
		h.note("reset")
		if got, want := h.op.Breaker().Reset("test"), h.model.reset(); got != want {
			h.t.Errorf("Reset() = %v, want %v", got, want)
		}
	}
}

func (h *history) begin() {
	c, ok := h.model.admit(h.ids)
	h.ids++
	h.note("call %d, admitted: %v", c.id, ok)
	if ok {
		h.calls = append(h.calls, running{hold(h.t, h.op), c})
		return
	}
	if err := call(h.t, h.op, nil); !errors.Is(err, trysail.ErrOpen) {
		h.t.Errorf("call %d = %v, want %v", c.id, err, trysail.ErrOpen)
	}
}

func (h *history) settle() {
	if len(h.calls) == 0 {
		return
	}
	i, o := h.rand.IntN(len(h.calls)), outcome(h.rand.IntN(3))
	c := h.calls[i]
	h.calls = append(h.calls[:i], h.calls[i+1:]...)
	h.note("call %d ends: %v", c.model.id, o.err())
	h.model.settle(c.model, o)
	_ = c.real.end(o.err())
}

// pass lets time go by: often to just before, to or past what is due.
func (h *history) pass() {
	d := []time.Duration{1, time.Second, 20 * time.Second, time.Minute, 2 * time.Minute, 10 * time.Minute}[h.rand.IntN(6)]
	if at, ok := h.model.due(); ok && h.rand.IntN(2) == 0 {
		d = max(0, at-h.model.now+time.Duration(h.rand.IntN(3)-1))
	}
	h.note("%v pass", d)
	to := h.model.now + d
	for at, ok := h.model.due(); h.looks && ok && at < to; at, ok = h.model.due() {
		h.sleepUntil(at)
		_ = h.op.Breaker().State()
		h.model.pass(at)
	}
	h.sleepUntil(to)
	h.model.pass(to)
	if h.looks || h.rand.IntN(2) == 0 {
		_ = h.op.Breaker().State()
	}
}

func (h *history) sleepUntil(at time.Duration) {
	time.Sleep(at - time.Since(h.start))
	synctest.Wait()
}

// register changes the threshold and the recovery timeout on the fly.
func (h *history) register() {
	b := &h.model.policy
	b.FailureThreshold = 1 + h.rand.IntN(5)
	b.RecoveryTimeout = time.Minute + time.Duration(h.rand.IntN(2))*time.Minute
	h.note("threshold %d, recovery %v", b.FailureThreshold, b.RecoveryTimeout)
	policy := once()
	policy.Breaker = *b
	if _, err := h.orc.Register("op", trysail.OperationConfig{Policy: policy}); err != nil {
		h.t.Fatal(err)
	}
}

// agree compares breaker and model. Every second time it does so without a look
// at the breaker before the next step, because a look may change one.
func (h *history) agree() bool {
	if !h.looks && h.rand.IntN(2) == 0 {
		return !h.t.Failed()
	}
	s, m, w := h.op.Breaker().Snapshot(), h.op.Metrics(), &h.model
	got := fmt.Sprint(s.State, s.Generation, s.Failures, s.Probes, m.Opens, m.HalfOpens, m.Closes)
	want := fmt.Sprint(w.state, w.generation, w.failures, len(w.probes), w.opens, w.halfOpens, w.closes)
	until := time.Time{}
	if w.state == trysail.Open {
		until = h.start.Add(w.until).UTC()
	}
	if got != want || s.NextAttemptAt != until || h.t.Failed() {
		h.t.Errorf("state, generation, failures, probes, opens, half-opens, closes = %s until %v, want %s until %v\nafter %v",
			got, s.NextAttemptAt, want, until, h.steps[max(0, len(h.steps)-15):])
		return false
	}
	return true
}
