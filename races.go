package trysail

import (
	"context"
	"sync"
)

// races holds the contexts of hedged attempts that must live as long as a permit: an answer that has
// only begun is read under the context of the attempt that won.
type races struct {
	mu   sync.Mutex // guards what follows
	ends []context.CancelFunc
	over bool
}

type racesKey struct{}

// within returns a context by which Hedged finds r.
func (r *races) within(ctx context.Context) context.Context {
	return context.WithValue(ctx, racesKey{}, r)
}

// racesOf returns the races that a context belongs to, or nil.
func racesOf(ctx context.Context) *races {
	r, _ := ctx.Value(racesKey{}).(*races)
	return r
}

// keep takes over the duty to end a context, and returns what the caller must call instead.
func (r *races) keep(end context.CancelFunc) context.CancelFunc {
	if r == nil {
		return end
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return end
	}
	r.ends = append(r.ends, end)
	return func() {}
}

// end ends all contexts.
func (r *races) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	for _, end := range r.ends {
		end()
	}
	r.ends = nil
}
