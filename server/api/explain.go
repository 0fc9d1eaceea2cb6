package api

import (
	"context"
	"time"

	"github.com/trysail-go/trysail"
)

type (
	explainView struct {
		Operation string            `json:"operation"`
		Strategy  string            `json:"strategy"`
		State     *string           `json:"circuit_breaker_state" doc:"Null when the operation has no circuit breaker."`
		Decisions []explanationView `json:"decisions" nullable:"false" doc:"The newest 32, the oldest of them first."`
	}

	explanationView struct {
		Time     time.Time `json:"timestamp" doc:"When it happened last."`
		Outcome  string    `json:"outcome" doc:"Failed, refused, hedge lost, or the state that the circuit breaker took." example:"failed"`
		Reason   string    `json:"reason" doc:"The rule that decided, with its counts."`
		Class    *string   `json:"class" doc:"Of a failed call; otherwise null." example:"transient"`
		Attempts *int      `json:"attempts" doc:"Of a failed call; otherwise null."`
		Times    int       `json:"times" minimum:"1" doc:"How often in a row."`
	}
)

func (a *API) explain(_ context.Context, in *operationInput) (*explainView, error) {
	op, ok := a.orc.Lookup(string(in.Name))
	if !ok {
		planned, err := a.plannedOperation(string(in.Name))
		if err != nil {
			return nil, err
		}
		return &explainView{Operation: planned.Operation, Strategy: planned.Strategy, Decisions: []explanationView{}}, nil
	}
	out := explainView{Operation: op.Name(), Strategy: string(op.Strategy()), Decisions: []explanationView{}}
	if b := op.Breaker(); b != nil {
		state := b.State().String() // first: it makes transitions that are due
		out.State = &state
	}
	for _, d := range op.Explain() {
		out.Decisions = append(out.Decisions, viewOfDecision(&d))
	}
	return &out, nil
}

func viewOfDecision(d *trysail.Decision) explanationView {
	v := explanationView{Time: instant(d.Time), Outcome: d.Outcome, Reason: d.Reason, Times: d.Times}
	if d.Attempts > 0 {
		class := d.Class.String()
		v.Class, v.Attempts = &class, &d.Attempts
	}
	return v
}
