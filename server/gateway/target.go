package gateway

import (
	"cmp"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// targetPrefix begins the names of the targets' operations.
const targetPrefix = "target/"

// A target is one of a plan, made ready.
type target struct {
	Target
	base     *url.URL
	provider llm.Provider
	keys     []*credential // none: the client's own is passed on
	catalog  modelCache
	*standing
}

// A standing is what is known of a target, whatever plan it is in.
type standing struct {
	operation *trysail.Operation
	failed    atomic.Int64                    // instant of its newest failure that counts; 0 if there was none
	desperate atomic.Int32                    // calls under way that had no better choice
	tokens    atomic.Pointer[trysail.Limiter] // nil without a limit of tokens
	paces     paces
	purse     *purse // what is spent there, with and without a limit of dollars

	visits     atomic.Int64 // calls that are there
	drained    atomic.Bool  // by an operator
	exhausted  atomic.Int64 // until when the provider says that its quota is used up
	parkedOpen atomic.Bool  // its breaker is open because all its accounts are parked
}

// A credential is a key of a target.
type credential struct {
	name   string
	key    string
	hash   keyHash
	secret *secret // nil if it is a word
	*account
}

func operationOf(target string) string { return targetPrefix + target }

func (t *target) operationName() string { return operationOf(t.Name) }

// policy returns what the target's operation does: what differs from the defaults of targets, over these.
func (t *target) policy(l Limits) trysail.Policy {
	base := trysail.Policy{
		Breaker: trysail.BreakerPolicy{
			// Failures are a share, not a row: at two calls a second this opens within 5 s of an outage, and never by chance as long as a tenth fails.
			FailureRate: 0.5, Window: 2 * time.Minute, MinCalls: 10,
			RatesOnly:        t.Policy.Breaker.FailureThreshold == 0,
			RecoveryTimeout:  30 * time.Second,
			MaxRecovery:      5 * time.Minute,
			RecoveryJitter:   0.1,
			HalfOpenMaxCalls: 3,
			HonorRetryAfter:  true,
			ProbeTimeout:     min(l.Total+10*time.Second, time.Hour), // a probe may be a stream
		},
		Retry: trysail.RetryPolicy{Disabled: true}, // they are those of the operation that a request names
	}
	if n := t.Limits.Requests; n > 0 {
		base.Limiter = trysail.LimiterPolicy{Rate: n / 60, Burst: max(n/10, 1)}
	}
	if n := t.Limits.Concurrent; n > 0 || t.Limits.Adaptive {
		base.Bulkhead = trysail.BulkheadPolicy{MaxConcurrent: cmp.Or(n, adaptiveMost), Adaptive: t.Limits.Adaptive}
	}
	return t.Policy.Over(base)
}

// adaptiveMost is the most calls at a time where the number is to be found out and no bound is given.
const adaptiveMost = 1000

// breaker returns the target's breaker, or nil if it has none.
func (t *target) breaker() *trysail.Breaker { return t.operation.Breaker() }

// takes reports whether the target can be asked for a model.
func (t *target) takes(model string) bool {
	if !t.Only || model == "" {
		return true
	}
	_, ok := t.Models[model]
	return ok
}

// parked returns until when all accounts of the target are parked, and why; 0 if one of them is not.
func (t *target) parked(now int64) (until int64, reason string) {
	for _, k := range t.keys {
		at := k.parkedUntil(now)
		if at == 0 {
			return 0, ""
		}
		if until == 0 || at < until {
			until, reason = at, k.why()
		}
	}
	return until, reason
}
