package gateway

import (
	"sync"
	"time"
)

// A Usage is what has been used since the gateway began.
type Usage struct {
	Since      time.Time
	Targets    map[string]UsageCount // by target: what was sent to it
	Operations map[string]UsageCount // by operation: what clients have asked
	Clients    map[string]UsageCount // by the name of a client's key: what was asked with it
}

// UsageCount is the sum of requests, and of what they have used.
type UsageCount struct {
	Requests  uint64 // of a target: sends to it, retries included
	Estimated uint64 // those of which the provider did not tell all
	Input     int64  // tokens, those from a cache included
	Cached    int64  // tokens of Input that came from a cache
	Output    int64  // tokens
	Dollars   float64
}

// OtherUsage is the name under which is counted what came after the counters were used up.
const OtherUsage = "(other)"

// Usage returns what has been used, by target, by operation and by client. What is under way counts when it has ended. There are as many
// counters as Limits.Operations allows operations, at least 1000 of each kind; what is over that is counted under [OtherUsage]. Targets that a new
// plan has no more keep their counters. It is safe for concurrent use.
func (g *Gateway) Usage() Usage {
	l := &g.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	return Usage{Since: l.since, Targets: values(l.targets), Operations: values(l.operations), Clients: values(l.clients)}
}

func values(counters map[string]*UsageCount) map[string]UsageCount {
	made := make(map[string]UsageCount, len(counters))
	for name, c := range counters {
		made[name] = *c
	}
	return made
}

// A ledger sums up what is used.
type ledger struct {
	since time.Time
	most  int // counters of each kind

	mu                           sync.Mutex // guards what follows
	targets, operations, clients map[string]*UsageCount
}

func (l *ledger) begin(operations int) {
	l.since, l.most = time.Now(), max(operations, 1000)
	l.targets, l.operations, l.clients = map[string]*UsageCount{}, map[string]*UsageCount{}, map[string]*UsageCount{}
}

// enter counts a request that has ended. One that was refused before it had an operation is nobody's.
func (l *ledger) enter(e *exchange, total bill) {
	if e.operation == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of(l.operations, e.operation.Name()).add(total)
	if e.asker != nil {
		l.of(l.clients, e.asker.Name).add(total)
	}
	for _, leg := range e.legs {
		l.of(l.targets, leg.target.Name).add(leg.bill)
	}
}

// of returns a counter by its name. l.mu is held.
func (l *ledger) of(counters map[string]*UsageCount, name string) *UsageCount {
	c := counters[name]
	if c == nil && len(counters) >= l.most {
		name = OtherUsage
		c = counters[name]
	}
	if c == nil {
		c = &UsageCount{}
		counters[name] = c
	}
	return c
}

func (c *UsageCount) add(b bill) {
	c.Requests++
	if b.estimated {
		c.Estimated++
	}
	c.Input += b.input
	c.Cached += b.cached
	c.Output += b.output
	c.Dollars += b.dollars
}
