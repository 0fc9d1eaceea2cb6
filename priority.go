package trysail

import (
	"context"
	"fmt"
)

// A Priority says who goes first where calls wait for a free place: strictly, so that as long as more
// urgent calls wait, others get none. They do not wait for ever, but are refused with [ErrBulkheadFull] after
// BulkheadPolicy.MaxWait, and gave way before that if the queue became full. Work that must have a share whatever else
// there is needs an operation of its own, whose bulkhead is that share.
type Priority uint8

// The priorities, the most urgent first.
const (
	PriorityInteractive Priority = iota // somebody is waiting for the answer; the default
	PriorityBatch                       // work that should be done soon
	PriorityBackground                  // work that takes what is left
	priorities                          // how many there are
)

// String returns "interactive", "batch" or "background".
func (p Priority) String() string {
	names := [priorities]string{"interactive", "batch", "background"}
	if p < priorities {
		return names[p]
	}
	return fmt.Sprintf("Priority(%d)", uint8(p))
}

type priorityKey struct{}

// WithPriority returns a context whose calls have the priority p. One that does not
// exist counts as [PriorityBackground].
func WithPriority(ctx context.Context, p Priority) context.Context {
	return context.WithValue(ctx, priorityKey{}, min(p, PriorityBackground))
}

// priorityOf returns the priority of a context's calls.
func priorityOf(ctx context.Context) Priority {
	p, _ := ctx.Value(priorityKey{}).(Priority)
	return p
}
