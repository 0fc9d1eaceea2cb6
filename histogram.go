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

// summarize returns the mean of what the histograms hold together, and the
// duration that the given share of it does not exceed (nearest rank). Both are 0
// when there is nothing.
func summarize(share float64, hs ...*histogram) (mean, quantile time.Duration) {
	var s summary
	for _, h := range hs {
		s.add(h)
	}
	return s.mean(), s.quantile(share, hs...)
}

// A summary adds histograms up.
type summary struct {
	count  uint64
	sum    float64 // nanoseconds
	counts [octaves]uint64
}

// add adds what h holds and returns how many durations those are.
func (s *summary) add(h *histogram) (added uint64) {
	for o := range h.octaves {
		cells := h.octaves[o].Load()
		if cells == nil {
			continue
		}
		var inside uint64
		for i := range cells {
			if n := cells[i].Load(); n > 0 {
				inside += n
				s.sum += float64(n) * float64(middle(o, i))
			}
		}
		s.counts[o] += inside
		added += inside
	}
	s.count += added
	return added
}

func (s *summary) mean() time.Duration {
	if s.count == 0 {
		return 0
	}
	return time.Duration(s.sum / float64(s.count))
}

// quantile returns the quantile of the histograms that were added. It looks at the cells of one octave only, once more: they may
// hold a little more by now, or nothing if they were reset.
func (s *summary) quantile(share float64, hs ...*histogram) time.Duration {
	if s.count == 0 {
		return 0
	}
	rank, o := uint64(math.Ceil(share*float64(s.count))), 0
	for ; o < octaves-1 && s.counts[o] < rank; o++ {
		rank -= s.counts[o]
	}
	for bucket := range 1 << subBits {
		var n uint64
		for _, h := range hs {
			if cells := h.octaves[o].Load(); cells != nil {
				n += cells[bucket].Load()
			}
		}
		if n >= rank {
			return middle(o, bucket)
		}
		rank -= n
	}
	return middle(o, 1<<subBits-1)
}
