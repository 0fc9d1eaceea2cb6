package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/trysail-go/trysail"
)

func (a *API) breakers(context.Context, *nothing) (*breakersView, error) {
	all := a.everyOperation()
	slices.SortFunc(all, func(a, b *trysail.Operation) int { return cmp.Compare(a.Name(), b.Name()) }) // "a[key]" may come after "a-b"
	out := breakersView{Breakers: make(breakerList, 0, len(all)), Timestamp: instant(time.Now())}
	for _, op := range all {
		if b := op.Breaker(); b != nil {
			out.add(viewOfBreaker(op, b))
		}
	}
	out.Healthy = out.Total - out.Open
	return &out, nil
}

func (v *breakersView) add(b breakerView) {
	v.Breakers = append(v.Breakers, b)
	v.Total++
	switch b.State {
	case trysail.Open.String(), trysail.ForcedOpen.String():
		v.Open++
	case trysail.HalfOpen.String():
		v.HalfOpen++
	}
}

// A breakerInput names a circuit breaker.
type breakerInput struct {
	Name pathName `path:"breaker_name" doc:"The circuit breaker's name, percent-encoded; it is the name of its operation." example:"summarize"`
}

func (a *API) breaker(_ context.Context, in *breakerInput) (*breakerView, error) {
	op, b, err := a.findBreaker(string(in.Name))
	if err != nil {
		return nil, err
	}
	view := viewOfBreaker(op, b)
	return &view, nil
}

// A resetInput names a circuit breaker. A body is not needed; clients that send
// one with every POST may send an empty object.
type resetInput struct {
	Name pathName `path:"breaker_name" doc:"The circuit breaker's name, percent-encoded; it is the name of its operation." example:"summarize"`
	Body *emptyView
}

func (a *API) resetBreaker(ctx context.Context, in *resetInput) (*resetView, error) {
	name := string(in.Name)
	_, b, err := a.findBreaker(name)
	if err != nil {
		return nil, err
	}
	who := callerOf(ctx)
	was, is := b.Renew("reset through the API by " + who.addr)
	now := time.Now()
	a.audit(ctx, change{what: auditReset, target: name, before: stateOfBreaker(&was), after: stateOfBreaker(&is)})
	a.log.InfoContext(ctx, "circuit breaker reset", "circuit_breaker", name,
		"previous_state", was.State.String(), "remote_addr", who.addr, "request_id", who.requestID)
	return &resetView{
		Message:       fmt.Sprintf("Circuit breaker '%s' has been reset to closed state", name),
		Name:          name,
		BreakerName:   name,
		PreviousState: was.State.String(),
		NewState:      trysail.Closed.String(),
		ResetAt:       instant(now),
	}, nil
}

// findBreaker returns the breaker of that name with its operation.
func (a *API) findBreaker(name string) (*trysail.Operation, *trysail.Breaker, error) {
	if op, ok := a.orc.Lookup(name); ok {
		if b := op.Breaker(); b != nil {
			return op, b, nil
		}
	}
	known := []string{}
	for _, b := range a.orc.Breakers() {
		known = append(known, b.Operation)
	}
	return nil, nil, &missingError{kind: "Circuit breaker", param: "breaker_name", name: name, known: known}
}
