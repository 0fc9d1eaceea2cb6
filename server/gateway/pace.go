package gateway

import (
	"math"
	"slices"
	"sync"
	"time"
)

const (
	paceSize  = 500              // of the newest answers, so many are known
	paceAge   = 20 * time.Minute // none of them is older
	paceTurns = 16               // how often the percentile is taken anew while as many answers come as are known
	mostPaces = 64               // of a target; models beyond that share one
)

// A pace is how long a target's answers of one kind take until there is something to pass on. It forgets. The zero value knows nothing.
type pace struct {
	mu     sync.Mutex // guards what follows
	ring   []sample
	next   int             // in the ring, once it is full
	sorted []time.Duration // of the samples that counted when they were looked at last
	due    int             // samples until they are looked at again
	looked int64           // when that was
}

// A sample is one answer.
type sample struct {
	at   int64 // when it was there
	took time.Duration
}

// add takes a sample.
func (p *pace) add(now int64, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.due--
	if len(p.ring) < paceSize {
		p.ring = append(p.ring, sample{now, took})
		return
	}
	p.ring[p.next] = sample{now, took}
	p.next = (p.next + 1) % paceSize
}

// percentile returns how long the given share of the answers took at most, and a thirty-second of it more: where all take the same time, none is late. It is
// known from so many samples on.
func (p *pace) percentile(now int64, share float64, least int) (d time.Duration, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.due <= 0 || now-p.looked > int64(paceAge)/paceTurns {
		p.look(now)
	}
	n := len(p.sorted)
	if n == 0 || n < least {
		return 0, false
	}
	d = p.sorted[min(max(int(math.Ceil(share*float64(n)))-1, 0), n-1)] // nearest rank
	return d + d/32, true
}

// look sorts what is not too old. p.mu is held.
func (p *pace) look(now int64) {
	p.sorted = p.sorted[:0]
	for _, s := range p.ring {
		if now-s.at <= int64(paceAge) {
			p.sorted = append(p.sorted, s.took)
		}
	}
	slices.Sort(p.sorted)
	p.due, p.looked = max(len(p.sorted)/paceTurns, 1), now
}

// paces are those of a target. The zero value has none.
type paces struct {
	mu    sync.Mutex // guards byKey
	byKey map[paceKey]*pace
}

// A paceKey is a kind of answers: models differ, and a first token comes long before the end.
type paceKey struct {
	model    string
	streamed bool
}

// of returns the pace of a model's answers.
func (p *paces) of(model string, streamed bool) *pace {
	const longName = 200
	if len(model) > longName {
		model = ""
	}
	key := paceKey{model, streamed}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byKey[key] == nil && len(p.byKey) >= mostPaces {
		key.model = "" // one for all that came too late
	}
	known := p.byKey[key]
	if known == nil {
		known = &pace{}
		if p.byKey == nil {
			p.byKey = map[paceKey]*pace{}
		}
		p.byKey[key] = known
	}
	return known
}
