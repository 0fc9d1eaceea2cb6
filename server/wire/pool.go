package wire

import (
	"bytes"
	"cmp"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"
)

// A pool holds connections that serve no request, and buffers.
type pool struct {
	most     int           // connections that are kept for a place
	all      int           // and altogether; 0: any number
	timeout  time.Duration // how long one is kept; 0: for ever
	headSize int64         // of an answer, in bytes
	readSize int           // of a connection's buffer, in bytes

	mu    sync.Mutex
	idle  map[place][]*conn // guarded by mu; the newest last
	count int               // guarded by mu; of all connections in idle
	sweep *time.Timer       // guarded by mu; nil while nothing is idle

	buffers sync.Pool // of *bytes.Buffer
}

// The defaults of [http.Transport].
const (
	defaultIdle = http.DefaultMaxIdleConnsPerHost
	defaultHead = 10 << 20
	defaultRead = 4 << 10
)

func (p *pool) limits(base *http.Transport) {
	p.most = cmp.Or(base.MaxIdleConnsPerHost, defaultIdle)
	p.all = base.MaxIdleConns
	p.timeout = base.IdleConnTimeout
	p.headSize = cmp.Or(base.MaxResponseHeaderBytes, defaultHead)
	p.readSize = cmp.Or(base.ReadBufferSize, defaultRead)
	p.idle = make(map[place][]*conn)
	p.buffers.New = func() any { return new(bytes.Buffer) }
}

// take returns an idle connection that is good for a request, the newest, or nil.
func (p *pool) take(at place) *conn {
	for {
		c := p.pop(at)
		if c == nil {
			return nil
		}
		if (p.timeout == 0 || time.Since(c.since) < p.timeout) && c.fresh() {
			c.reused = true
			return c
		}
		_ = c.Close()
	}
}

func (p *pool) pop(at place) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.idle[at]
	if len(list) == 0 {
		return nil
	}
	c := list[len(list)-1]
	list[len(list)-1] = nil
	p.idle[at] = list[:len(list)-1]
	p.count--
	return c
}

var errEnough = errors.New("enough connections are idle")

// put takes a connection that serves no request any more. The error says why it has been closed instead.
func (p *pool) put(c *conn) error {
	c.since = time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle[c.at]) >= p.most || p.all > 0 && p.count >= p.all {
		_ = c.Close()
		return errEnough
	}
	p.idle[c.at] = append(p.idle[c.at], c)
	p.count++
	if p.sweep == nil && p.timeout > 0 {
		p.sweep = time.AfterFunc(p.timeout, p.closeOld)
	}
	return nil
}

// closeOld closes what has been idle for too long. It runs again as long as there is anything to look at.
func (p *pool) closeOld() {
	p.mu.Lock()
	defer p.mu.Unlock()
	oldest := time.Now()
	for at, list := range p.idle {
		young := slices.IndexFunc(list, func(c *conn) bool { return time.Since(c.since) < p.timeout })
		if young < 0 {
			young = len(list)
		}
		for _, c := range list[:young] {
			_ = c.Close()
		}
		p.count -= young
		if young < len(list) && list[young].since.Before(oldest) {
			oldest = list[young].since
		}
		if p.idle[at] = slices.Delete(list, 0, young); len(p.idle[at]) == 0 {
			delete(p.idle, at)
		}
	}
	if p.count == 0 {
		p.sweep = nil
		return
	}
	p.sweep.Reset(time.Until(oldest.Add(p.timeout)))
}

func (p *pool) closeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, list := range p.idle {
		for _, c := range list {
			_ = c.Close()
		}
	}
	clear(p.idle)
	p.count = 0
}

// buffer returns an empty buffer to write a request into.
func (p *pool) buffer() *bytes.Buffer { return p.buffers.Get().(*bytes.Buffer) } //nolint:forcetypeassert // nothing else is in it

func (p *pool) giveBack(b *bytes.Buffer) {
	b.Reset()
	p.buffers.Put(b)
}
