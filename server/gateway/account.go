package gateway

import (
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"time"
)

// A keyHash tells keys apart without telling them.
type keyHash [sha256.Size]byte

// An account is what a provider knows a key by: a credential of one target or of several. What a provider says of it holds for
// all of them. Instants are those of [Gateway.now].
type account struct {
	gate   atomic.Int64 // until when a short rate limit closes it
	parked atomic.Int64 // until when nothing can be had of it; 0 if it is not parked

	mu     sync.Mutex // guards what follows
	reason string     // why it is parked
	guess  bool       // nobody said until when it is parked
	parks  int        // how often in a row it was parked by a guess
}

// How long an account is parked when the provider does not say for how long: longer each time. Somebody may have paid, or
// renewed the key, and one call in a while finds it out.
const (
	firstPark   = 5 * time.Minute
	longestPark = time.Hour
)

// close closes the gate until an instant. An earlier one changes nothing.
func (a *account) close(until int64) {
	for {
		was := a.gate.Load()
		if until <= was || a.gate.CompareAndSwap(was, until) {
			return
		}
	}
}

// park parks the account for a time, 0 if nobody says for how long, and returns until when.
func (a *account) park(now int64, wait time.Duration, reason string) (until int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.parkedUntil(now) != 0 && wait == 0 {
		return a.parked.Load() // one of several calls that have found it out at the same time
	}
	a.guess = wait == 0
	if a.guess {
		wait = min(firstPark<<min(a.parks, 10), longestPark)
		a.parks++
	}
	a.reason = reason
	a.parked.Store(max(a.parked.Load(), now+int64(wait)))
	return a.parked.Load()
}

// unpark ends the parking. With guessed, it ends only one of which nobody said until when it holds.
func (a *account) unpark(guessed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if guessed && !a.guess {
		return
	}
	a.parked.Store(0)
	a.reason, a.guess = "", false
}

// answered notes that the account is good.
func (a *account) answered() {
	if a.parked.Load() == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.parks = 0
}

// parkedUntil returns until when it is parked, 0 if it is not.
func (a *account) parkedUntil(now int64) int64 {
	if until := a.parked.Load(); until > now {
		return until
	}
	return 0
}

// closedUntil returns until when the account cannot be used, 0 if it can.
func (a *account) closedUntil(now int64) int64 {
	if until := max(a.gate.Load(), a.parked.Load()); until > now {
		return until
	}
	return 0
}

func (a *account) why() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.reason
}
