package gateway

import (
	"context"
	"encoding/json"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// HedgeHeader tells in an answer of a hedge, such as "won; target=b; after=812ms": whether it answered ("won"), the first target did ("lost"), or
// neither ("failed"); where it went; and how long the first target had taken by then. Without a hedge it is not there.
const HedgeHeader = "X-Trysail-Hedge"

// A hedged is what became of a call's hedge.
type hedged struct {
	target  *target // nil: there was none
	after   time.Duration
	outcome string // "won", "lost" or "failed"
}

// String is the value of [HedgeHeader].
func (h *hedged) String() string {
	return h.outcome + "; target=" + h.target.Name + "; after=" + h.after.Round(time.Millisecond).String()
}

// mayHedge reports whether the next send may get another one beside it: where the route wants that, for a model's answers only, once in a call,
// and never where a request is not to be repeated.
func (e *exchange) mayHedge(ctx context.Context) bool {
	h := &e.route.Hedge
	if !h.active() || e.hedge.target != nil || e.control.pinned || e.dialect == llm.OtherEvents || !e.isJSON || !e.billable() {
		return false
	}
	retry := e.operation.RetryPolicy(ctx)
	return !retry.Disabled && retry.Attempts > 1
}

// A race is a send that may get another one beside it. The call's goroutine alone uses it.
type race struct {
	*exchange
	first, second *racer      // second is nil until it is needed
	results       chan *racer // has room for both
}

// hedgedOnce sends the request to the target at hand, and to another one beside it if that takes long. What comes first to its commit point is
// taken, as by once; the target that it came from is then the one at hand.
func (e *exchange) hedgedOnce(ctx context.Context) (llm.Verdict, error) {
	r := &race{exchange: e, results: make(chan *racer, 2)}
	defer r.end()
	here := e.walk.here
	e.attempts++
	r.first = r.begin(ctx, here, e.attempts)
	var alarm <-chan time.Time
	delay, known := e.delay(here.target)
	if known {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		alarm = timer.C
	}
	for {
		select {
		case <-alarm:
			if len(r.results) == 0 {
				r.hedge(ctx)
			}
		case c := <-r.results:
			if v, over, err := r.take(ctx, c); over {
				return v, err
			}
		}
	}
}

// delay returns after which time a target is late, if that is known.
func (e *exchange) delay(t *target) (time.Duration, bool) {
	h := &e.route.Hedge
	if h.Percentile == 0 {
		return h.After, true
	}
	d, known := t.paces.of(e.model, e.streamed).percentile(e.gateway.now(), h.Percentile, h.Samples)
	return max(d, h.After), known
}

// learnPace notes how long a target took, where that is of use.
func (e *exchange) learnPace(t *target, took time.Duration) {
	if e.route.Hedge.Percentile != 0 {
		t.paces.of(e.model, e.streamed).add(e.gateway.now(), took)
	}
}

// begin sets a racer off. It is number n of the call's sends.
func (r *race) begin(ctx context.Context, v *visit, n int) *racer {
	e := r.exchange
	e.address(v)
	v.sends++
	c := &racer{
		visit: v, hedge: r.first != nil, results: r.results, log: e.gateway.log, prompt: e.usage.prompt,
		trip:  trip{transport: e.gateway.transport, trace: &e.trace, to: v, attempt: n, redialled: e.redialled},
		reads: reads{e.protocol, e.client.URL.Path, e.choices, e.gateway.limits.Answer},
	}
	c.number = n
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	c.watch = watch(c.ctx, e.firstLimit(ctx, c.hedge || len(e.walk.tried) > 0))
	e.racers.Go(c.run)
	return c
}

// hedge sets the second racer off, if there is a target for it and the budget allows it.
func (r *race) hedge(ctx context.Context) {
	e := r.exchange
	if ctx.Err() != nil || e.verdict.Class == trysail.ClassRateLimited || e.verdict.Class == trysail.ClassOverloaded || r.first.state.Load() != sent {
		return // a provider that has asked to be spared is
	}
	if b := r.first.visit.target.breaker(); b != nil && b.State() == trysail.HalfOpen || e.detached() {
		return // a probe is a single attempt, and its outcome is wanted
	}
	i := e.walk.beside()
	if i < 0 {
		return
	}
	t := e.route.places[i].target
	v := &visit{target: t}
	if v.unlock(e.gateway.now(), false) != nil || v.fund(e) != nil {
		return
	}
	if v.reserve(e) != nil {
		v.spend(0)
		return
	}
	late := time.Since(r.first.sentAt)
	if !e.operation.TakeHedge(ctx, 1, late) {
		v.spend(0)
		v.settleTokens(&usage{}, errOvertaken)
		return
	}
	e.walk.visited |= 1 << i
	r.second = r.begin(ctx, v, e.attempts+1)
	e.hedge = hedged{target: t, after: late, outcome: "failed"}
}

// beside returns the place of the target that is asked beside the one at hand, or -1.
func (w *walk) beside() int {
	w.look()
	places := w.exchange.route.places
	for i := range w.options {
		if b := places[i].target.breaker(); b != nil && b.State() == trysail.HalfOpen {
			w.options[i].out = true // a hedge that is lost is no probe
		}
		if len(places) == 1 && w.exchange.route.Hedge.SameTarget && !places[i].target.out() {
			w.options[i].wait, w.options[i].brief, w.options[i].shut = places[i].target.stands(w.exchange.gateway.now())
			w.options[i].out = false
		}
	}
	return choose(w.options)
}

// detached reports whether the request only begins a piece of work, whose answer is fetched later: two would be done.
func (e *exchange) detached() bool {
	var asked struct {
		Background bool `json:"background"`
	}
	return json.Unmarshal(e.body, &asked) == nil && asked.Background
}

// take looks at a racer that has come in. It reports whether the race is over; then it returns what the sends have come to.
func (r *race) take(ctx context.Context, c *racer) (v llm.Verdict, over bool, err error) {
	e := r.exchange
	if c.refused != nil {
		r.forget(c)
		return v, false, nil
	}
	c.taken = true
	other := r.running()
	if c.commits {
		r.overtake(other)
		other = nil
	}
	r.stand(c)
	if c.err != nil {
		v, err = e.judge(ctx, c.watch, c.err)
	} else {
		v, err = e.take(ctx, c.resp, c.watch)
	}
	r.note(c, v, err)
	if other == nil {
		return v, true, err
	}
	if err == nil || e.committed || !r.goesOn(v, other) {
		r.overtake(other)
		return v, true, err
	}
	// What is left of the race is waited for, as if the walk had gone on to there.
	c.close()
	e.account(c.visit, v, err)
	e.verdict, e.failure, e.failedAt = v, err, time.Now()
	e.learn(v)
	e.settle(ctx, v, err)
	e.walk.tried = append(e.walk.tried, c.visit.target.Name)
	return v, false, err
}

// stand makes the target of a racer the one at hand.
func (r *race) stand(c *racer) {
	e := r.exchange
	e.walk.here, e.walk.last = c.visit, c.visit.target
	if c.hedge {
		e.attempts++
	}
	e.attempts += c.trip.attempt - c.number
	e.redialled = e.redialled || c.trip.redialled
	e.reset(c.sentAt)
	if c.panicked != nil {
		panic(c.panicked)
	}
	if c.hedge {
		e.hedge.outcome = "won"
	} else if e.hedge.target != nil {
		e.hedge.outcome = "lost"
	}
}

// note notes what a racer has shown, beside its answer.
func (r *race) note(c *racer, v llm.Verdict, err error) {
	e := r.exchange
	switch {
	case err == nil || e.committed:
		e.learnPace(c.visit.target, c.readyAt.Sub(c.sentAt))
		if c.hedge {
			e.operation.HedgeWon()
		}
		return
	case isTimeout(v):
		e.learnPace(c.visit.target, c.readyAt.Sub(c.sentAt)) // to leave it out would leave out just those that are slow
	}
	if e.hedge.target != nil {
		e.hedge.outcome = "failed"
	}
}

// goesOn reports whether a failure leads on to another target, so that the one that is being asked already may still answer.
func (r *race) goesOn(v llm.Verdict, other *racer) bool {
	window := other.visit.target.Window
	s := situation{others: true, larger: r.walk.here.target.Window > 0 && window > r.walk.here.target.Window, last: true, onPolicy: r.route.OnContentPolicy}
	return decide(v, s) != end
}

// running returns the racer that is still under way, or nil.
func (r *race) running() *racer {
	switch {
	case r.second == nil:
		return nil
	case r.second.taken && r.first.taken:
		return nil
	case r.second.taken:
		return r.first
	case r.second.callOff(): // it has not even been sent
		r.forget(r.second)
		return nil
	default:
		return r.second
	}
}

// overtake ends a racer because the other one has won, if there is one.
func (r *race) overtake(c *racer) {
	if c == nil {
		return
	}
	e := r.exchange
	c.lose()
	took := time.Since(c.sentAt)
	if late, known := e.delay(c.visit.target); known && took >= late {
		e.learnPace(c.visit.target, took) // it would have taken longer yet
	}
	if c.hedge {
		e.attempts++
	} else {
		e.walk.tried = append(e.walk.tried, c.visit.target.Name)
	}
	e.record(leg{target: c.visit.target, key: c.visit.keyName(), at: c.sentAt, wait: c.sentAt.Sub(e.since), lost: true})
}

// forget ends a hedge that was not sent: there was none.
func (r *race) forget(c *racer) {
	c.lose()
	r.second = nil
	for i, p := range r.route.places {
		if p.target == c.visit.target && c.visit.target != r.first.visit.target {
			r.walk.visited &^= 1 << i
		}
	}
	r.exchange.hedge = hedged{}
}

// end ends what is still under way, and gives back what belongs to sends that have been looked at.
func (r *race) end() {
	for _, c := range [...]*racer{r.first, r.second} {
		switch {
		case c == nil:
		case !c.taken:
			c.lose()
		default:
			c.close()
		}
	}
}
