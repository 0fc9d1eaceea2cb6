package trysail_test

import (
	"cmp"
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
	h.orc = newOrchestrator(t, trysail.Config{Default: once()})
	h.model.policy = h.policy()
	register(t, h.orc, h.model.policy)
	h.op = h.orc.Operation("op")
	return h
}

// policy returns a policy, in every second case without rules over a window.
func (h *history) policy() trysail.BreakerPolicy {
	p := trysail.BreakerPolicy{
		FailureThreshold: 1 + h.rand.IntN(5),
		RecoveryTimeout:  time.Minute + time.Duration(h.rand.IntN(2))*time.Minute,
		HalfOpenMaxCalls: 1 + h.rand.IntN(10),
		ProbeTimeout:     2*time.Minute + time.Duration(h.rand.IntN(2))*time.Minute,
		MaxRecovery:      []time.Duration{0, 2 * time.Minute, 5 * time.Minute, 24 * time.Hour}[h.rand.IntN(4)],
		HonorRetryAfter:  h.rand.IntN(2) == 0,
		RampUp:           []time.Duration{0, 0, time.Minute}[h.rand.IntN(3)],
		Enforce:          []float64{1, 1, 0.75, 0.1}[h.rand.IntN(4)],
	}
	share := func() float64 { return []float64{0.1, 0.28, 1.0 / 3, 0.5, 0.55, 2.0 / 3, 1}[h.rand.IntN(7)] }
	if h.rand.IntN(3) == 0 {
		p.FailureRate = share()
	}
	if h.rand.IntN(3) == 0 {
		p.SlowRate, p.SlowCall = share(), []time.Duration{16 * time.Second, 80 * time.Second}[h.rand.IntN(2)]
	}
	if p.FailureRate > 0 && h.rand.IntN(3) == 0 {
		p.SlowFails, p.SlowCall = true, cmp.Or(p.SlowCall, 16*time.Second)
	}
	if p.FailureRate == 0 && p.SlowRate == 0 {
		return p
	}
	p.RatesOnly = h.rand.IntN(2) == 0
	p.Window = []time.Duration{time.Minute, 10 * time.Minute}[h.rand.IntN(2)]
	p.WindowCalls = []int{0, 0, 3, 12}[h.rand.IntN(4)]
	p.MinCalls = 1 + h.rand.IntN(cmp.Or(p.WindowCalls, 12))
	return p
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
	case n < 94:
		h.pass()
	case n < 97:
		h.register()
	default:
		h.operate()
	}
}

func (h *history) begin() {
	c, may := h.model.admit(h.ids)
	h.ids++
	begun, err := try(h.t, h.op)
	c.leaked = h.op.Metrics().Leaked != h.model.leaked
	h.note("call %d, admitted: %v, leaked: %v", c.id, err == nil, c.leaked)
	switch {
	case !may.allows(err == nil, c.leaked, h.model.policy.Enforce < 1):
		h.t.Errorf("call %d = %v, leaked: %v, want %v", c.id, err, c.leaked,
			[]string{"it refused", "it admitted", "as chance will have it", "it refused or leaked"}[may])
	case err == nil:
		h.model.begin(c)
		h.calls = append(h.calls, running{begun, c})
	case !errors.Is(err, trysail.ErrOpen):
		h.t.Errorf("call %d = %v, want %v", c.id, err, trysail.ErrOpen)
	}
}

func (h *history) settle() {
	if len(h.calls) == 0 {
		return
	}
	i, o := h.rand.IntN(len(h.calls)), outcome(h.rand.IntN(int(outcomes)))
	c := h.calls[i]
	h.calls = append(h.calls[:i], h.calls[i+1:]...)
	h.note("call %d ends: %v", c.model.id, o.err())
	h.model.settle(c.model, o)
	_ = c.real.end(o.err())
}

// pass lets time go by: often to just before, to or past what is due.
func (h *history) pass() {
	d := []time.Duration{
		1, time.Second, 5 * time.Second, 17 * time.Second, 20 * time.Second, time.Minute, 85 * time.Second, 2 * time.Minute, 10 * time.Minute,
	}[h.rand.IntN(9)]
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

// register changes the policy on the fly: all of it, or a few thresholds.
func (h *history) register() {
	p := h.policy()
	if h.rand.IntN(2) == 0 {
		few := h.model.policy
		few.FailureThreshold, few.HalfOpenMaxCalls, few.MaxRecovery = p.FailureThreshold, p.HalfOpenMaxCalls, p.MaxRecovery
		few.Enforce = p.Enforce
		few.RecoveryTimeout = p.RecoveryTimeout
		p = few
	}
	h.note("%+v", p)
	h.model.adopt(p)
	register(h.t, h.orc, p)
}

// operate is an operator at work.
func (h *history) operate() {
	var (
		b         = h.op.Breaker()
		o         = trysail.Override{Reason: "test", Author: "model", For: time.Duration(h.rand.IntN(3)) * 90 * time.Second}
		until     = h.model.now + time.Duration(h.rand.IntN(4)-1)*time.Minute
		got, want trysail.State
	)
	n := h.rand.IntN(6)
	h.note("operation %d for %v, until %v", n, o.For, until)
	switch n {
	case 0:
		got, want = b.Reset("test"), h.model.reset()
	case 1:
		got, want = b.ForceOpen(o), h.model.overrule(trysail.ForcedOpen, o)
	case 2:
		got, want = b.Disable(o), h.model.overrule(trysail.Disabled, o)
	case 3:
		got, want = b.MetricsOnly(o), h.model.overrule(trysail.MetricsOnly, o)
	case 4:
		got, want = b.Close(o), h.model.overrule(trysail.Closed, trysail.Override{})
	default:
		got, want = b.OpenUntil(h.start.Add(until), "test"), h.model.openUntil(until)
	}
	if got != want {
		h.t.Errorf("operation %d = %v, want the state before, %v", n, got, want)
	}
}

// agree compares breaker and model. Every second time it does so without a look
// at the breaker before the next step, because a look may change one.
func (h *history) agree() bool {
	if !h.looks && h.rand.IntN(2) == 0 {
		return !h.t.Failed()
	}
	s, m, w := h.op.Breaker().Snapshot(), h.op.Metrics(), &h.model
	want := trysail.BreakerSnapshot{
		Operation: "op", State: w.state, Generation: w.generation, Failures: w.failures,
		FailureThreshold: w.policy.FailureThreshold, RecoveryTimeout: w.policy.RecoveryTimeout,
		HalfOpenMaxCalls: w.policy.HalfOpenMaxCalls, Enforce: w.policy.Enforce, Probes: len(w.probes), Stale: w.stale,
		LastFailure:   h.time(w.failedAt, w.failed),
		OpenedAt:      h.time(w.openedAt, w.state == trysail.Open || w.state == trysail.HalfOpen),
		NextAttemptAt: h.time(w.until, w.state == trysail.Open),
		Reopens:       w.again(w.now),
		Overdue:       w.overdue(),
		Override:      w.override,
		ExpiresAt:     h.time(w.expires, w.expires > 0),
		WouldOpen:     w.wouldOpen,
		WouldReject:   w.wouldReject,
		Reason:        s.Reason, // the tests of the rules look at the words
	}
	want.WindowCalls, want.WindowFailures, want.WindowSlow, _, want.WindowLeft = w.window()
	if s != want || m.Leaked != w.leaked || m.Opens != w.opens || m.HalfOpens != w.halfOpens || m.Closes != w.closes || h.t.Failed() {
		h.t.Errorf("\n got %+v, opens, half-opens, closes = %d, %d, %d\nwant %+v, %d, %d, %d\nunder %+v\nafter %q",
			s, m.Opens, m.HalfOpens, m.Closes, want, w.opens, w.halfOpens, w.closes, w.policy, h.steps[max(0, len(h.steps)-15):])
		return false
	}
	return true
}

// time turns an instant of the model into a time of day, if it is one.
func (h *history) time(at time.Duration, ok bool) time.Time {
	if !ok {
		return time.Time{}
	}
	return h.start.Add(at).UTC()
}
