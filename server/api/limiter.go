package api

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// ValidationLimits is how many validations a client address may ask for: one quota for all of
// POST /config/validate*. A batch counts as one.
type ValidationLimits struct {
	// PerMinute is the number in any 60 seconds: 1 to 10,000. Default 60.
	PerMinute int

	// PerHour is the number in any hour: 1 to 10,000. Default 1000.
	PerHour int

	// Cooldown is the time from one validation to the next: 0 to 1 minute. Default 0.
	Cooldown time.Duration
}

func (l ValidationLimits) quota() (quota, error) {
	const most = 10_000 // eight bytes each, for every address
	var errs []error
	check := func(name string, n int) {
		if n < 0 || n > most {
			errs = append(errs, fmt.Errorf("ValidationLimits.%s is %d, want 1 to %d, or 0 for the default", name, n, most))
		}
	}
	check("PerMinute", l.PerMinute)
	check("PerHour", l.PerHour)
	if l.Cooldown < 0 || l.Cooldown > time.Minute {
		errs = append(errs, fmt.Errorf("ValidationLimits.Cooldown is %v, want 0s to 1m", l.Cooldown))
	}
	q := quota{l.PerMinute, l.PerHour, l.Cooldown}
	if q.perMinute == 0 {
		q.perMinute = 60
	}
	if q.perHour == 0 {
		q.perHour = 1000
	}
	return q, errors.Join(errs...)
}

// maxClients bounds the addresses, and the names, that a limiter remembers. With the default quota
// all of them together take 32 MiB at most.
const maxClients = 4096

// A limiter holds each client to a quota: by its address and, where it gives one, by the name of whom it
// asks for. The name is whatever the client says, so it can only cost room, never win some.
type limiter struct {
	start time.Time

	mu        sync.Mutex // guards what follows
	addresses *ledger[netip.Prefix]
	names     *ledger[string] // apart, so that made-up names push out no address
}

func newLimiter(q quota) *limiter {
	return &limiter{
		start:     time.Now(),
		addresses: newLedger[netip.Prefix](q, maxClients),
		names:     newLedger[string](q, maxClients),
	}
}

func (l *limiter) quota() quota { return l.addresses.quota } // it never changes

// take counts once more against address and name, or against neither if it has to wait for either of them.
// A name of "" is none. It returns what was there before.
func (l *limiter) take(address netip.Prefix, name string) usage {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Since(l.start)
	u := l.addresses.look(address, now)
	if name != "" {
		u = fuller(u, l.names.look(name, now))
	}
	if u.wait > 0 {
		return u
	}
	l.addresses.note(address, now)
	if name != "" {
		l.names.note(name, now)
	}
	return u
}

// look returns what has been counted against an address.
func (l *limiter) look(address netip.Prefix) usage {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.addresses.look(address, time.Since(l.start))
}

// lookFor returns what has been counted against a name or, if that is one, against the address of that name:
// whichever has less room left.
func (l *limiter) lookFor(name string) usage {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Since(l.start)
	u := l.names.look(name, now)
	if address, err := netip.ParseAddr(name); err == nil {
		u = fuller(u, l.addresses.look(networkOf(address), now))
	}
	return u
}

// fuller returns the usage that keeps a client waiting longer or, if both keep it from nothing, the higher one.
func fuller(a, b usage) usage {
	if b.wait > a.wait || b.wait == a.wait && (b.minute > a.minute || b.minute == a.minute && b.hour > a.hour) {
		return b
	}
	return a
}
