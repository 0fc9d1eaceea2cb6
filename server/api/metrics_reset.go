package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// A metricsResetInput names the operation whose counters are to begin anew; the query goes before the body.
type metricsResetInput struct {
	Name pathName `query:"operation_name" doc:"The operation. Default: all of them. It goes before the body's." example:"summarize"`
	Body *metricsResetBody
}

type metricsResetBody struct {
	Name    pathName   `json:"operation_name,omitempty" doc:"The operation. Default: all of them."`
	Confirm *confirmed `json:"confirm,omitempty" doc:"Need not be there; false is refused."`
}

// A confirmed member is true, or is not there.
type confirmed bool

// Schema implements [huma.SchemaProvider].
func (confirmed) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeBoolean, Extensions: asWritten{"not": asWritten{"const": false}}}
}

type metricsResetView struct {
	Message   string    `json:"message"`
	Operation *string   `json:"operation_name" doc:"Null when it was all of them."`
	ResetAt   time.Time `json:"reset_timestamp"`
}

func (a *API) resetMetrics(ctx context.Context, in *metricsResetInput) (*metricsResetView, error) {
	name := string(in.Name)
	if in.Body != nil {
		if in.Body.Confirm != nil && !*in.Body.Confirm {
			return nil, &problemError{Problem{
				Status: http.StatusUnprocessableEntity, Detail: "The reset is not confirmed",
				Errors: []Fault{{Location: "body.confirm", Message: "wanted true, or no such member"}},
			}}
		}
		if name == "" {
			name = string(in.Body.Name)
		}
	}
	out := metricsResetView{Message: "Reset all resilience metrics", ResetAt: instant(time.Now())}
	ended := countsState{}
	if name == "" {
		for _, op := range a.orc.Operations() {
			was := op.ResetMetrics()
			ended.add(&was)
		}
	} else {
		// An operation that there is not has no counters, which is what was wanted.
		if op, ok := a.orc.Lookup(name); ok {
			was := op.ResetMetrics()
			ended.add(&was)
		}
		out.Message, out.Operation = "Reset metrics for operation: "+name, &name
	}
	if ended.Operations > 0 || name == "" {
		a.audit(ctx, change{what: auditMetrics, target: name, before: ended, after: countsState{Operations: ended.Operations}})
	}
	who := callerOf(ctx)
	a.log.InfoContext(ctx, "metrics reset", "operation", name, "remote_addr", who.addr, "request_id", who.requestID)
	return &out, nil
}
