package api

import (
	"maps"
	"math"
	"slices"
	"time"
)

type (
	gatewayUsageView struct {
		Since      time.Time           `json:"since" doc:"The start of the gateway, from which on it counts."`
		Day        string              `json:"day" format:"date" doc:"The day of UTC that today stands for." example:"2026-11-25"`
		Targets    []gatewayCountsView `json:"targets" nullable:"false" doc:"What was sent to each target, by name. Its requests are attempts."`
		Operations []gatewayCountsView `json:"operations" nullable:"false" doc:"What was asked under each operation."`
		Clients    []gatewayCountsView `json:"clients" nullable:"false" doc:"What was asked with each key of a client, by the key's name."`
		Timestamp  time.Time           `json:"timestamp"`
	}

	gatewayCountsView struct {
		Name  string           `json:"name" example:"openai"`
		All   gatewayCountView `json:"all" doc:"Since the start."`
		Today gatewayCountView `json:"today" doc:"Since midnight UTC."`
	}

	gatewayCountView struct {
		Requests  uint64  `json:"requests"`
		Attempts  uint64  `json:"attempts" doc:"Requests that were sent to targets, retries included."`
		Estimated uint64  `json:"estimated_requests" doc:"Those of which the provider did not tell all."`
		Input     int64   `json:"input_tokens" doc:"Those from a cache are among them."`
		Cached    int64   `json:"cached_tokens" doc:"Of the input."`
		Output    int64   `json:"output_tokens"`
		Dollars   float64 `json:"dollars" doc:"By the prices of the targets; those without a price count nothing."`
	}

	gatewayTargetsView struct {
		Targets   []gatewayTargetView `json:"targets" nullable:"false" doc:"In the order of the configuration."`
		Timestamp time.Time           `json:"timestamp"`
	}

	gatewayTargetView struct {
		Name      string                   `json:"name" example:"openai"`
		Protocol  string                   `json:"protocol" example:"openai"`
		Region    string                   `json:"region"`
		Takes     bool                     `json:"takes_calls" doc:"Whether it can be asked now: its breaker lets calls through, it is not drained, an account is open, and it has money."`
		State     *string                  `json:"circuit_breaker_state" doc:"Null when it has no circuit breaker."`
		Reason    string                   `json:"circuit_breaker_reason"`
		OpenUntil *time.Time               `json:"next_attempt_at" doc:"When its open circuit breaker tries again."`
		Draining  bool                     `json:"draining" doc:"It gets no new calls: by the configuration or by an operator."`
		Drained   bool                     `json:"drained_by_operator"`
		Calls     int64                    `json:"calls_in_flight"`
		Exhausted *time.Time               `json:"quota_exhausted_until" doc:"What the provider says of a quota of the target; null if nothing."`
		Accounts  []gatewayAccountView     `json:"accounts" nullable:"false" doc:"Its credentials, in their order; none where clients bring theirs."`
		Requests  orNull[gatewayRateView]  `json:"requests_per_minute" doc:"Null without a limit."`
		Tokens    orNull[gatewayRateView]  `json:"tokens_per_minute" doc:"Null without a limit."`
		Dollars   orNull[gatewayMoneyView] `json:"dollars_per_day" doc:"Null without a limit."`
	}

	gatewayAccountView struct {
		Name   string     `json:"name" doc:"Of the credential; never the key." example:"openai-1"`
		Closed *time.Time `json:"closed_until" doc:"By a short rate limit; null if it is open."`
		Parked *time.Time `json:"parked_until" doc:"Its quota is used up or its key refused; null if that is not so."`
		Reason string     `json:"parked_reason"`
	}

	gatewayRateView struct {
		Limit float64 `json:"limit"`
		Left  float64 `json:"left" doc:"Free at this moment."`
	}

	gatewayMoneyView struct {
		Limit  float64    `json:"limit"`
		Spent  float64    `json:"spent" doc:"Today, which is a day of UTC."`
		Held   float64    `json:"held" doc:"What calls under way may spend."`
		Left   float64    `json:"left"`
		BackAt *time.Time `json:"closed_until" doc:"Midnight UTC, where nothing is left; otherwise null."`
	}

	drainView struct {
		Message   string    `json:"message"`
		Name      string    `json:"name"`
		Previous  bool      `json:"previously_drained"`
		Drained   bool      `json:"drained"`
		Reason    string    `json:"reason"`
		Author    string    `json:"author" doc:"The client's address."`
		ChangedAt time.Time `json:"timestamp"`
	}
)

func countsOf(counts map[string]GatewayCounts) []gatewayCountsView {
	views := make([]gatewayCountsView, 0, len(counts))
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		c := counts[name]
		views = append(views, gatewayCountsView{name, viewOfCount(&c.All), viewOfCount(&c.Today)})
	}
	return views
}

func viewOfCount(c *GatewayCount) gatewayCountView {
	return gatewayCountView{c.Requests, c.Attempts, c.Estimated, c.Input, c.Cached, c.Output, nanodollars(c.Dollars)}
}

// nanodollars rounds an amount: a sum of binary fractions is not what people expect to see.
func nanodollars(amount float64) float64 { return math.Round(amount*1e9) / 1e9 }

func viewOfTarget(t *GatewayTarget) gatewayTargetView {
	v := gatewayTargetView{
		Name: t.Name, Protocol: t.Protocol, Region: t.Region, Reason: t.Reason, OpenUntil: maybe(t.OpenUntil), Draining: t.Draining || t.Drained, Drained: t.Drained,
		Calls: t.Calls, Exhausted: maybe(t.Exhausted), Accounts: []gatewayAccountView{},
		Requests: viewOfRate(t.RequestLimit, t.RequestsLeft), Tokens: viewOfRate(t.TokenLimit, t.TokensLeft),
	}
	if t.State != "" {
		v.State = &t.State
	}
	open := len(t.Accounts) == 0
	for _, a := range t.Accounts {
		open = open || a.Closed.IsZero() && a.Parked.IsZero()
		v.Accounts = append(v.Accounts, gatewayAccountView{a.Name, maybe(a.Closed), maybe(a.Parked), a.Reason})
	}
	if t.DollarLimit > 0 {
		v.Dollars.value = &gatewayMoneyView{t.DollarLimit, nanodollars(t.DollarsSpent), nanodollars(t.DollarsHeld), nanodollars(t.DollarsLeft), maybe(t.MoneyBack)}
	}
	v.Takes = open && !v.Draining && t.State != "open" && t.State != "forced-open" && t.MoneyBack.IsZero()
	return v
}

func viewOfRate(limit, left float64) orNull[gatewayRateView] {
	if limit == 0 {
		return orNull[gatewayRateView]{}
	}
	return orNull[gatewayRateView]{&gatewayRateView{limit, math.Floor(left)}}
}
