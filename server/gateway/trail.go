package gateway

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// A leg is one send to a target.
type leg struct {
	target *target
	key    string        // the name of the credential, where the target has several
	wait   time.Duration // before it
	failed bool
	class  trysail.Class // of the failure
	bill   bill
}

// try sends the request once, to the target at hand, and notes what came of it. Beside an error it returns what that means.
func (e *exchange) try(ctx context.Context) (llm.Verdict, error) {
	here := e.walk.here
	v, err := e.once(ctx)
	l := leg{target: here.target, wait: e.sentAt.Sub(e.since), failed: err != nil, class: v.Class, bill: e.bill(here.target, err != nil)}
	here.spend(l.bill.dollars)
	if len(here.target.keys) > 1 {
		l.key = here.key.name
	}
	e.legs = append(e.legs, l)
	e.since = time.Now()
	return v, err
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
	if l.failed {
		b.WriteString(":" + l.class.String())
	} else {
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
