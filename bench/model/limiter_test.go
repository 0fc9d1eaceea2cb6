package model_test

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trysail-go/trysail"
)

// A limiterMachine drives a limiter of units beside a bucket.
type limiterMachine struct {
	*callers
	l        *trysail.Limiter
	model    bucket
	reserved []reserved
	settled  []*trysail.Reservation
}

type reserved struct {
	*trysail.Reservation
	amount int64
}

func TestLimiterAgreesWithModel(t *testing.T) {
	play(t, func(t *rapid.T) {
		m := newLimiterMachine(t)
		defer m.home()
		t.Repeat(map[string]func(*rapid.T){
			"allow":    m.allow,
			"wait for": m.wait,
			"leave":    m.giveUp,
			"reserve":  m.reserve,
			"settle":   m.settle,
			"penalize": m.penalize,
			"set rate": m.setRate,
			"wait":     m.pass,
			"":         m.check,
		})
	})
}

// drawPace draws a rate at which units take no whole number of nanoseconds, and a burst. Rates are a power of two apart.
func drawPace(t *rapid.T) (rate, burst int64) {
	return pick[int64](t, "rate", 3, 6, 24), pick[int64](t, "burst", 1, 5, 40)
}

func perSecond(rate int64) float64 { return float64(rate) / 2 }

func units(amount int64) float64 { return float64(amount) / unit }

func newLimiterMachine(t *rapid.T) *limiterMachine {
	m := &limiterMachine{callers: newCallers()}
	m.model = bucket{maxWait: pick(t, "longest wait", 0, 2*time.Second, 10*time.Second, time.Minute), verdicts: map[int]verdict{}}
	m.model.rate, m.model.burst = drawPace(t)
	m.model.level = m.model.depth()
	l, err := trysail.NewLimiter(trysail.LimiterConfig{
		Rate: perSecond(m.model.rate), Burst: float64(m.model.burst), MaxWait: m.model.maxWait,
	})
	if err != nil {
		t.Fatal(err)
	}
	m.l = l
	return m
}

// amount draws quarters of units, often as many as the burst, and sometimes more.
func (m *limiterMachine) amount(t *rapid.T) int64 {
	return pick(t, "quarters", 0, 1, unit, 3*unit, 10*unit+1, unit*m.model.burst, unit*m.model.burst+1)
}

func (m *limiterMachine) allow(t *rapid.T) {
	n := m.amount(t)
	want := m.model.take(n)
	if got := m.l.Allow(units(n)); got != want {
		t.Fatalf("Allow(%v) = %t, want %t", units(n), got, want)
	}
}

func (m *limiterMachine) wait(t *rapid.T) {
	id, n := len(m.leave), m.amount(t)
	wait := max(m.model.due(m.model.line, n)-m.model.now, 1)
	patience := pick(t, "patience", 0, 0, time.Second, 20*time.Second, wait, wait+1)
	m.model.arrive(id, n, patience)
	m.call(context.Background(), id, patience, func(ctx context.Context) error { return m.l.Wait(ctx, units(n)) })
}

// giveUp has a caller leave, sometimes in the very moment in which his turn comes: he has taken nothing then.
func (m *limiterMachine) giveUp(t *rapid.T) {
	if len(m.model.line) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.model.line)-1).Draw(t, "which")
	m.leave[m.model.line[i].id]()
	m.model.give(i)
	if n := len(m.reserved); n > 0 && pick(t, "units come back", true, false) {
		last := m.reserved[n-1]
		m.reserved, m.settled = m.reserved[:n-1], append(m.settled, last.Reservation)
		last.Cancel()
		m.model.settle(last.amount, 0)
	}
}

func (m *limiterMachine) reserve(t *rapid.T) {
	n := m.amount(t)
	want := verdict{at: m.now(), why: "in"}
	if m.model.take(n) {
		m.model.open++
	} else {
		want = m.model.refusal(n)
	}
	r, err := m.l.Reserve(units(n))
	if got := said(m.now(), err); got != want {
		t.Fatalf("Reserve(%v) = %+v, want %+v", units(n), got, want)
	}
	if err == nil {
		m.reserved = append(m.reserved, reserved{&r, n})
	}
}

// settle ends a reservation, or tries to end one twice.
func (m *limiterMachine) settle(t *rapid.T) {
	if len(m.settled) > 0 && pick(t, "twice", false, false, true) {
		rapid.SampledFrom(m.settled).Draw(t, "which").Settle(1)
		m.settled[0].Cancel() // never wrong
		m.model.misuses++
		return
	}
	if len(m.reserved) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.reserved)-1).Draw(t, "which")
	r := m.reserved[i]
	m.reserved, m.settled = slices.Delete(m.reserved, i, i+1), append(m.settled, r.Reservation)
	switch how := pick(t, "how", "settled", "settled", "cancelled", "nonsense"); how {
	case "cancelled":
		r.Cancel()
		m.model.settle(r.amount, 0)
	case "nonsense":
		r.Settle(pick(t, "nonsense", -1, math.NaN(), math.Inf(1)))
		m.model.settle(r.amount, r.amount)
	default:
		used := pick(t, "used", 0, 1, unit, 10*unit, 50*unit, r.amount)
		r.Settle(units(used))
		m.model.settle(r.amount, used)
	}
}

func (m *limiterMachine) penalize(t *rapid.T) {
	ahead := pick(t, "penalty", -time.Second, 0, 1, 5*time.Second, time.Minute, 400*24*time.Hour)
	m.l.Penalize(time.Now().Add(ahead))
	if ahead > 0 {
		m.model.penalize(m.model.now + ahead)
	}
}

func (m *limiterMachine) setRate(t *rapid.T) {
	rate, burst := drawPace(t)
	if err := m.l.SetRate(perSecond(rate), float64(burst)); err != nil {
		t.Fatal(err)
	}
	m.model.turnTo(rate, burst)
}

// pass lets time pass, also so much that the machine must have slept. Who comes in the very instant in which a turn
// comes, or sets another rate, comes after it, whatever the timers have done by then.
func (m *limiterMachine) pass(t *rapid.T) {
	due := m.model.next()
	if due == 0 {
		due = m.model.due(nil, unit)
	}
	d := nextTime(t, due, m.model.now, 1, time.Second, 7*time.Second, time.Hour, 500*24*time.Hour)
	time.Sleep(d)
	m.model.pass(m.model.now + d)
	switch pick(t, "then", "nothing", "allow", "set rate") {
	case "allow":
		m.allow(t)
	case "set rate":
		m.setRate(t)
	default:
	}
}

func (m *limiterMachine) check(t *rapid.T) {
	m.agree(t, m.model.verdicts)
	if got, want := m.l.Until(), m.model.due(m.model.line, unit)-m.model.now; got != want {
		t.Fatalf("Until() = %v, want %v", got, want)
	}
	m.model.compare(t, m.l.Snapshot(), m.start)
}

// compare wants a limiter to be as the model.
func (m *bucket) compare(t *rapid.T, got trysail.LimiterSnapshot, start time.Time) {
	want := trysail.LimiterSnapshot{
		Rate: perSecond(m.rate), Burst: float64(m.burst), MaxWait: m.maxWait,
		Waiting: len(m.line), Open: m.open, Waits: m.waits, Refused: m.refused, Misuses: m.misuses,
	}
	if m.penalty > 0 {
		want.NotBefore = start.Add(m.penalty).Round(0).UTC()
	}
	free := m.level
	for _, t := range m.line {
		free -= m.cost(t.amount)
	}
	if m.penalty <= m.now {
		want.Available = min(max(free.Seconds()*perSecond(m.rate), 0), float64(m.burst))
	}
	if math.Abs(got.Available-want.Available) < 1e-9 {
		got.Available = want.Available
	}
	if got != want {
		t.Fatalf("Snapshot() = %+v, want %+v", got, want)
	}
}
