package main

import (
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/configfile"
)

// targetSection is a target under gateway.targets of the file.
type targetSection struct {
	// Protocol is what it speaks: openai, anthropic or gemini. Default: the target's name, if that is one of these.
	Protocol string

	// BaseURL is its address: for openai with /v1 or what takes its place, for the others without a version. Default: that of the
	// protocol's own provider.
	BaseURL string `file:"base_url"`

	// Provider settles what providers say with the same signal, such as azure_openai or groq. Default: known by the host of base_url.
	Provider string

	// APIKey is its key, where it has one only. With none at all the client's own is passed on.
	APIKey configfile.Secret `file:"api_key"`

	// Credentials are its keys, where it has several: each is ${NAME}, {env: NAME} or {file: PATH}, with a name for logs beside it if you like.
	// They are used in their order, the next when the provider will not take one.
	Credentials []configfile.Credential

	// Models are its names for models, by the clients' names. A model that is not there keeps its name.
	Models map[string]string

	// ModelsOnly has it take no other models than those of models.
	ModelsOnly bool

	// Window is how many tokens its models take, input and output together. A request that is too long for one target goes on to one with a larger
	// window. Default 0: not known.
	Window int64

	// Price is what tokens cost, each such as "$1.25/1M": dollars for a million tokens. Default: not known.
	Price priceSection

	// Limits are bounds of your own; what the provider says of its limits counts besides. Default: none.
	Limits limitsSection

	// Probe asks it again and again whether it is there, also while no client does. Default: nobody does.
	Probe probeSection

	// Region is for people and logs, such as eu-central.
	Region string

	// Policy is what differs from the policy of targets; its keys are those of policy above.
	Policy targetPolicySection

	// Simulated has the simulated provider of this program answer in its place: no key, no network.
	Simulated bool

	// Draining takes it out of the choice for new calls; those under way finish.
	Draining bool
}

// priceSection is what tokens cost.
type priceSection struct {
	// Input is the price of tokens that are sent.
	Input price

	// CachedInput is the price of tokens that are sent and that the provider has in its cache.
	CachedInput price

	// Output is the price of tokens that come back.
	Output price
}

// probeSection is how a target is asked whether it is there.
type probeSection struct {
	// Path is what is asked for with GET, behind base_url, such as /models.
	Path string

	// Interval is the time from one probe to the next: 100 ms to 1 h. Default: 30 s.
	Interval time.Duration

	// Timeout is the time for an answer: at most interval. Default: 5 s, or interval if that is less.
	Timeout time.Duration
}

// limitsSection are the bounds of a target.
type limitsSection struct {
	// RequestsPerMinute is how many requests it gets in a minute: up to 10 million. 0: any number, as for all of these.
	RequestsPerMinute float64

	// TokensPerMinute is how many tokens, input and output together: up to 1e12.
	TokensPerMinute float64

	// DollarsPerDay is how much may be spent there in a day: up to 10 million. It needs input and output of price.
	DollarsPerDay float64

	// Concurrent is how many calls may be there at a time: up to 100,000; with adaptive the most.
	Concurrent int

	// Adaptive finds out by itself how many it takes at a time.
	Adaptive bool
}

// targetPolicySection is the part of a policy that a target has. The rest belongs to operations.
type targetPolicySection struct {
	Throttle trysail.ThrottlePolicy
	Bulkhead trysail.BulkheadPolicy
	Breaker  trysail.BreakerPolicy
}

func (p targetPolicySection) policy() trysail.Policy {
	return trysail.Policy{Throttle: p.Throttle, Bulkhead: p.Bulkhead, Breaker: p.Breaker}
}

// routeSection is an element of gateway.routes of the file.
type routeSection struct {
	// Name is for people, logs and answers. Default: route-1, route-2 and so on.
	Name string

	// Path is a pattern such as /v1/chat/*; * stands for anything but a slash. Default: all paths.
	Path string

	// Model is a pattern such as gpt-5*; * stands for anything. Default: all models.
	Model string

	// Headers are patterns by the names of headers, such as {X-Team: research*}; all must match.
	Headers map[string]string

	// Targets are those that a call may go to, in their order: the second is asked if the first fails. As soon as one of them has a weight or a
	// priority, those of the same priority share the calls by weight.
	Targets []routeTargetSection

	// Operation is what requests run under that name no operation. Default: chat.
	Operation string

	// Strategy is the strategy of that operation. Default: its own.
	Strategy trysail.Strategy

	// Timeout bounds its calls: up to 59 min. Default: total_timeout.
	Timeout time.Duration

	// OnContentPolicy is deliver or next: what to do when a target refuses a prompt for what it says. Default: deliver the refusal to the client.
	OnContentPolicy string

	// Hedge asks a second target beside one that is late; hedge: p95 is short for hedge: {after: p95}. Default: none is asked.
	Hedge *hedgeSection

	// Continue has another target go on with a text that breaks off after its begin was sent, in chat completions and messages; models may repeat or change
	// words at the seam. Default: the client gets an error event.
	Continue bool

	// Allow says which headers of requests count. Default: all of them.
	Allow allowSection
}

// routeTargetSection is a target's place on a route.
type routeTargetSection struct {
	// Target is its name.
	Target string `file:"target,short"`

	// Priority is its rank, the lowest first: up to 1000.
	Priority *int

	// Weight is its share of the calls among those of its priority: more than 0, up to 1,000,000. Default 1.
	Weight *float64
}

// allowSection says which headers of requests count.
type allowSection struct {
	// Strategy lets X-Trysail-Strategy count.
	Strategy *bool

	// Retries lets X-Trysail-Retries count.
	Retries *bool

	// Timeout lets X-Trysail-Timeout count.
	Timeout *bool

	// Priority lets X-Trysail-Priority count.
	Priority *bool

	// Fallback lets X-Trysail-Fallback count.
	Fallback *bool
}
