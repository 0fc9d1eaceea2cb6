package trysail_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// Random histories must go the same way in a limiter and in the model, to the
// nanosecond. A seed that fails is in the name of its subtest; give it to -run.
func TestLimiterAgreesWithTheModel(t *testing.T) {
	for seed := range uint64(150) {
		bubble(t, fmt.Sprint("seed ", seed), func(t *testing.T) { newBucketHistory(t, seed).run(300) })
		if t.Failed() {
			break // one history is enough to think about
		}
	}
}

// A bucketHistory drives a limiter and the model side by side.
type bucketHistory struct {
	t     *testing.T
	rand  *rand.Rand
	l     *trysail.Limiter
	model bucketModel
	start time.Time
	open  []openReservation
	leave map[int]context.CancelFunc // of waits
	ids   int
	steps []string

	mu   sync.Mutex // guards done
	done []waitEnd
}

type openReservation struct {
	real   *trysail.Reservation
	tokens int64
}

// rates are in tokens each 8 s: 0.5 to 4 a second.
func (h *bucketHistory) randomRate() (rate, burst int64) {
	return 4 << h.rand.IntN(4), 40 + h.rand.Int64N(40)
}

func perSecond(rate int64) float64 { return float64(rate) / 8 }

func newBucketHistory(t *testing.T, seed uint64) *bucketHistory {
	h := &bucketHistory{t: t, rand: rand.New(rand.NewPCG(seed, 1)), start: time.Now(), leave: map[int]context.CancelFunc{}}
	m := &h.model
	m.rate, m.burst = h.randomRate()
	m.most = int64(time.Minute) * h.rand.Int64N(3)
	m.level = m.depth()
	h.l = newLimiter(t, trysail.LimiterConfig{Rate: perSecond(m.rate), Burst: float64(m.burst), MaxWait: time.Duration(m.most)})
	return h
}

func (h *bucketHistory) run(steps int) {
	defer func() {
		for _, cancel := range h.leave {
			cancel()
		}
	}()
	for range steps {
		h.step()
		synctest.Wait()
		if !h.agree() {
			return
		}
	}
}

func (h *bucketHistory) note(format string, args ...any) {
	h.steps = append(h.steps, fmt.Sprintf("%v ", time.Duration(h.model.now))+fmt.Sprintf(format, args...))
}

func (h *bucketHistory) step() {
	tokens := h.rand.Int64N(40)
	switch n := h.rand.IntN(100); {
	case n < 15:
		h.allow(tokens)
	case n < 40:
		h.wait(tokens)
	case n < 50:
		h.reserve(tokens)
	case n < 60:
		h.settle()
	case n < 66:
		h.abandon()
	case n < 69:
		ahead := time.Duration(h.rand.Int64N(int64(30 * time.Second)))
		h.note("penalty for %v", ahead)
		h.l.Penalize(time.Now().Add(ahead))
		h.model.penalize(h.model.now + int64(ahead))
	case n < 73:
		rate, burst := h.randomRate()
		h.note("rate %d, burst %d", rate, burst)
		if err := h.l.SetRate(perSecond(rate), float64(burst)); err != nil {
			h.t.Fatal(err)
		}
		h.model.setRate(rate, burst)
	default:
		h.pass()
	}
}

func (h *bucketHistory) allow(tokens int64) {
	h.note("allow %d", tokens)
	if got, want := h.l.Allow(float64(tokens)), h.model.take(tokens) == 0; got != want {
		h.t.Errorf("Allow(%d) = %v, want %v", tokens, got, want)
	}
}

func (h *bucketHistory) wait(tokens int64) {
	id := h.ids
	h.ids++
	h.note("wait %d for %d", id, tokens)
	ctx, cancel := context.WithCancel(h.t.Context())
	h.leave[id] = cancel
	h.model.wait(id, tokens)
	go func() {
		err := h.l.Wait(ctx, float64(tokens))
		if errors.Is(err, context.Canceled) {
			return
		}
		end := waitEnd{id: id, at: int64(time.Since(h.start)), refused: err != nil}
		var e *trysail.Error
		if errors.As(err, &e) {
			end.after = e.RetryAfter
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.done = append(h.done, end)
	}()
}

func (h *bucketHistory) reserve(tokens int64) {
	h.note("reserve %d", tokens)
	r, err := h.l.Reserve(float64(tokens))
	want := h.model.take(tokens)
	if err == nil {
		h.open = append(h.open, openReservation{&r, tokens})
	}
	var e *trysail.Error
	if got := time.Duration(0); errors.As(err, &e) && e.RetryAfter != want || err == nil && got != want {
		h.t.Errorf("Reserve(%d) = %v, want it after %v", tokens, err, want)
	}
}

func (h *bucketHistory) settle() {
	if len(h.open) == 0 {
		return
	}
	i := h.rand.IntN(len(h.open))
	r, used := h.open[i], h.rand.Int64N(60)
	h.open = slices.Delete(h.open, i, i+1)
	h.note("settle %d with %d", r.tokens, used)
	r.real.Settle(float64(used))
	h.model.settle(r.tokens, used)
}

// abandon ends a wait from outside, unless its turn has come.
func (h *bucketHistory) abandon() {
	if len(h.model.waiting) == 0 {
		return
	}
	id := h.model.waiting[h.rand.IntN(len(h.model.waiting))].id
	h.note("wait %d is given up", id)
	h.leave[id]()
	synctest.Wait()
	h.model.leave(id)
}

// pass lets time go by: often to just before, to or past what is due.
func (h *bucketHistory) pass() {
	d := h.rand.Int64N(int64(time.Second) << h.rand.IntN(6))
	if m := &h.model; len(m.waiting) > 0 && h.rand.IntN(2) == 0 {
		d = max(0, m.due(0, m.waiting[0].tokens)-m.now+h.rand.Int64N(3)-1)
	}
	h.note("%v pass", time.Duration(d))
	time.Sleep(time.Duration(d))
	h.model.pass(h.model.now + d)
}

// agree compares limiter and model.
func (h *bucketHistory) agree() bool {
	m, s := &h.model, h.l.Snapshot()
	available := max(0, float64(m.level)/float64(m.cost(1)))
	for _, w := range m.waiting {
		available = max(0, available-float64(w.tokens))
	}
	if m.penalized && m.now < m.penalty {
		available = 0
	}
	until := time.Duration(m.due(len(m.waiting), 1) - m.now)
	h.mu.Lock()
	defer h.mu.Unlock()
	byID := func(a, b waitEnd) int { return a.id - b.id }
	slices.SortFunc(h.done, byID)
	slices.SortFunc(m.done, byID)
	off := s.Available - available
	if h.t.Failed() || off > 1e-6 || off < -1e-6 || s.Waiting != len(m.waiting) || s.Open != uint64(len(h.open)) ||
		h.l.Until() != until || !slices.Equal(h.done, m.done) {
		h.t.Errorf("\n got %+v, until %v, ends %+v\nwant available %v, %d waiting, %d open, until %v, ends %+v\nafter %v",
			s, h.l.Until(), tail(h.done), available, len(m.waiting), len(h.open), until, tail(m.done), tail(h.steps))
		return false
	}
	return true
}

func tail[T any](s []T) []T { return s[max(0, len(s)-15):] }
