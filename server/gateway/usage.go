package gateway

import (
	"sync"
	"time"
)

// A Usage is what has been used since the gateway began.
type Usage struct {
	Since time.Time
	Counts
	Today Counts // since midnight UTC; of names of which nothing was used today there is nothing
}

// Counts are what has been used, by names.
type Counts struct {
	Targets    map[string]UsageCount // by target: what was sent to it
	Operations map[string]UsageCount // by operation: what clients have asked
	Clients    map[string]UsageCount // by the name of a client's key: what was asked with it
}

// UsageCount is the sum of requests, and of what they have used.
type UsageCount struct {
	Requests  uint64 // of a target: sends to it, retries included
	Attempts  uint64 // sends to any target, retries included; of a target the same as Requests
	Estimated uint64 // requests of which the provider did not tell all
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
	today := dayOf(time.Now())
	u := Usage{Since: l.since}
	u.Targets, u.Today.Targets = values(l.targets, today)
	u.Operations, u.Today.Operations = values(l.operations, today)
	u.Clients, u.Today.Clients = values(l.clients, today)
	return u
}

func values(counters map[string]*counter, today int64) (all, ofToday map[string]UsageCount) {
	all, ofToday = make(map[string]UsageCount, len(counters)), map[string]UsageCount{}
	for name, c := range counters {
		all[name] = c.all
		if c.day == today {
			ofToday[name] = c.today
		}
	}
	return all, ofToday
}

// A counter is what is used under one name, altogether and on one day.
type counter struct {
	all, today UsageCount
	day        int64
}

func (c *counter) add(b bill, sends int, today int64) {
	if c.day != today {
		c.day, c.today = today, UsageCount{}
	}
	c.all.add(b, sends)
	c.today.add(b, sends)
}

// A ledger sums up what is used.
type ledger struct {
	since time.Time
	most  int // counters of each kind

	mu                           sync.Mutex // guards what follows
	targets, operations, clients map[string]*counter
}

func (l *ledger) begin(operations int) {
	l.since, l.most = time.Now(), max(operations, 1000)
	l.targets, l.operations, l.clients = map[string]*counter{}, map[string]*counter{}, map[string]*counter{}
}

// enter counts a request that has ended. One that was refused before it had an operation is nobody's.
func (l *ledger) enter(e *exchange, total bill) {
	if e.operation == nil {
		return
	}
	today := dayOf(time.Now())
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of(l.operations, e.operation.Name()).add(total, len(e.legs), today)
	if e.asker != nil {
		l.of(l.clients, e.asker.Name).add(total, len(e.legs), today)
	}
	for _, leg := range e.legs {
		l.of(l.targets, leg.target.Name).add(leg.bill, 1, today)
	}
}

// of returns a counter by its name. l.mu is held.
func (l *ledger) of(counters map[string]*counter, name string) *counter {
	c := counters[name]
	if c == nil && len(counters) >= l.most {
		name = OtherUsage
		c = counters[name]
	}
	if c == nil {
		c = &counter{}
		counters[name] = c
	}
	return c
}

func (c *UsageCount) add(b bill, sends int) {
	c.Requests++
	c.Attempts += uint64(sends) //nolint:gosec // it is a length
	if b.estimated {
		c.Estimated++
	}
	c.Input += b.input
	c.Cached += b.cached
	c.Output += b.output
	c.Dollars += b.dollars
}
