package gateway

import (
	"context"
	"sync"
)

// A background is what runs beside the requests.
type background struct {
	ctx    context.Context //nolint:containedctx // it lives as long as the gateway
	cancel context.CancelFunc

	mu      sync.Mutex // guards closed, and running's Add
	closed  bool
	running sync.WaitGroup
}

func (b *background) begin() { b.ctx, b.cancel = context.WithCancel(context.Background()) }

// start runs f beside, and reports false if nothing is begun any more. f returns soon after its context has ended.
func (b *background) start(f func(context.Context)) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.running.Go(func() { f(b.ctx) })
	return true
}

// Close ends what the gateway does beside its requests: asking for lists of models, and probes. It waits until that has ended. Requests go on
// being served. It is safe to call it several times, and at any time.
func (g *Gateway) Close() {
	b := &g.background
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.cancel()
	b.running.Wait()
}
