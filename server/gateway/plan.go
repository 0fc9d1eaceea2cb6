package gateway

import (
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// A Plan says where requests go. It is put into force as a whole, by [New] and by [Gateway.Apply]. Calls under way
// finish under the plan that they began with.
type Plan struct {
	Targets []Target
	Routes  []Route // the first that matches counts; a request that none matches goes to the targets of its protocol, in their order

	// Keys are those of clients. None: [Config].Access alone says who may use the gateway.
	Keys []ClientKey

	// Operations bounds what operations use, by their names.
	Operations map[string]OperationLimits
}

// A Target is a provider's endpoint with what is needed to use it.
type Target struct {
	// Name is unique: 1 to 64 of the characters A-Z a-z 0-9 . _ : -. Its breaker has the name "target/" and this.
	Name string

	// Protocol is what it speaks. Required.
	Protocol Protocol

	// BaseURL is its address: for OpenAI's protocol with /v1, for the others without a version. Default: the provider's own.
	BaseURL string

	// Provider settles what providers say with the same signal. Default: known by the host of BaseURL.
	Provider llm.Provider

	// Credentials are used in their order, the next when one is parked or its gate is closed. None: the client's own credential is passed on.
	Credentials []Credential

	// Models are the target's names for models by the client's names. A model that is not there keeps its name. If Only is set,
	// the target takes no other models than these.
	Models map[string]string
	Only   bool

	// Window is how many tokens the target's models take, input and output together: 0 is unknown.
	Window int64

	Price  Price
	Limits TargetLimits
	Region string // for people and logs

	// Policy holds what differs from the default policy of targets: its breaker, bulkhead, throttle.
	Policy trysail.Policy

	// Simulated says that it is the simulated provider: it alone gets the headers that ask for faults.
	Simulated bool

	// Probe asks it whether it is there. Default: nobody does.
	Probe Probe

	// Draining takes it out of the choice for new calls; those under way finish.
	Draining bool
}

// A Credential is a provider's key. The same key at two targets is the same account.
type Credential struct {
	Name string // for logs and answers; default the target's name and a number
	Key  string // secret: it is in no log, no answer and no error
}

// A Price is what tokens cost, in dollars for a million. 0: unknown.
type Price struct{ Input, CachedInput, Output float64 }

// TargetLimits are bounds of our own; what the provider says of its limits closes gates besides. 0: none.
type TargetLimits struct {
	Requests   float64 // a minute
	Tokens     float64 // a minute
	Dollars    float64 // a day of UTC; needs prices. No send begins that may cost more than is left
	Concurrent int     // calls at a time; with Adaptive the most
	Adaptive   bool    // finds out how many the provider takes at once
}

// A Route leads requests to targets.
type Route struct {
	Name    string
	Path    string            // a pattern as of package path, such as "/v1/chat/*"; "" matches all
	Model   string            // a pattern such as "gpt-4*"; "" matches all
	Headers map[string]string // header to pattern; all must match

	// Targets are those that a call may go to. They must speak the same protocol.
	Targets []RouteTarget

	// Operation is what requests run under that name no operation. Default [DefaultOperation].
	Operation string

	// Strategy is that of the operation. Default: the operation's own.
	Strategy trysail.Strategy

	// Timeout bounds calls of the route. Default: Limits.Total.
	Timeout time.Duration

	OnContentPolicy Reaction // default Deliver
	Hedge           Hedge    // default none
	Allow           Allowed

	// Continue has another target go on with a text that breaks off after its begin was sent, as far as that can be asked for; see "Going on" in
	// docs/reference/gateway.md. Models may repeat or change words at the seam. Default: the client gets an error event.
	Continue bool
}

// A RouteTarget is a target's place on a route.
type RouteTarget struct {
	Target   string
	Priority int     // lower goes first. Default 0
	Weight   float64 // its share among those of its priority. Default 1; 0 of a Draining target's own accord is not possible
}

// A Reaction is what a route does about an answer that another target might give differently.
type Reaction uint8

// Reactions.
const (
	Deliver Reaction = iota // the client gets it
	Next                    // the next target is tried
)

// Allowed says which headers of a request count. The zero value allows all of them.
type Allowed struct {
	NoStrategy, NoRetries, NoTimeout, NoPriority, NoFallback bool
}

// A Protocol is a provider's way of asking and answering.
type Protocol uint8

// Protocols.
const (
	OpenAIProtocol Protocol = iota + 1
	AnthropicProtocol
	GeminiProtocol
)
