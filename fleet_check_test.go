package trysail_test

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// blame notes that something was not as it must be.
func (f *fleet) blame(format string, args ...any) {
	f.note("WRONG: "+format, args...)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.blamed++; f.blamed <= 3 {
		f.t.Errorf(format+"\nsee it again: go test -run 'TestFleet$' -fleet.seed=%d -v .", append(args, f.plan.seed)...)
	}
}

// note adds a line to what happened.
func (f *fleet) note(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.timeline = append(f.timeline, fmt.Sprintf("%10.3fs  ", time.Since(f.start).Seconds())+fmt.Sprintf(format, args...))
}

// observe is the observer of the operations that are watched.
func (f *fleet) observe(e trysail.Event) {
	if e.Kind == trysail.EventTransition {
		f.note("%s: %v -> %v, generation %d: %s", e.Operation, e.From, e.To, e.Generation, e.Reason)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	h := &f.ops[slices.IndexFunc(f.ops, func(o *fleetOperation) bool { return o.op.Name() == e.Operation })].heard
	switch e.Kind {
	case trysail.EventTransition:
		h.to[e.To]++
		if e.Generation != h.generation+1 {
			f.t.Errorf("%s: generation %d after %d, want them in order", e.Operation, e.Generation, h.generation)
		}
		h.generation = e.Generation
	case trysail.EventRetry:
		h.retries++
	case trysail.EventHedge:
		h.hedges++
	case trysail.EventCall:
		h.calls++
		h.attempts += uint64(e.Attempt)
		if e.Err == nil {
			h.successes++
		}
		if e.Leaked {
			h.leaked++
		}
	default:
	}
}

func (f *fleet) sleepUntil(at time.Duration) { time.Sleep(at - time.Since(f.start)) }

// wait waits for what must end, and ends it by force when it does not. If that is no help, the
// bubble reports a deadlock.
func (f *fleet) wait(all *sync.WaitGroup, what string) {
	done := make(chan struct{})
	go func() {
		all.Wait()
		close(done)
	}()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		f.blame("%s have not ended after an hour: something is wedged", what)
		f.stop()
		<-done
	}
}

// watch audits every second until the operations have recovered.
func (f *fleet) watch(recovered *sync.WaitGroup) {
	audited := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(audited)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		phase := -1
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				phase = f.tell(phase)
				synctest.Wait() // so that all books are of one moment
				f.audit()
			}
		}
	}()
	f.wait(recovered, "recoveries")
	close(done)
	<-audited
}

// tell notes which phase it is.
func (f *fleet) tell(before int) int {
	now, since := len(f.plan.phases), time.Since(f.start)
	for i := len(f.plan.phases) - 1; i >= 0 && since < f.plan.phases[i].until; i-- {
		now = i
	}
	if now != before {
		f.note("the provider is %v", f.plan.at(since).mood)
	}
	return now
}

// audit checks what must hold at every moment.
func (f *fleet) audit() {
	f.provider.mu.Lock()
	defer f.provider.mu.Unlock()
	since := time.Since(f.start).Seconds()
	for i, b := range f.budgets {
		cfg := b.Config()
		a := f.provider.accounts[i]
		most := cfg.Share*float64(a.calls) + float64(cfg.Floor)*(since+cfg.Window.Seconds())
		if float64(a.extra) > most+1e-6 {
			f.blame("budget %d: %d retries and hedges of %d calls in %.3fs, want at most %.2f", i, a.extra, a.calls, since, most)
		}
	}
	for _, o := range f.ops {
		l := f.provider.books[o.number]
		if admitted := o.epochs.admitted(); float64(l.limited) > admitted+1e-6 {
			f.blame("operation %d: %d calls through the limiter in %.3fs, want at most %.2f", o.number, l.limited, since, admitted)
		}
		if s, ok := o.op.Bulkhead(); ok {
			f.inspectBulkhead(o, s, &l)
		}
		if s, ok := o.op.Throttle(); ok && (s.Share < 0 || s.Share > o.op.Policy().Throttle.MaxShare || s.Taken > s.Calls || s.Taken < 0) {
			f.blame("operation %d: Throttle() = %+v, want a share up to %v", o.number, s, o.op.Policy().Throttle.MaxShare)
		}
		// A budget that hedges have of their own allows a tenth of the calls, and 0.2 a second over a minute.
		if float64(l.own) > 0.1*float64(l.calls)+0.2*(since+60)+1e-6 {
			f.blame("operation %d: %d hedges of %d calls in %.3fs, want less", o.number, l.own, l.calls, since)
		}
		if b := o.op.Breaker(); b != nil && o.watched {
			f.inspect(o, b.Snapshot(), &l)
		}
	}
}

// inspectBulkhead checks what a bulkhead says of itself at a moment. Of places that there are no more, those in
// use are in use until their calls end.
func (f *fleet) inspectBulkhead(o *fleetOperation, s trysail.BulkheadSnapshot, l *ledger) {
	if s.Waiting > 0 && s.Running < s.Limit {
		f.blame("operation %d: Bulkhead() = %+v, want nobody waiting while a place is free", o.number, s)
	}
	least := s.MaxConcurrent
	if p := o.op.Policy().Bulkhead; p.Adaptive {
		least = p.MinConcurrent
	}
	if s.Limit < least || s.Limit > s.MaxConcurrent {
		f.blame("operation %d: Bulkhead() = %+v, want a limit from %d to MaxConcurrent", o.number, s, least)
	}
	if met := o.epochs.since(l.oldest()); all(met, bounded) && s.Running > most(met, places) {
		f.blame("operation %d: Bulkhead() = %+v, want at most %d running", o.number, s, most(met, places))
	}
}

// inspect checks what a breaker says of itself at a moment.
func (f *fleet) inspect(o *fleetOperation, s trysail.BreakerSnapshot, l *ledger) {
	met := o.epochs.since(l.oldestProbe(s.Generation))
	if n := l.leased(s.Generation, most(met, probeTimeout)); s.Probes > min(n, most(met, probes)) {
		f.blame("operation %d: %d probes have a place, want at most %d, and the %d that began within the probe timeout",
			o.number, s.Probes, most(met, probes), n)
	}
	longest := most(o.epochs.at(s.OpenedAt), func(p *trysail.Policy) time.Duration {
		d := time.Duration(float64(max(p.Breaker.RecoveryTimeout, p.Breaker.MaxRecovery)) * (1 + p.Breaker.RecoveryJitter))
		if p.Breaker.HonorRetryAfter {
			d = max(d, longestAsked)
		}
		return d
	})
	if d := s.NextAttemptAt.Sub(s.OpenedAt); s.State == trysail.Open && d > longest {
		f.blame("operation %d: the breaker is open for %v, want at most %v", o.number, d, longest)
	}
}

// recover checks that an operation is well again as soon as it must be.
func (f *fleet) recover(o *fleetOperation) {
	f.sleepUntil(o.from(f.plan.heal) + time.Millisecond) // not in the middle of a change
	for o.early.Load() > 0 {
		time.Sleep(50 * time.Millisecond)
	}
	time.Sleep(o.debt())
	// From here on nothing can fail.
	b, policy := o.op.Breaker(), o.op.Policy().Breaker
	if b == nil || b.State() == trysail.Closed {
		f.calm(o)
	}
	if b != nil {
		if o.holds.Load() > 0 {
			time.Sleep(most(o.epochs.since(f.start), probeTimeout)) // a permit from before may be a probe
		}
		if s := b.Snapshot(); s.State == trysail.Closed && (policy.FailureRate > 0 || policy.SlowRate > 0) {
			time.Sleep(o.memory()) // what its window remembers may still open it
		}
		if !f.closes(o, b) {
			return
		}
		time.Sleep(policy.RampUp)
	}
	o.settled.Store(f.calm(o))
	opens, succeeded := o.op.Metrics().Opens, o.succeeded.Load()
	time.Sleep(5 * time.Second)
	if m := o.op.Metrics(); b != nil && (m.Opens != opens || b.State() != trysail.Closed) {
		f.blame("operation %d: the breaker has opened again, want it closed while the provider is well", o.number)
	}
	if o.succeeded.Load() == succeeded {
		f.blame("operation %d: no call has succeeded for 5s, want some while the provider is well", o.number)
	}
}

// calm waits until the throttle, if there is one, drops nothing any more: each window, the share of the
// calls that it lets through grows by Factor. It reports false if it may go on dropping, because it lets through more
// than the limiter behind it: what it drops counts as made, though the limiter would have refused it.
func (f *fleet) calm(o *fleetOperation) bool {
	p := o.op.Policy().Throttle
	if p.Factor == 0 || p.Disabled {
		return true
	}
	window := p.Window + p.Window/12
	began, quiet := time.Now(), time.Now()
	before, _ := o.op.Throttle()
	for time.Since(quiet) <= window+time.Second {
		if time.Since(began) > 60*window+o.gap() {
			if o.limiting(10 * window) {
				return false
			}
			f.blame("operation %d: Throttle() = %+v %v after the provider is well, want nothing dropped", o.number, before, time.Since(began))
			return true
		}
		time.Sleep(50 * time.Millisecond)
		s, _ := o.op.Throttle()
		if s.Dropped != before.Dropped || s.Share > 0 {
			quiet = time.Now()
		}
		before = s
	}
	return true
}

// limiting reports whether the limiter makes calls wait, or refuses them, within some time.
func (o *fleetOperation) limiting(within time.Duration) bool {
	before, _ := o.op.Limiter()
	refused := o.op.Metrics().Limited
	time.Sleep(within)
	after, _ := o.op.Limiter()
	return after.Waits > before.Waits || o.op.Metrics().Limited > refused
}

// closes waits for the breaker to close, and reports whether it did so in time.
func (f *fleet) closes(o *fleetOperation, b *trysail.Breaker) bool {
	from := time.Now()
	s := b.Snapshot()
	if s.State == trysail.Open {
		from = s.NextAttemptAt
	}
	by := from.Add(o.probing() + time.Second)
	for time.Now().Before(by) && b.State() != trysail.Closed {
		time.Sleep(50 * time.Millisecond)
	}
	if got := b.State(); got != trysail.Closed {
		f.blame("operation %d: the breaker, %v at %v, is %v at %v, want it closed", o.number, s.State, from.Sub(f.start), got, time.Since(f.start))
		return false
	}
	f.note("operation %d has recovered; it was %v %v ago", o.number, s.State, time.Since(from))
	return true
}

// gap is the longest time between two calls that come to the breaker, when the provider is well.
func (o *fleetOperation) gap() time.Duration {
	d := steady/2*3 + slowest // a bulkhead may have one place only
	p := o.op.Policy()
	if limits(&p) {
		d += time.Duration(float64(time.Second) / p.Limiter.Rate)
	}
	if p.Throttle.Factor > 0 && !p.Throttle.Disabled { // so many in a row are dropped once in a million
		d += time.Duration(float64(steady) * 1.5 * math.Log(1e-6) / math.Log(p.Throttle.MaxShare))
	}
	return d
}

// debt is how long a limiter may let nobody through because it has a smaller burst, or a lower rate, than before.
func (o *fleetOperation) debt() time.Duration {
	p := o.op.Policy()
	if len(o.changes) == 0 || !limits(&p) {
		return 0
	}
	burst := most(o.epochs.since(time.Time{}), func(p *trysail.Policy) float64 { return p.Limiter.Burst })
	return time.Duration(burst / p.Limiter.Rate * float64(time.Second))
}

// probing is how long the probes take that close the breaker.
func (o *fleetOperation) probing() time.Duration {
	p := o.op.Policy().Breaker
	if p.FailureRate == 0 && p.SlowRate == 0 {
		return o.gap() + slowest
	}
	return time.Duration(p.HalfOpenMaxCalls)*o.gap() + slowest
}

// memory is how long a window may hold what happened before, or lack calls to come to a verdict.
func (o *fleetOperation) memory() time.Duration {
	p := o.op.Policy().Breaker
	return max(p.Window+p.Window/12, time.Duration(p.MinCalls)*o.gap()) + p.RampUp + time.Second
}

// balance compares the books when all is over.
func (f *fleet) balance() {
	f.provider.mu.Lock()
	defer f.provider.mu.Unlock()
	for _, o := range f.ops {
		m, l := o.op.Metrics(), f.provider.books[o.number]
		f.note("operation %d: %d calls, %d ran with %d attempts, %d succeeded, %d refused, %d leaked, %d full, %d limited, %d panicked",
			o.number, m.Calls, l.calls, l.attempts, m.Succeeded, m.Rejected, m.Leaked, m.Full, m.Limited, m.Panics)
		for what, pair := range map[string][2]uint64{
			"calls":              {m.Calls, o.made.Load()},
			"calls by outcome":   {m.Calls, m.Succeeded + m.Failed},
			"calls by fate":      {m.Calls, uint64(l.calls) + m.Rejected + m.Throttled + m.Full + m.Limited + o.unstarted.Load()},
			"successes":          {m.Succeeded, o.succeeded.Load()},
			"refusals":           {m.Rejected, o.rejected.Load()},
			"throttled":          {m.Throttled, o.throttled.Load()},
			"full":               {m.Full, o.full.Load()},
			"limited":            {m.Limited, o.limited.Load()},
			"panics":             {m.Panics, o.panicked.Load()},
			"attempts":           {uint64(l.calls) + m.Retries, uint64(l.attempts)},
			"runs":               {uint64(l.attempts) + m.Hedges, uint64(l.runs)},
			"still running":      {0, uint64(l.running)},
			"hedges that won":    {max(m.HedgeWins, m.Hedges), m.Hedges},
			"misuses":            {m.Misuses, 0},
			"still at the other": {0, uint64(len(l.visits))},
		} {
			if pair[0] != pair[1] {
				f.blame("operation %d: %s: %d by the metrics, %d by the other books", o.number, what, pair[0], pair[1])
			}
		}
		f.balanceEvents(o, &m, &l)
		f.balanceLeaks(o, &m)
		if s, ok := o.op.Throttle(); ok {
			made, share := float64(m.Calls), most(o.epochs.since(f.start), func(p *trysail.Policy) float64 { return p.Throttle.MaxShare })
			if most := made*share + 1 + 6*math.Sqrt(made*share*(1-share)); s.Dropped != m.Throttled || float64(s.Dropped) > most {
				f.blame("operation %d: Throttle() = %+v of %d calls, want at most %.0f dropped, and %d", o.number, s, m.Calls, most, m.Throttled)
			}
		}
		if s, _ := o.op.Bulkhead(); s.Running != 0 || s.Waiting != 0 {
			f.blame("operation %d: Bulkhead() = %+v, want it empty", o.number, s)
		}
		if s, _ := o.op.Limiter(); s.Waiting != 0 {
			f.blame("operation %d: Limiter() = %+v, want nobody waiting", o.number, s)
		}
		if b := o.op.Breaker(); b != nil && b.Snapshot().Probes != 0 {
			f.blame("operation %d: Breaker().Snapshot() = %+v, want no probes", o.number, b.Snapshot())
		}
	}
}

// balanceLeaks checks that of what the breaker's rules refuse, about the share is refused that is to be.
func (f *fleet) balanceLeaks(o *fleetOperation, m *trysail.OperationMetrics) {
	met := o.epochs.since(f.start)
	n, least, largest := float64(m.Leaked+m.Rejected), 1.0, most(met, func(p *trysail.Policy) float64 { return p.Breaker.Enforce })
	for _, e := range met {
		if hasBreaker(&e.policy) {
			least = min(least, e.policy.Breaker.Enforce)
		}
	}
	// As far off as in one of some hundred million plans.
	off := func(share float64) float64 { return 1 + 6*math.Sqrt(n*share*(1-share)) }
	if r := float64(m.Rejected); r < n*least-off(least) || r > n*largest+off(largest) {
		f.blame("operation %d: %d calls refused and %d leaked, want a share of %v to %v refused", o.number, m.Rejected, m.Leaked, least, largest)
	}
}

// balanceEvents compares what the observer heard with the metrics.
func (f *fleet) balanceEvents(o *fleetOperation, m *trysail.OperationMetrics, l *ledger) {
	if !o.watched {
		return
	}
	f.mu.Lock()
	h := o.heard
	f.mu.Unlock()
	pairs := map[string][2]uint64{
		"hedges":            {m.Hedges, h.hedges},
		"openings":          {m.Opens, h.to[trysail.Open]},
		"half-openings":     {m.HalfOpens, h.to[trysail.HalfOpen]},
		"closings":          {m.Closes, h.to[trysail.Closed]},
		"retries, at least": {m.Retries, min(m.Retries, h.retries)}, // some are told, and not made after all
	}
	if o.told {
		pairs["calls"] = [2]uint64{m.Calls, h.calls}
		pairs["leaked"] = [2]uint64{m.Leaked, h.leaked}
		pairs["successes"] = [2]uint64{m.Succeeded, h.successes}
		pairs["attempts"] = [2]uint64{uint64(l.attempts), h.attempts}
	}
	for what, pair := range pairs {
		if pair[0] != pair[1] {
			f.blame("operation %d: %s: %d by the books, %d by the events", o.number, what, pair[0], pair[1])
		}
	}
}
