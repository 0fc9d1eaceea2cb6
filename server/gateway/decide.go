package gateway

import (
	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// A move is what follows a failure.
type move uint8

const (
	end    move = iota // nothing more is tried: the client gets what there is
	repeat             // the engine tries again at the same target, after its wait, if it does
	swap               // the same target with another credential, at once
	onward             // the next target, at once
)

// A situation is what decides beside the failure itself.
type situation struct {
	committed bool // the client has been sent a part
	others    bool // there is another target that takes the call now
	larger    bool // there is one with a larger window
	keys      bool // there is another credential of this target
	last      bool // the engine will not try again
	sends     int  // at this target
	timeouts  int  // in this call
	onPolicy  Reaction
}

// decide returns what follows a failure: see the table in ADR 17.
func decide(v llm.Verdict, s situation) move {
	switch {
	case s.committed, v.Class == trysail.ClassCanceled:
		return end
	case v.Class == trysail.ClassContextLength:
		return first(s.larger, onward)
	case v.Class == trysail.ClassContentPolicy:
		return first(s.others && s.onPolicy == Next, onward)
	case v.Class == trysail.ClassPermanent && v.Scope == llm.ScopeRequest:
		return end
	case isTimeout(v):
		return s.afterTimeout()
	case v.Scope == llm.ScopeAccount, v.Class == trysail.ClassRateLimited:
		return s.elsewhere(s.keys)
	case v.Class == trysail.ClassPermanent, v.Class == trysail.ClassQuotaExhausted:
		return s.elsewhere(false)
	case v.Class == trysail.ClassOverloaded && s.sends > 1, s.last:
		return s.elsewhere(false)
	default:
		return repeat
	}
}

// first returns m if ok, and else the end.
func first(ok bool, m move) move {
	if ok {
		return m
	}
	return end
}

// elsewhere goes to another credential or target; where there is none the engine does what it does after such a failure.
func (s situation) elsewhere(keys bool) move {
	switch {
	case keys:
		return swap
	case s.others:
		return onward
	default:
		return repeat
	}
}

// afterTimeout: who waited in vain twice should not be made to wait a third time.
func (s situation) afterTimeout() move {
	switch {
	case s.others:
		return onward
	case s.timeouts > 1:
		return end
	default:
		return repeat
	}
}

// isTimeout reports whether a limit of ours has passed.
func isTimeout(v llm.Verdict) bool { return v.Scope == llm.ScopeNetwork && v.Reason == "timeout" }
