package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// goOn has another target go on with an answer that broke off after its begin had been sent, or says so to the client. v and err are what the stream failed with. Its
// error is that of the attempt, which is not repeated.
func (e *exchange) goOn(ctx context.Context, v llm.Verdict, err error) error {
	e.suspended = false
	whole := e.body
	defer func() { e.body = whole }()
	e.verdict, e.failure, e.failedAt = v, err, time.Now()
	e.learn(v)
	rest, ok := e.tale.ask(whole)
	for ok && e.mayGoOn(ctx, v) {
		i := e.walk.onward()
		if i < 0 || !e.pay(e.route.places[i].target) {
			break
		}
		e.settle(ctx, v, err)
		if e.walk.enter(ctx, i) != nil {
			break
		}
		e.body, e.tale.again = rest, true
		if v, err = e.tryOn(ctx); err == nil {
			return nil
		}
		e.verdict, e.failure, e.failedAt = v, err, time.Now()
		e.learn(v)
	}
	if !e.gone {
		e.interrupt(e.tale.dialect, 0, e.tale.failure)
	}
	return trysail.Committed(err)
}

// mayGoOn reports whether a failure is one after which another target may do better, in a call that may be repeated.
func (e *exchange) mayGoOn(ctx context.Context, v llm.Verdict) bool {
	retry := e.operation.RetryPolicy(ctx)
	return ctx.Err() == nil && !e.gone && e.tale.resumed == nil && !retry.Disabled && retry.Attempts > 1 &&
		decide(v, situation{others: true, last: true}) != end
}

// onward returns the place of the next target, or of the one that was asked last if there is no other that takes calls, or -1.
func (w *walk) onward() int {
	e := w.exchange
	w.look()
	if i := choose(w.options); i >= 0 && !e.control.pinned {
		return i
	}
	for i, p := range e.route.places {
		if p.target != w.last || e.tale.again || p.target.out() {
			continue
		}
		if wait, _, shut := p.target.stands(e.gateway.now()); wait <= 0 && !shut {
			return i
		}
	}
	return -1
}

// tryOn sends the request for the rest of an answer to the target at hand, and passes on what comes.
func (e *exchange) tryOn(ctx context.Context) (v llm.Verdict, err error) {
	here := e.walk.here
	e.attempts++
	here.sends++
	watch := watch(ctx, e.firstLimit(ctx, true))
	defer watch.stop()
	e.reset(watch.begun)
	resp, err := e.roundTrip(watch.ctx)
	if err == nil {
		defer resp.Body.Close() //nolint:errcheck // nothing can be done, and nothing is lost
		e.ceilings(resp.Header)
		e.providerID = providerID(resp.Header)
		switch kindOf(resp, e.tale.dialect) {
		case errorAnswer:
			v, err = e.takeError(resp, watch)
			e.account(here, v, err)
			e.since = time.Now()
			return v, err
		case streamAnswer:
			err = e.takeRest(resp, watch)
		default:
			err = badAnswer{"no stream where the rest of one was expected"}
		}
	}
	v, err = e.judge(ctx, watch, err)
	e.account(here, v, err)
	e.since = time.Now()
	return v, err
}

// takeRest reads the stream that goes on and passes it on from its first token, as a part of the client's.
func (e *exchange) takeRest(resp *http.Response, watch *watchdog) error {
	r := &relay{exchange: e, watch: watch, resp: resp, inspector: llm.Inspector{Protocol: e.tale.dialect}, idle: e.idleLimit()}
	defer r.count()
	buffer := make([]byte, 16<<10)
	for {
		n, err := resp.Body.Read(buffer)
		bad := r.inspector.Feed(buffer[:n])
		r.held = append(r.held, buffer[:n]...)
		progress := r.inspector.Progress()
		switch {
		case progress.Closed:
			watch.expect(&timeoutError{"the end of the connection", closingLimit})
		case progress.Tokens > r.tokens:
			r.tokens = progress.Tokens
			watch.expect(&r.idle)
		}
		if progress.Started && (bad == nil || e.tale.resumed != nil) {
			if err := watch.aside(r.passRest); err != nil && bad == nil {
				return err
			}
		}
		switch {
		case bad != nil:
			return bad
		case len(r.held) > heldBytes:
			return badAnswer{"a frame that is too large"}
		case err == nil:
		case progress.Closed:
			return r.lastOfRest(nil)
		case errors.Is(err, io.EOF):
			return r.lastOfRest(r.inspector.End())
		default:
			return err
		}
	}
}

// passRest passes on the whole frames that are held.
func (r *relay) passRest() error {
	for {
		f := frame(r.held)
		if f == nil {
			return nil
		}
		spliced, err := r.tale.splice(f)
		if err != nil {
			return err
		}
		r.held = r.held[len(f):]
		if spliced == nil {
			continue
		}
		if r.tale.resumed == nil {
			r.tale.resumed = r.walk.here.target
			if err := r.flush([]byte(": trysail continued on " + r.tale.resumed.Name + "\n\n")); err != nil {
				return err
			}
		}
		r.walk.here.veil(spliced)
		if err := r.flush(spliced); err != nil {
			return err
		}
	}
}

// lastOfRest passes on what is left of a stream that has ended with err.
func (r *relay) lastOfRest(err error) error {
	if err == nil && len(r.held) > 0 { // a last frame without the line that ends it
		r.held = append(r.held, "\n\n"...)
		err = r.passRest()
	}
	if err == nil && r.tale.resumed == nil {
		err = badAnswer{"nothing where the rest of a text was expected"}
	}
	return err
}
