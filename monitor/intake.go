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
	limit int // batches that may wait

	mu      sync.Mutex // guards what follows; held for a few instructions only
	base    time.Time  // when the time of day was read last
	wall    int64      // what it was then, in nanoseconds since 1970
	last    int64      // the newest date that was given out
	current []entry    // not full, except when nothing more may wait
	full    [][]entry  // oldest first
	spare   [][]entry
	dropped uint64
}

// now returns the time of day, never less than before. Reading the monotonic clock alone costs half; the time of day is
// asked once a second so that it is right again soon after somebody has set the clock, or the machine has slept.
func (q *intake) now() int64 {
	passed := time.Since(q.base)
	if passed >= refresh || q.wall == 0 {
		q.base = time.Now()
		q.wall, passed = q.base.UnixNano(), 0
	}
	q.last = max(q.last, q.wall+int64(passed))
	return q.last
}

// add dates e and queues it, or drops it if too much waits. An e that has a date keeps it, if it is not of the
// future. It reports whether a batch is full.
func (q *intake) add(e *entry) (full bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	if e.at == 0 || e.at > now {
		e.at = now
	}
	if len(q.current) == batch && !q.turn() {
		q.dropped++
		return true
	}
	if q.current == nil {
		q.current = make([]entry, 0, batch)
	}
	q.current = append(q.current, *e)
	return len(q.current) == batch
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
	return q.now()
}

func (q *intake) lost() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}
