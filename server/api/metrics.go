package api

import (
	"context"
	"time"

	"github.com/trysail-go/trysail"
)

func (a *API) metrics(context.Context, *nothing) (*metricsView, error) {
	all := a.everyOperation()
	out := metricsView{
		Operations: make(map[string]countsView, len(all)),
		Breakers:   make(map[string]breakerCountsView, len(all)),
		Summary:    summaryView{Timestamp: instant(time.Now())},
	}
	var total trysail.OperationMetrics
	for _, op := range all {
		out.Summary.Operations++
		b := op.Breaker()
		var s trysail.BreakerSnapshot
		if b != nil {
			s = b.Snapshot() // before the counters, which then have the transitions that it makes
		}
		m := op.Metrics()
		total.Calls += m.Calls
		total.Succeeded += m.Succeeded
		total.Failed += m.Failed
		total.Retries += m.Retries
		out.Operations[op.Name()] = viewOfCounts(m)
		if b == nil {
			continue
		}
		out.Breakers[op.Name()] = breakerCountsView{
			State:            s.State.String(),
			FailureThreshold: s.FailureThreshold,
			RecoveryTimeout:  wholeSeconds(s.RecoveryTimeout),
			Metrics:          out.Operations[op.Name()],
		}
		out.Summary.Breakers++
		if s.State != trysail.Open && s.State != trysail.ForcedOpen {
			out.Summary.HealthyBreakers++
		}
	}
	out.Summary.Calls = total.Calls
	out.Summary.Succeeded = total.Succeeded
	out.Summary.Failed = total.Failed
	out.Summary.Retries = total.Retries
	out.Summary.SuccessRate = percent(total.SuccessRate())
	return &out, nil
}

// An operationInput names an operation.
type operationInput struct {
	Name pathName `path:"operation_name" doc:"The operation's name, percent-encoded." example:"summarize"`
}

func (a *API) operationMetrics(_ context.Context, in *operationInput) (*operationView, error) {
	op, ok := a.orc.Lookup(string(in.Name))
	if !ok {
		return a.plannedOperation(string(in.Name))
	}
	out := operationView{Operation: op.Name(), Strategy: string(op.Strategy())}
	if b := op.Breaker(); b != nil {
		v := viewOfBreaker(op, b)
		out.Metrics, out.Breaker.value = v.Metrics, &v
	} else {
		out.Metrics = viewOfCounts(op.Metrics())
	}
	return &out, nil
}

// plannedOperation answers for an operation that the configuration knows and
// nobody has used yet.
func (a *API) plannedOperation(name string) (*operationView, error) {
	strategy, ok := a.orc.Configuration().Strategies[name]
	if !ok {
		return nil, &missingError{kind: "Operation", param: "operation_name", name: name, known: a.operationNames()}
	}
	return &operationView{
		Operation: name,
		Strategy:  string(strategy),
		Metrics:   viewOfCounts(trysail.OperationMetrics{}),
	}, nil
}

// everyOperation are the operations and those of their keys, each after the one that it belongs to.
func (a *API) everyOperation() []*trysail.Operation {
	ops := a.orc.Operations()
	all := make([]*trysail.Operation, 0, len(ops))
	for _, op := range ops {
		all = append(append(all, op), op.Keys()...)
	}
	return all
}

func (a *API) operationNames() []string {
	names := []string{}
	for _, op := range a.orc.Operations() {
		names = append(names, op.Name())
	}
	return names
}
