package trysail

import (
	"fmt"
	"time"
)

// A Strategy is a named set of numbers for retries and breaker. The empty
// Strategy stands for the default one of the [Config].
type Strategy string

// The strategies, from the quickest to give up to the most patient.
const (
	Aggressive   Strategy = "aggressive"   // 2 attempts, short waits: development, fast feedback
	Balanced     Strategy = "balanced"     // 3 attempts: general use
	Conservative Strategy = "conservative" // 5 attempts, longer waits: reliability before latency
	Critical     Strategy = "critical"     // 7 attempts: what must not fail
)

// Strategies returns all strategies in the order above.
func Strategies() []Strategy {
	return []Strategy{Aggressive, Balanced, Conservative, Critical}
}

// known reports whether s is one of the strategies. [ParseStrategy] has the words for one that is not.
func (s Strategy) known() bool {
	switch s {
	case Aggressive, Balanced, Conservative, Critical:
		return true
	default:
		return false
	}
}

// ParseStrategy returns the strategy of that name. Names are in lower case.
func ParseStrategy(name string) (Strategy, error) {
	if s := Strategy(name); s.known() {
		return s, nil
	}
	return "", fmt.Errorf("unknown strategy %q, want one of %v", name, Strategies())
}

// Policy returns the numbers of s. For the empty or an unknown strategy these
// are those of [Balanced].
func (s Strategy) Policy() Policy {
	switch s {
	case Aggressive:
		return numbers{attempts: 2, budget: 10, base: 0.5, least: 1, most: 5, jitter: 2, threshold: 3, recovery: 30}.policy()
	case Conservative:
		return numbers{attempts: 5, budget: 120, base: 2, least: 4, most: 30, jitter: 2, threshold: 8, recovery: 120}.policy()
	case Critical:
		return numbers{attempts: 7, budget: 300, base: 1.5, least: 3, most: 60, jitter: 5, threshold: 10, recovery: 300}.policy()
	default:
		return numbers{attempts: 3, budget: 30, base: 1, least: 2, most: 10, jitter: 2, threshold: 5, recovery: 60}.policy()
	}
}

// numbers is a row of the specification's table of strategies; times are seconds.
type numbers struct {
	attempts, threshold               int
	budget, base, least, most, jitter float64
	recovery                          float64
}

func (n numbers) policy() Policy {
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	return Policy{
		Retry: RetryPolicy{
			Attempts:    n.attempts,
			DelayBudget: seconds(n.budget),
			Base:        seconds(n.base),
			MinDelay:    seconds(n.least),
			MaxDelay:    seconds(n.most),
			Jitter:      seconds(n.jitter),
		},
		Breaker: BreakerPolicy{
			FailureThreshold: n.threshold,
			RecoveryTimeout:  seconds(n.recovery),
			HalfOpenMaxCalls: 1,
		},
	}
}

// simple is the policy of the preset "simple": balanced, with a budget for
// waits that fits its three attempts.
func simple() Policy {
	p := Balanced.Policy()
	p.Retry.DelayBudget = time.Minute
	return p
}
