package trysail

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// A histogram counts durations in buckets of which each is at most 1/32 wider
// than its lower end, so that the middle of a bucket is at most 1.6 % off.
//
// Buckets come in octaves, one per power of two. An octave is allocated when the
// first duration falls into it: an idle histogram is small, a busy one has as
// many octaves as its durations spread over, usually two to five.
//
// The zero value is ready. Adding is one atomic addition and takes no lock.
type histogram struct {
	octaves [octaves]atomic.Pointer[octave]
}

const (
	subBits = 5  // an octave has 1<<subBits buckets
	octaves = 36 // the last one ends at 2^40 ns, about 18 minutes; longer durations fall into its last bucket
)

type octave [1 << subBits]atomic.Uint64

// add counts d.
func (h *histogram) add(d time.Duration) {
	o, bucket := place(d)
	cell := h.octaves[o].Load()
	if cell == nil {
		cell = h.grow(o)
	}
	cell[bucket].Add(1)
}

// tryAdd counts d, unless another processor is just counting in the same bucket.
func (h *histogram) tryAdd(d time.Duration) bool {
	o, bucket := place(d)
	cell := h.octaves[o].Load()
	if cell == nil {
		cell = h.grow(o)
	}
	n := cell[bucket].Load()
	return cell[bucket].CompareAndSwap(n, n+1)
}

func (h *histogram) grow(o int) *octave {
	if fresh := new(octave); h.octaves[o].CompareAndSwap(nil, fresh) {
		return fresh
	}
	return h.octaves[o].Load()
}

// place returns where d is counted. Octave 0 holds 0 to 31 ns one by one;
// octave n holds [2^(n+4), 2^(n+5)) in 32 equal parts.
func place(d time.Duration) (o, bucket int) {
	n := uint64(max(d, 0))
	o = max(bits.Len64(n)-subBits, 0)
	if o >= octaves {
		return octaves - 1, 1<<subBits - 1
	}
	if o == 0 {
		return 0, int(n)
	}
	return o, int(n>>(o-1)) & (1<<subBits - 1)
}

// middle is the duration that stands for a bucket.
func middle(o, bucket int) time.Duration {
	if o == 0 {
		return time.Duration(bucket)
	}
	width := int64(1) << (o - 1)
	return time.Duration(int64(1<<subBits+bucket)*width + width/2)
}

// total returns how many durations were counted.
func (h *histogram) total() (n uint64) {
	for o := range h.octaves {
		if cells := h.octaves[o].Load(); cells != nil {
			for i := range cells {
				n += cells[i].Load()
			}
		}
	}
	return n
}

// summarize returns the mean of what the histograms hold together, and the
// duration that the given share of it does not exceed (nearest rank). Both are 0
// when there is nothing.
func summarize(share float64, hs ...*histogram) (mean, quantile time.Duration) {
	var cells [octaves << subBits]uint64
	var count uint64
	var sum float64
	for _, h := range hs {
		for o := range h.octaves {
			part := h.octaves[o].Load()
			if part == nil {
				continue
			}
			for i := range part {
				n := part[i].Load()
				cells[o<<subBits+i] += n
				count += n
				sum += float64(n) * float64(middle(o, i))
			}
		}
	}
	if count == 0 {
		return 0, 0
	}
	rank := uint64(math.Ceil(share * float64(count)))
	for i, n := range cells {
		if n >= rank {
			return time.Duration(sum / float64(count)), middle(i>>subBits, i&(1<<subBits-1))
		}
		rank -= n
	}
	return time.Duration(sum / float64(count)), 0 // not reached: rank is at most count
}
