package gateway

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// A leg is one send to a target.
type leg struct {
	target *target
	key    string // the name of the credential, where the target has several
	at     time.Time
	wait   time.Duration // before it
	failed bool
	lost   bool          // it was called off, because another one was faster
	class  trysail.Class // of the failure
	bill   bill
}

// try sends the request to the target at hand, and notes what came of it. Beside an error it returns what that means.
func (e *exchange) try(ctx context.Context) (v llm.Verdict, err error) {
	if e.mayHedge(ctx) {
		v, err = e.hedgedOnce(ctx)
	} else {
		v, err = e.once(ctx)
	}
	e.account(e.walk.here, v, err)
	e.since = time.Now()
	return v, err
}

// account puts the newest send, to v, into the trail, and what it has cost on its target's bill.
func (e *exchange) account(v *visit, verdict llm.Verdict, err error) {
	l := e.legTo(v, verdict, err)
	v.spend(l.bill.dollars)
	e.record(l)
}

// legTo returns the newest send, to v, as the trail has it.
func (e *exchange) legTo(v *visit, verdict llm.Verdict, err error) leg {
	l := leg{target: v.target, key: v.keyName(), at: e.sentAt, failed: err != nil, class: verdict.Class, bill: e.bill(v.target, err != nil)}
	l.wait = l.at.Sub(e.since)
	return l
}

// record puts a send into the trail. Those are in the order in which they were sent, not in that in which they ended.
func (e *exchange) record(l leg) {
	i := len(e.legs)
	for i > 0 && e.legs[i-1].at.After(l.at) {
		i--
	}
	e.legs = slices.Insert(e.legs, i, l)
}

// keyName returns the name of the credential, where the target has several.
func (v *visit) keyName() string {
	if len(v.target.keys) > 1 && v.key != nil {
		return v.key.name
	}
	return ""
}

// mostLegs is how many sends the trail of a line shows.
const mostLegs = 16

// trail tells the way of a call: its sends in their order, each with its target and what came of it, and the waits of a millisecond or more before
// them, such as "one:transient +250ms one:transient two:ok".
func (e *exchange) trail() string {
	var b strings.Builder
	for i, l := range e.legs {
		if i == mostLegs {
			b.WriteString(" … " + strconv.Itoa(len(e.legs)-i) + " more")
			break
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		l.write(&b)
	}
	return b.String()
}

func (l leg) write(b *strings.Builder) {
	if l.wait >= time.Millisecond {
		b.WriteString("+" + l.wait.Round(time.Millisecond).String() + " ")
	}
	b.WriteString(l.target.Name)
	if l.key != "" {
		b.WriteString("/" + l.key)
	}
	switch {
	case l.lost:
		b.WriteString(":lost")
	case l.failed:
		b.WriteString(":" + l.class.String())
	default:
		b.WriteString(":ok")
	}
}

// streamOutcome says how a stream ended that was passed on: "complete", "refused" by the model, "error" inside it, "cut" without its end,
// "stopped" by the gateway's own end, or "client_gone".
func (e *exchange) streamOutcome() string {
	switch {
	case e.stopped:
		return "stopped"
	case e.gone, e.err != nil && trysail.Classify(e.err) == trysail.ClassCanceled:
		return "client_gone"
	case e.err == nil:
		return "complete"
	case !e.broken:
		return "refused"
	case isInBand(e.err):
		return "error"
	default:
		return "cut"
	}
}
