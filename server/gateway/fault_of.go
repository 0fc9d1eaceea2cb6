package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// faultOf returns the answer for a call that ended without one of a provider's.
// Every one of these is final: what could be repeated has been.
func faultOf(err error) *fault {
	f := &fault{status: http.StatusBadGateway, kind: "server_error", final: true}
	if f.ofRefusal(err) {
		return f
	}
	var (
		late   timeoutError
		bad    badAnswer
		inBand *llm.InBandError
	)
	switch {
	case errors.As(err, &late):
		f.status, f.code = http.StatusGatewayTimeout, "provider_timeout"
		f.message = fmt.Sprintf("The provider did not send %s within %v.", late.what, late.limit)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, errTotal):
		f.status, f.code, f.message = http.StatusGatewayTimeout, "time_limit", "The time limit of the whole request has passed."
	case errors.As(err, &bad):
		f.code, f.message = "bad_provider_answer", fmt.Sprintf("The provider sent %s.", bad.what)
	case errors.Is(err, llm.ErrNotJSON), errors.Is(err, llm.ErrLineTooLong):
		f.code, f.message = "bad_provider_answer", "The provider sent a stream that cannot be read."
	case errors.As(err, &inBand):
		f.ofInBand(err, inBand)
	case errors.Is(err, llm.ErrTruncated):
		f.code, f.message = "stream_interrupted", "The provider's stream ended before its first token."
	default:
		f.code, f.message = "provider_unreachable", "The provider could not be reached, or its connection broke off."
	}
	return f
}

// ofRefusal fills in the fault of a call that was not made, and reports whether err is about one.
func (f *fault) ofRefusal(err error) bool {
	var (
		refused *trysail.Error
		locked  *lockedError
		nowhere *nowhereError
		broke   *budgetError
	)
	switch {
	case errors.As(err, &broke):
		f.status, f.kind, f.code = http.StatusTooManyRequests, "insufficient_quota", "target_budget_exhausted"
		f.message, f.retryAfter = broke.message(), max(broke.wait, time.Second)
		return true
	case errors.As(err, &nowhere) && nowhere.drained:
		f.status, f.code, f.retryAfter = http.StatusServiceUnavailable, "targets_drained", time.Second
		f.message = fmt.Sprintf("Every target of this gateway that has the model %q is drained.", clip(nowhere.model))
		return true
	case errors.As(err, &nowhere):
		f.status, f.kind, f.code = http.StatusNotFound, "invalid_request_error", "model_not_found"
		f.message = fmt.Sprintf("No target of this gateway has the model %q.", clip(nowhere.model))
		return true
	case errors.As(err, &locked) && locked.parked == "":
		f.status, f.kind, f.code = http.StatusTooManyRequests, "rate_limit_error", "provider_rate_limited"
		f.message = fmt.Sprintf("The provider's rate limit is reached, so target %q is paused.", locked.target)
		f.retryAfter = max(locked.wait, time.Second)
		return true
	case errors.As(err, &locked):
		f.status, f.code = http.StatusServiceUnavailable, "account_parked"
		f.message = fmt.Sprintf("Target %q cannot be asked at present: %s.", locked.target, locked.parked)
		f.retryAfter = max(locked.wait, time.Second)
		return true
	case !errors.As(err, &refused):
		return false
	}
	f.retryAfter = max(refused.RetryAfter, time.Second)
	who := fmt.Sprintf("operation %q", refused.Operation)
	var inner *trysail.Error
	if errors.As(refused.Err, &inner) { // the target's refusal, in the operation's error
		refused = inner
		f.retryAfter = max(f.retryAfter, inner.RetryAfter)
	}
	if target, ok := strings.CutPrefix(refused.Operation, targetPrefix); ok {
		who = fmt.Sprintf("target %q", target)
	}
	var open *trysail.OpenError
	switch {
	case errors.Is(err, trysail.ErrOpen) && errors.As(err, &open) && open.State == trysail.ForcedOpen:
		f.status, f.code, f.message = http.StatusServiceUnavailable, "circuit_breaker_open", fmt.Sprintf("An operator has paused %s.", who)
	case errors.Is(err, trysail.ErrOpen):
		f.status, f.code = http.StatusServiceUnavailable, "circuit_breaker_open"
		f.message = fmt.Sprintf("The provider keeps failing, so %s is paused: its circuit breaker is open.", who)
	case errors.Is(err, trysail.ErrLimited), errors.Is(err, trysail.ErrThrottled):
		f.status, f.kind, f.code = http.StatusTooManyRequests, "rate_limit_error", "rate_limit_exceeded"
		f.message = fmt.Sprintf("The rate limit that this gateway keeps for %s is reached.", who)
	case errors.Is(err, trysail.ErrBulkheadFull):
		f.status, f.code = http.StatusServiceUnavailable, "too_many_calls"
		f.message = fmt.Sprintf("As many calls of %s run as may run at once.", who)
	default:
		f.retryAfter = refused.RetryAfter
		return false
	}
	return true
}

// ofInBand fills in the fault of an error that came inside a good answer. Its status is the one that it would have had.
func (f *fault) ofInBand(err error, inBand *llm.InBandError) {
	f.code = "provider_error_inside"
	f.message = fmt.Sprintf("The provider sent an error inside a good answer: %s", inBand.Message)
	v := llm.ClassifyError(context.Background(), "", err)
	switch v.Class {
	case trysail.ClassRateLimited, trysail.ClassQuotaExhausted:
		f.status, f.kind = http.StatusTooManyRequests, "rate_limit_error"
	case trysail.ClassOverloaded:
		f.status = http.StatusServiceUnavailable
		return
	case trysail.ClassContextLength, trysail.ClassContentPolicy:
		f.status, f.kind = http.StatusBadRequest, "invalid_request_error"
	case trysail.ClassPermanent:
		f.status, f.kind = permanentStatus(v), "invalid_request_error"
	default:
		return
	}
	f.kind, f.code = cmp.Or(inBand.Type, f.kind), cmp.Or(inBand.Code, f.code)
	f.retryAfter = v.Delay
}

func permanentStatus(v llm.Verdict) int {
	switch {
	case v.Status >= http.StatusBadRequest && v.Status <= 599:
		return v.Status
	case v.Scope == llm.ScopeAccount:
		return http.StatusUnauthorized
	case v.Scope == llm.ScopeTarget:
		return http.StatusNotFound
	default:
		return http.StatusBadRequest
	}
}
