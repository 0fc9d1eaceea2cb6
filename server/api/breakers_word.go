package api

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/trysail-go/trysail"
)

// hostOf is the client's address without its port.
func hostOf(ctx context.Context) string {
	addr := callerOf(ctx).addr
	if host, _, err := net.SplitHostPort(addr); err == nil {
		return host
	}
	return addr
}

// A reasonText is why an operator does something: 1 to 200 characters, not only spaces, no control characters.
type reasonText string

// Schema implements [huma.SchemaProvider].
func (reasonText) Schema(huma.Registry) *huma.Schema {
	one, most := 1, 200
	s := &huma.Schema{Type: huma.TypeString, MinLength: &one, MaxLength: &most, Pattern: withSubstance}
	s.PrecomputeMessages()
	return s
}

// A wordInput is an operator's word about a circuit breaker.
type wordInput struct {
	Name pathName `path:"breaker_name" doc:"The circuit breaker's name, percent-encoded; it is the name of its operation." example:"summarize"`
	Body struct {
		Reason  reasonText `json:"reason" doc:"Why, for those who look later." example:"maintenance of the provider"`
		Expires int        `json:"expires_in_seconds,omitempty" minimum:"1" maximum:"31622400" doc:"How long it holds: up to 366 days. Default: until it is lifted."`
	}
}

// A closeInput ends an operator's word.
type closeInput struct {
	Name pathName `path:"breaker_name" doc:"The circuit breaker's name, percent-encoded; it is the name of its operation." example:"summarize"`
	Body struct {
		Reason reasonText `json:"reason" doc:"Why, for those who look later." example:"the provider is back"`
	}
}

type wordView struct {
	Message       string     `json:"message"`
	Name          string     `json:"name"`
	BreakerName   string     `json:"breaker_name" doc:"The same as name."`
	PreviousState string     `json:"previous_state" enum:"closed,open,half-open,forced-open,disabled,metrics-only"`
	NewState      string     `json:"new_state" enum:"closed,forced-open,disabled,metrics-only"`
	Reason        string     `json:"reason"`
	Author        string     `json:"author" doc:"The client's address."`
	ExpiresAt     *time.Time `json:"expires_at" doc:"Null when it holds until it is lifted."`
	ChangedAt     time.Time  `json:"timestamp"`
}

// A command is what an operator can tell a breaker, and the state that it leads to.
type command struct {
	to   trysail.State
	what string // in the audit log
}

// word returns the operation that gives a breaker an operator's word.
func (a *API) word(c command) func(context.Context, *wordInput) (*wordView, error) {
	return func(ctx context.Context, in *wordInput) (*wordView, error) {
		return a.say(ctx, string(in.Name), c, trysail.Override{
			Reason: string(in.Body.Reason), Author: hostOf(ctx), For: time.Duration(in.Body.Expires) * time.Second,
		})
	}
}

func (a *API) closeBreaker(ctx context.Context, in *closeInput) (*wordView, error) {
	return a.say(ctx, string(in.Name), command{trysail.Closed, "breaker.close"}, trysail.Override{Reason: string(in.Body.Reason), Author: hostOf(ctx)})
}

func (a *API) say(ctx context.Context, name string, c command, o trysail.Override) (*wordView, error) {
	_, b, err := a.findBreaker(name)
	if err != nil {
		return nil, err
	}
	was, is, err := b.Overrule(c.to, o)
	if err != nil {
		return nil, err
	}
	now, who := time.Now(), callerOf(ctx)
	a.audit(ctx, change{what: c.what, target: name, before: stateOfBreaker(&was), after: stateOfBreaker(&is)})
	out := wordView{
		Message: fmt.Sprintf("Circuit breaker '%s' is %s now", name, c.to), Name: name, BreakerName: name,
		PreviousState: was.State.String(), NewState: c.to.String(), Reason: o.Reason, Author: o.Author, ExpiresAt: maybe(is.ExpiresAt), ChangedAt: instant(now),
	}
	a.log.InfoContext(ctx, "circuit breaker set by hand", "circuit_breaker", name, "previous_state", out.PreviousState, "new_state", out.NewState,
		"reason", o.Reason, "for", o.For.String(), "remote_addr", who.addr, "request_id", who.requestID)
	return &out, nil
}
