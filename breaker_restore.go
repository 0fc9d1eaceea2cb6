package trysail

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// MarshalText returns the text of String, or an error for a state that does not exist.
func (s State) MarshalText() ([]byte, error) {
	if s >= states {
		return nil, fmt.Errorf("state %d does not exist", uint8(s))
	}
	return []byte(s.String()), nil
}

// UnmarshalText takes what MarshalText returns, also in capitals and with "_" for "-" as resilience4j
// writes it, and the words for the same that operators know: "isolate" and "isolated" (Polly) and "force-open"
// (Hystrix) are ForcedOpen, "close" (Polly) is Closed, and "force-closed" (Hystrix), under which calls run
// and are counted, is MetricsOnly.
func (s *State) UnmarshalText(text []byte) error {
	word := strings.ReplaceAll(strings.ToLower(string(text)), "_", "-")
	switch word {
	case "isolate", "isolated", "force-open":
		*s = ForcedOpen
		return nil
	case "close":
		*s = Closed
		return nil
	case "force-closed":
		*s = MetricsOnly
		return nil
	}
	for known := range states {
		if known.String() == word {
			*s = known
			return nil
		}
	}
	return fmt.Errorf("state %q does not exist, want one of %v to %v", text, Closed, states-1)
}

// longestOpen bounds how long a breaker may be open.
const longestOpen = 31 * 24 * time.Hour

// Restore puts the breaker into the state of a snapshot, such as one that was stored before the
// program was restarted: the state with its reason, the failures in a row, the end of an open time, an
// operator's word and the doublings of the open time. What was due meanwhile happens at once. Calls under
// way no longer count; probes begin anew, as does the window of the rate rules. The policy and the counters
// stay as they are: a transition is counted where it happens. An observer hears of the restored state, unless the
// breaker was closed and still is. A snapshot that cannot be is refused with every fault named, and changes nothing.
func (b *Breaker) Restore(s BreakerSnapshot) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.op.clock.now()
	if err := b.check(s); err != nil {
		return err
	}
	b.advance(now)
	b.lastFailure, b.openedAt = b.op.clock.instant(s.LastFailure), b.op.clock.instant(s.OpenedAt)
	b.reopens, b.closedAt, b.override, b.cause = s.Reopens, now, nil, ClassTransient
	to, until := s.State, now
	switch to {
	case Open:
		until = max(b.op.clock.instant(s.NextAttemptAt), now) // nothing happens before it is restored
		b.wake(time.Duration(until - now))
	case ForcedOpen, Disabled, MetricsOnly:
		b.override = &override{Override: s.Override}
		if !s.ExpiresAt.IsZero() {
			b.override.until = max(b.op.clock.instant(s.ExpiresAt), now)
			b.wake(time.Duration(b.override.until - now))
		}
	default:
	}
	b.until.Store(until) // also when it is not open: that of an earlier open period is over
	from := b.load().state()
	b.begin(to, s.Failures, now, s.Reason)
	if from != Closed || to != Closed { // that nothing has changed is no news, least of all of a thousand breakers
		b.announce(from, now)
	}
	b.advance(now)
	return nil
}

// check names everything because of which a snapshot cannot be restored.
func (b *Breaker) check(s BreakerSnapshot) error {
	f := faults{where: "BreakerSnapshot"}
	if s.Operation != b.op.name {
		f.add("Operation", "%q, want %q", s.Operation, b.op.name)
	}
	if s.State >= states {
		f.add("State", "%v, want one of %v to %v", s.State, Closed, states-1)
	}
	if s.Failures < 0 || s.Failures > maxFailures {
		f.add("Failures", "%d, want 0 to %d", s.Failures, maxFailures)
	}
	if s.Reopens < 0 || s.Reopens > maxFailures {
		f.add("Reopens", "%d, want 0 to %d", s.Reopens, maxFailures)
	}
	f.end("NextAttemptAt", s.NextAttemptAt, longestOpen)
	f.end("ExpiresAt", s.ExpiresAt, longestHint)
	if s.State == Open && s.NextAttemptAt.IsZero() {
		f.add("NextAttemptAt", "zero, want the time until which it is open")
	}
	return errors.Join(f.errs...)
}

// end wants a time that is not further away than it can be.
func (f *faults) end(field string, t time.Time, most time.Duration) {
	if time.Until(t) > most {
		f.add(field, "%v, want at most %v from now", t.Format(time.RFC3339), most)
	}
}

// Restore puts the breakers of the operations that the snapshots name into their states, those of keys
// included; see [Breaker.Restore] and [Orchestrator.Breakers]. Operations that do not exist yet are created. Those
// whose snapshot is bad, or which have no breaker, are named in the error; the others are restored
// nevertheless.
func (o *Orchestrator) Restore(snapshots []BreakerSnapshot) error {
	var errs []error
	for _, s := range snapshots {
		if err := o.restore(s); err != nil {
			errs = append(errs, fmt.Errorf("restore the breaker of operation %q: %w", s.Operation, err))
		}
	}
	return errors.Join(errs...)
}

// create returns a new operation of that name, or of that name and key.
func (o *Orchestrator) create(name string) *Operation {
	if base, key, keyed := splitKey(name); keyed {
		return o.Operation(base).For(key)
	}
	return o.Operation(name)
}

func (o *Orchestrator) restore(s BreakerSnapshot) error {
	op, ok := o.Lookup(s.Operation)
	if !ok {
		op = o.create(s.Operation)
	}
	switch b := op.Breaker(); {
	case op.bad != nil:
		return op.bad
	case b == nil:
		return errors.New("its policy has no breaker")
	default:
		return b.Restore(s)
	}
}
