package perf

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestPercentileAgreesWithModel holds percentiles to their definition: the least of the times that at least p % of the
// times do not exceed.
func TestPercentileAgreesWithModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 2))
	for range 200 {
		times := make([]float64, 1+rng.IntN(150))
		for i := range times {
			times[i] = float64(rng.IntN(50)) // with equal ones among them
		}
		given := slices.Clone(times)
		s := summarize(times)
		for p := 1; p <= 100; p++ {
			if got, want := s.percentile(p), modelPercentile(given, p); got != want {
				t.Fatalf("percentile(%d) of %v = %v, want %v", p, given, got, want)
			}
		}
		if s.min != slices.Min(given) || s.max != slices.Max(given) || s.percentile(100) != s.max {
			t.Fatalf("summarize(%v) has min %v, max %v", given, s.min, s.max)
		}
	}
}

func modelPercentile(times []float64, p int) float64 {
	best := math.Inf(1)
	for _, candidate := range times {
		below := 0
		for _, v := range times {
			if v <= candidate {
				below++
			}
		}
		if below*100 >= p*len(times) {
			best = min(best, candidate)
		}
	}
	return best
}

func TestSummarize(t *testing.T) {
	for name, c := range map[string]struct {
		times                      []float64
		sum, mean, min, max, stdev float64
		p50, p95, p99              float64
	}{
		"nothing":                       {},
		"one has no deviation":          {[]float64{7}, 7, 7, 7, 7, 0, 7, 7, 7},
		"the deviation is the sample's": {[]float64{2, 4, 4, 4, 5, 5, 7, 9}, 40, 5, 2, 9, math.Sqrt(32.0 / 7), 4, 9, 9},
		"unsorted":                      {[]float64{3, 1, 2}, 6, 2, 1, 3, 1, 2, 3, 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := summarize(c.times)
			got := []float64{s.sum, s.mean, s.min, s.max, s.deviation, s.percentile(50), s.percentile(95), s.percentile(99)}
			want := []float64{c.sum, c.mean, c.min, c.max, c.stdev, c.p50, c.p95, c.p99}
			if !slices.Equal(got, want) {
				t.Errorf("summarize(%v) = %v, want %v", c.times, got, want)
			}
		})
	}
}

// TestPercentileRank is the case in which 0.95·n in floating point is more than it is.
func TestPercentileRank(t *testing.T) {
	times := make([]float64, 20)
	for i := range times {
		times[i] = float64(i + 1)
	}
	if got := summarize(times).percentile(95); got != 19 {
		t.Errorf("percentile(95) of 1 to 20 = %v, want 19", got)
	}
}

func TestMeanStaysWithin(t *testing.T) {
	if s := summarize([]float64{0.1, 0.1, 0.1}); s.mean != 0.1 || s.deviation != 0 {
		t.Errorf("summarize(three times 0.1) = %v ± %v, want 0.1 ± 0", s.mean, s.deviation)
	}
}

func TestPercentChange(t *testing.T) {
	for name, c := range map[string]struct{ was, now, want float64 }{
		"slower":                         {8, 12, 50},
		"faster":                         {8, 6, -25},
		"nothing to nothing":             {0, 0, 0},
		"nothing to something is finite": {0, 1, 100},
		"next to nothing is finite":      {1e-300, 1e12, maxChange},
	} {
		if got := percentChange(c.was, c.now); got != c.want {
			t.Errorf("%s: percentChange(%v, %v) = %v, want %v", name, c.was, c.now, got, c.want)
		}
	}
}
