package monitor

import (
	"sync"
	"time"
)

const (
	batch   = 64          // entries that are filed together
	refresh = time.Second // after which the time of day is read anew
)

// An intake is where events wait until somebody files them: the recorder that fills a batch, unless a reader is
// at work, or the next reader. So recording never waits for a reader, and needs no goroutine.
type intake struct {
	limit int       // batches that may wait
	start time.Time // when it was made

	mu      sync.Mutex    // guards what follows; held for a few instructions only
	read    time.Duration // how long after the start the time of day was read last
	origin  int64         // when the start was by that, in nanoseconds since 1970; 0 if it was never read
	last    int64         // the newest date that was given out
	current []entry       // not full, except when nothing more may wait
	full    [][]entry     // oldest first
	spare   [][]entry
	dropped uint64
}

func newIntake(limit int) intake { return intake{limit: limit, start: time.Now()} }

// passed returns how long it is since the start. That reads the monotonic clock alone, which costs half of what the time of day does
// but still a third of all that recording costs: it is done before the lock is taken.
func (q *intake) passed() time.Duration { return time.Since(q.start) }

// date makes the time of day of what passed returned, never less than before. The time of day is read once a second so that
// it is right again soon after somebody has set the clock, or the machine has slept.
func (q *intake) date(passed time.Duration) int64 {
	if passed-q.read >= refresh || q.origin == 0 {
		now := time.Now()
		passed = now.Sub(q.start)
		q.read, q.origin = passed, now.UnixNano()-int64(passed)
	}
	q.last = max(q.last, q.origin+int64(passed))
	return q.last
}

// add dates e and queues it, or drops it if too much waits. An e that has a date keeps it, if it is not of the
// future. It reports whether a batch is full.
func (q *intake) add(e *entry) (full bool) {
	passed := q.passed()
	q.mu.Lock() // without defer, which costs: nothing below panics
	now := q.date(passed)
	if e.at == 0 || e.at > now {
		e.at = now
	}
	if len(q.current) == batch && !q.turn() {
		q.dropped++
		q.mu.Unlock()
		return true
	}
	if q.current == nil {
		q.current = make([]entry, 0, batch)
	}
	n := len(q.current)
	q.current = q.current[:n+1]
	q.current[n] = *e
	q.mu.Unlock()
	return n+1 == batch
}

// turn puts the full batch behind the others, if it may wait.
func (q *intake) turn() bool {
	if len(q.full) >= q.limit-1 {
		return false
	}
	q.full = append(q.full, q.current)
	q.current = nil
	if n := len(q.spare); n > 0 {
		q.current = q.spare[n-1]
		q.spare = q.spare[:n-1]
	}
	return true
}

// take returns the oldest full batch, nil if there is none. With all it takes one that is not full, too.
func (q *intake) take(all bool) []entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.full) > 0 {
		oldest := q.full[0]
		q.full[0] = nil
		q.full = q.full[1:]
		return oldest
	}
	if len(q.current) == 0 || !all && len(q.current) < batch {
		return nil
	}
	current := q.current
	q.current = nil
	return current
}

// waiting returns how many batches must be taken to have everything that was recorded before.
func (q *intake) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := len(q.full)
	if len(q.current) > 0 {
		n++
	}
	return n
}

// giveBack takes a batch that has been filed for the next events. Two are enough when nothing lags.
func (q *intake) giveBack(filed []entry) {
	clear(filed)
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.current == nil:
		q.current = filed[:0]
	case len(q.spare) < 2:
		q.spare = append(q.spare, filed[:0])
	}
}

// moment returns the time of day by the clock that dates events.
func (q *intake) moment() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.date(q.passed())
}

func (q *intake) lost() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}
