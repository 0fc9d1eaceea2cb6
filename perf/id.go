package perf

import (
	"strconv"
	"sync"
	"time"
)

const idLayout = "bench_20060102_150405"

// ids makes the IDs of runs. Two of them are never equal: in one second they get a number after them, and a clock
// that is put back is not followed.
type ids struct {
	mu   sync.Mutex
	last time.Time // guarded by mu, like n
	n    int       // IDs of that second
}

// next returns the ID of a run that begins now and that taken does not know.
func (d *ids) next(now time.Time, taken func(id string) bool) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	// Round strips the monotonic clock: the IDs go by the date.
	if now = now.UTC().Round(0).Truncate(time.Second); now.After(d.last) {
		d.last, d.n = now, 0
	}
	for {
		d.n++
		id := d.last.Format(idLayout)
		if d.n > 1 {
			id += "_" + strconv.Itoa(d.n)
		}
		if !taken(id) {
			return id
		}
	}
}
