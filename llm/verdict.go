package llm

import (
	"errors"
	"time"

	"github.com/trysail-go/trysail"
)

// A Scope says what is broken, and so what else is worth trying.
type Scope string

// The scopes.
const (
	ScopeRequest Scope = "request" // shrink or mend the request; another target says the same
	ScopeTarget  Scope = "target"  // this model, deployment or region; another one may answer
	ScopeAccount Scope = "account" // this credential or who pays for it; every target that shares it is out
	ScopeNetwork Scope = "network" // the way there
	ScopeCaller  Scope = "caller"  // the caller has gone
)

// A Verdict is what an answer or an error means for the next step. Its zero
// value stands for a success. Its strings but RequestID come from this package's tables, so that
// a metric may carry them as labels.
type Verdict struct {
	Class     trysail.Class // has no meaning when Failed is false
	Failed    bool          // false: an answer that can be used, a truncated one included
	Retryable bool          // the same request to the same target may succeed
	Once      bool          // and if it fails like this again, no other attempt is worth its price; see [trysail.Once]

	// Delay is the server's minimum wait, when HasDelay is true; 0 is a wait, too. Without
	// Retryable it is the time until which coming back is useless.
	Delay    time.Duration
	HasDelay bool

	Scope     Scope
	Reason    string // the code, the phrase or the rule that decided
	Status    int    // the status that counted: the answer's, or the one that its body names; 0 when there is none
	RequestID string // to quote to the provider's support
}

// Committed returns the verdict for a call whose caller has been given a part
// of the answer: of the same class, but not to be repeated.
func (v Verdict) Committed() Verdict {
	v.Retryable, v.Once = false, false
	return v
}

// Mark returns err such that the engine follows the verdict: class, wait, no retry where the
// class would have one and the verdict has none, and one where it is worth no more. [ClassifyError]
// finds the verdict in it again. It returns err itself when nothing failed, nil
// included.
func (v Verdict) Mark(err error) error {
	if err == nil || !v.Failed {
		return err
	}
	marked := trysail.WithClass(err, v.Class, v.Delay)
	if !v.Retryable && mayRetry(v.Class) {
		// For the other classes the configuration alone decides: who sets a retry
		// for them wants it.
		marked = trysail.Committed(marked)
	}
	if v.Once {
		marked = trysail.Once(marked)
	}
	return &judged{marked, v}
}

// mayRetry reports whether a failure of the class is worth another attempt.
func mayRetry(c trysail.Class) bool {
	return c == trysail.ClassTransient || c == trysail.ClassRateLimited || c == trysail.ClassOverloaded
}

// judged carries a verdict beside its error.
type judged struct {
	err     error
	verdict Verdict
}

func (j *judged) Error() string { return j.err.Error() }
func (j *judged) Unwrap() error { return j.err }

// verdictIn returns the verdict that err was marked with.
func verdictIn(err error) (Verdict, bool) {
	var j *judged
	if errors.As(err, &j) {
		return j.verdict, true
	}
	return Verdict{}, false
}
