package trysail

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

// worst is the largest error that the histogram's comment allows.
const worst = 0.016

// total returns how many durations were counted.
func (h *histogram) total() uint64 { return new(summary).add(h) }

func off(got, want time.Duration) float64 {
	return math.Abs(float64(got-want)) / math.Max(float64(want), 1)
}

func TestPlaceAndMiddle(t *testing.T) {
	for name, tc := range map[string]struct {
		d         time.Duration
		o, bucket int
		middle    time.Duration
	}{
		"negative":                {-1, 0, 0, 0},
		"the most negative":       {math.MinInt64, 0, 0, 0},
		"zero":                    {0, 0, 0, 0},
		"the last exact one":      {31, 0, 31, 31},
		"the first of octave 1":   {32, 1, 0, 32},
		"the last of octave 1":    {63, 1, 31, 63},
		"the first of octave 2":   {64, 2, 0, 65},
		"still in its bucket":     {65, 2, 0, 65},
		"the first of the last":   {1 << 39, octaves - 1, 0, 1<<39 + 1<<33},
		"the last one":            {1<<40 - 1, octaves - 1, 31, 1<<40 - 1<<33},
		"longer than the longest": {1 << 40, octaves - 1, 31, 1<<40 - 1<<33},
		"the longest of all":      {math.MaxInt64, octaves - 1, 31, 1<<40 - 1<<33},
	} {
		t.Run(name, func(t *testing.T) {
			o, bucket := place(tc.d)
			if m := middle(o, bucket); o != tc.o || bucket != tc.bucket || m != tc.middle {
				t.Errorf("place(%d) = %d, %d with the middle %d; want %d, %d, %d", tc.d, o, bucket, m, tc.o, tc.bucket, tc.middle)
			}
		})
	}
}

func TestMiddleIsNeverFarOff(t *testing.T) {
	for range 1_000_000 {
		d := time.Duration(rand.Uint64() >> (24 + rand.IntN(40))) // below 2^40, every octave alike
		if got := middle(place(d)); off(got, d) > worst {
			t.Fatalf("middle(place(%d)) = %d, which is %.2f %% off, want at most %.1f %%", d, got, 100*off(got, d), 100*worst)
		}
	}
}

func TestPlacesAreInOrder(t *testing.T) {
	last := -1
	for o := range octaves {
		for bucket := range 1 << subBits {
			m := middle(o, bucket)
			gotO, gotBucket := place(m)
			if gotO != o || gotBucket != bucket || int(m) <= last {
				t.Fatalf("place(middle(%d, %d)) = %d, %d after %d; want itself, in order", o, bucket, gotO, gotBucket, last)
			}
			last = int(m)
		}
	}
}

// Mean and quantile are compared with the truth, which sorting gives.
func TestSummaryAgainstSortedTruth(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		n := 1 + r.IntN(3000)
		scale := 10 + r.IntN(29)
		truth := make([]time.Duration, n)
		var halves [2]histogram
		var sum float64
		for i := range truth {
			truth[i] = time.Duration(math.Exp2(float64(scale)*(0.5+0.5*r.Float64()))) + 1
			sum += float64(truth[i])
			halves[i%2].add(truth[i])
		}
		slices.Sort(truth)
		for _, share := range []float64{0.01, 0.5, 0.95, 0.99, 1} {
			mean, quantile := summarize(share, &halves[0], &halves[1])
			want := truth[int(math.Ceil(share*float64(n)))-1]
			if off(quantile, want) > worst {
				t.Errorf("seed %d: quantile %v of %d = %v, want %v within 1.6 %%", seed, share, n, quantile, want)
			}
			if wantMean := time.Duration(sum / float64(n)); off(mean, wantMean) > worst {
				t.Errorf("seed %d: mean of %d = %v, want %v within 1.6 %%", seed, n, mean, wantMean)
			}
		}
		if got := halves[0].total() + halves[1].total(); got != uint64(n) {
			t.Errorf("seed %d: total = %d, want %d", seed, got, n)
		}
	}
}

// Nearest rank in whole numbers, against the rounding of 0.95·n: the rank-th of n
// is the first of the ones, or the last of the zeros.
func TestP95IsTheNearestRank(t *testing.T) {
	for n := 1; n <= 500; n++ {
		rank := (95*n + 99) / 100
		for zeros, want := range map[int]time.Duration{rank - 1: 1, rank: 0} {
			var h histogram
			for range zeros {
				h.add(0)
			}
			for range n - zeros {
				h.add(1)
			}
			if _, got := summarize(0.95, &h); got != want {
				t.Errorf("p95 of %d zeros and %d ones = %d, want %d", zeros, n-zeros, got, want)
			}
		}
	}
}

func TestEmptySummary(t *testing.T) {
	if mean, quantile := summarize(0.95, &histogram{}); mean != 0 || quantile != 0 {
		t.Errorf("summarize(nothing) = %v, %v; want 0s, 0s", mean, quantile)
	}
	if mean, quantile := summarize(0.95); mean != 0 || quantile != 0 {
		t.Errorf("summarize() = %v, %v; want 0s, 0s", mean, quantile)
	}
}

func TestNothingIsLostWhenManyAdd(t *testing.T) {
	const adders, each = 8, 5000
	for range 20 { // octaves are new each time: that is where one could be lost
		var h histogram
		var all sync.WaitGroup
		for range adders {
			all.Go(func() {
				for i := range each {
					h.add(time.Duration(1) << (i % 40))
				}
			})
		}
		all.Wait()
		if got := h.total(); got != adders*each {
			t.Fatalf("total() = %d, want %d", got, adders*each)
		}
	}
}

func TestHistogramGrowsOnlyWhereDurationsFall(t *testing.T) {
	var h histogram
	for _, d := range []time.Duration{time.Second, 1010 * time.Millisecond, time.Minute} {
		h.add(d)
	}
	grown := 0
	for o := range h.octaves {
		if h.octaves[o].Load() != nil {
			grown++
		}
	}
	if grown != 2 {
		t.Errorf("octaves = %d, want 2", grown)
	}
}
