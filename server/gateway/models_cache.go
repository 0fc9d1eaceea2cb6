package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// A modelCache keeps what a target has told of its models.
type modelCache struct {
	mu     sync.Mutex // guards what follows
	list   []listed
	at     time.Time     // when it was told; zero if it never was
	err    error         // of the newest asking; nil if it was good
	tried  time.Time     // the end of it
	asking chan struct{} // closed when the asking under way has ended; nil if there is none
}

// errNotAsked is why a target's models are not known that cannot be asked at present.
var errNotAsked = errors.New("the target takes no calls now")

// modelsOf returns the models of a target. A target with a key of its own is asked once for all clients: what it said is used for a minute, and longer
// while it is asked again beside. One that is asked with the client's key tells every client its own.
func (g *Gateway) modelsOf(ctx context.Context, e *exchange, t *target) ([]listed, error) {
	if len(t.keys) == 0 && !t.Simulated {
		return g.askModels(ctx, t, e.client)
	}
	list, asking, err := g.cachedModels(t)
	if asking == nil {
		return list, err
	}
	select {
	case <-asking:
		t.catalog.mu.Lock()
		defer t.catalog.mu.Unlock()
		return t.catalog.list, t.catalog.err
	case <-ctx.Done():
		return nil, fmt.Errorf("list the models of target %q: %w", t.Name, context.Cause(ctx))
	}
}

// cachedModels returns what is known, or what is to be waited for.
func (g *Gateway) cachedModels(t *target) (list []listed, asking <-chan struct{}, err error) {
	c := &t.catalog
	c.mu.Lock()
	defer c.mu.Unlock()
	age := time.Since(c.at)
	if !c.at.IsZero() && age < modelsFresh {
		return c.list, nil, nil
	}
	if c.asking == nil && (c.err == nil || time.Since(c.tried) >= modelsPause) {
		g.refreshModels(t)
	}
	switch {
	case !c.at.IsZero() && age < modelsStale:
		return c.list, nil, nil
	case c.asking == nil:
		return nil, nil, c.err
	default:
		return nil, c.asking, nil
	}
}

// refreshModels asks beside the requests. t.catalog.mu is held.
func (g *Gateway) refreshModels(t *target) {
	c := &t.catalog
	done := make(chan struct{})
	begun := g.background.start(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, modelsLimit)
		defer cancel()
		list, err := g.askModels(ctx, t, nil)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.err, c.tried, c.asking = err, time.Now(), nil
		if err == nil {
			c.list, c.at = list, c.tried
		}
		close(done)
	})
	if begun {
		c.asking = done
	} else {
		c.err = ErrStopping
	}
}
