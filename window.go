package trysail

import "time"

// A tally is what a window holds.
type tally struct{ calls, failures, slow, bad, left int } // bad: failed, slow or both

func (t *tally) add(o entry) {
	t.calls++
	if o&heldFailure != 0 {
		t.failures++
	}
	if o&heldSlow != 0 {
		t.slow++
	}
	if o&(heldFailure|heldSlow) != 0 {
		t.bad++
	}
	if o&heldLeft != 0 {
		t.left++
	}
}

func (t *tally) sub(o tally) {
	t.calls -= o.calls
	t.failures -= o.failures
	t.slow -= o.slow
	t.bad -= o.bad
	t.left -= o.left
}

// answered is how many calls have told whether they failed.
func (t *tally) answered() int { return t.calls - t.left }

// A window holds the outcomes of the newest calls: those of a time, or a number
// of them. It is not safe for concurrent use; a breaker's mutex guards it.
type window struct {
	sum tally

	// By time: buckets of equal width, each of which is emptied when it is used again.
	width   int64
	buckets []tally
	newest  int64 // the number of the newest bucket, counted from instant 0

	// By number: the outcomes, the oldest of which is overwritten.
	outcomes []entry
	next     int
}

// windowBuckets is into how many parts a time window is cut: an outcome leaves it
// at most a twelfth of its length too early.
const windowBuckets = 12

// An entry is what a window holds of one call.
type entry uint8

const (
	heldFailure entry = 1 << iota
	heldSlow
	heldLeft // nobody knows whether it would have failed: its caller left
	heldCall
)

// newWindow returns an empty window of the policy's shape.
func newWindow(p *BreakerPolicy, now int64) *window {
	if p.WindowCalls > 0 {
		return &window{outcomes: make([]entry, p.WindowCalls)}
	}
	width := max(int64(p.Window)/windowBuckets, 1)
	return &window{width: width, buckets: make([]tally, windowBuckets), newest: floorDiv(now, width)}
}

// fits reports whether the window has the policy's shape.
func (w *window) fits(p *BreakerPolicy) bool {
	if p.WindowCalls > 0 {
		return len(w.outcomes) == p.WindowCalls
	}
	return w.buckets != nil && w.width == max(int64(p.Window)/windowBuckets, 1)
}

// add counts a call that ended at now.
func (w *window) add(now int64, o entry) {
	if w.outcomes != nil {
		w.push(o)
		return
	}
	w.roll(now)
	w.buckets[slot(w.newest)].add(o)
	w.sum.add(o)
}

// at returns what the window holds at now.
func (w *window) at(now int64) tally {
	if w.outcomes == nil {
		w.roll(now)
	}
	return w.sum
}

// push overwrites the oldest outcome of a window by number.
func (w *window) push(o entry) {
	if old := w.outcomes[w.next]; old != 0 {
		var gone tally
		gone.add(old)
		w.sum.sub(gone)
	}
	w.outcomes[w.next] = o | heldCall
	w.next = (w.next + 1) % len(w.outcomes)
	w.sum.add(o)
}

// roll empties the buckets whose time has passed. Time that goes backwards, as
// between callers that read the clock at the same moment, changes nothing.
func (w *window) roll(now int64) {
	current := floorDiv(now, w.width)
	if current <= w.newest {
		return
	}
	for i := max(w.newest+1, current-windowBuckets+1); i <= current; i++ {
		w.sum.sub(w.buckets[slot(i)])
		w.buckets[slot(i)] = tally{}
	}
	w.newest = current
}

// slot is a bucket's place in the ring; bucket numbers may be negative.
func slot(bucket int64) int {
	return int((bucket%windowBuckets + windowBuckets) % windowBuckets)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// inFlight counts the calls under way by when they began, so that those over a
// limit are known without looking at each. It notices a call at most a sixteenth of the limit
// too late. A breaker's mutex guards it.
type inFlight struct {
	width  int64
	newest int64
	slices [32]int // the calls that began in the newest 32 widths, which is twice the limit
	older  int     // those that began before
}

const inFlightParts = 16

func newInFlight(limit time.Duration, now int64) *inFlight {
	width := max((int64(limit)+inFlightParts-1)/inFlightParts, 1) // rounded up: a call is never noticed too early
	return &inFlight{width: width, newest: floorDiv(now, width)}
}

// begin counts a call that begins at start.
func (f *inFlight) begin(start int64) {
	f.roll(start)
	f.add(start, 1)
}

// end takes back a call that began at start.
func (f *inFlight) end(start int64) { f.add(start, -1) }

func (f *inFlight) add(start int64, n int) {
	part := floorDiv(start, f.width)
	if part <= f.newest-int64(len(f.slices)) {
		f.older += n
		return
	}
	f.slices[f.slot(part)] += n
}

// overdue returns how many calls under way began at least the limit before now.
func (f *inFlight) overdue(now int64) int {
	f.roll(now)
	n := f.older
	// The slice of the limit itself began a part of it ago: only whole parts count.
	for part := f.newest - int64(len(f.slices)) + 1; part < f.newest-inFlightParts; part++ {
		n += f.slices[f.slot(part)]
	}
	return n
}

func (f *inFlight) roll(now int64) {
	current := floorDiv(now, f.width)
	if current <= f.newest {
		return
	}
	span := int64(len(f.slices))
	for i := max(f.newest+1, current-span+1); i <= current; i++ {
		f.older += f.slices[f.slot(i)]
		f.slices[f.slot(i)] = 0
	}
	f.newest = current
}

func (f *inFlight) slot(part int64) int {
	span := int64(len(f.slices))
	return int((part%span + span) % span)
}
