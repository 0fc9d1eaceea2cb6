package gateway

import (
	"sync"
	"time"
)

// A purse is what is spent on a day of UTC, and what calls under way may still spend: money is held before it is spent, so that many calls at the same time
// cannot spend more than there is. The zero value has spent nothing.
type purse struct {
	mu    sync.Mutex // guards what follows
	day   int64      // since 1970
	spent float64    // on that day
	held  float64    // by calls under way, whichever day they began on
	calls int        // how many they are
}

const day = 24 * time.Hour

// dayOf returns which day of UTC it is, counted since 1970.
func dayOf(now time.Time) int64 { return now.Unix() / int64(day/time.Second) }

// soon is when to come back where calls under way may leave enough.
const soon = 2 * time.Second

// hold takes an amount if it is there, and returns 0; otherwise how long it is until there may be enough, and how much is left.
func (p *purse) hold(now time.Time, limit, amount float64) (wait time.Duration, left float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	wait, left = p.look(now, limit, amount)
	if wait == 0 {
		p.held += amount
		p.calls++
	}
	return wait, left
}

// wait returns what hold would, and holds nothing.
func (p *purse) wait(now time.Time, limit, amount float64) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	wait, _ := p.look(now, limit, amount)
	return wait
}

// look returns how long it is until an amount may be there, 0 if it is, and how much is left. p.mu is held.
func (p *purse) look(now time.Time, limit, amount float64) (wait time.Duration, left float64) {
	p.turn(now)
	left = max(limit-p.spent-p.held, 0)
	switch {
	case p.spent < limit && p.spent+p.held+amount <= limit:
		return 0, left
	case p.held > 0 && p.spent < limit && p.spent+amount <= limit:
		return soon, left
	default:
		return max(time.Unix((p.day+1)*int64(day/time.Second), 0).Sub(now), time.Nanosecond), left
	}
}

// spend takes what was spent and not held.
func (p *purse) spend(now time.Time, amount float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.turn(now)
	p.spent += amount
}

// today returns what is spent today, and what calls under way may spend.
func (p *purse) today(now time.Time) (spent, held float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.turn(now)
	return p.spent, p.held
}

// settle gives back what was held and takes what was spent. It belongs to the day on which it is known.
func (p *purse) settle(now time.Time, held, spent float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.turn(now)
	p.spent += spent
	p.held = max(p.held-held, 0)
	if p.calls--; p.calls == 0 {
		p.held = 0 // what rounding has left
	}
}

// turn begins a new day. A clock that was set back begins none. p.mu is held.
func (p *purse) turn(now time.Time) {
	if today := dayOf(now); today > p.day {
		p.day, p.spent = today, 0
	}
}
