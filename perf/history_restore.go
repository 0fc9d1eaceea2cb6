package perf

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// maxFaults is how many faults an error of Restore names.
const maxFaults = 10

// Restore adds what a [Sink] has stored, in any order, before what has been added since, and nothing of it is
// given to the sink again. A baseline that has been set since stays.
//
// What cannot be right is left out: no ID, one that is there already, no time, an operation that is there twice or has no name, a number that is
// negative or not finite. The error names it; the rest is restored.
func (h *History) Restore(suites []Suite, baseline *Baseline) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	taken := map[string]bool{}
	for _, s := range h.suites {
		taken[s.BenchmarkID] = true
	}
	var stored []Suite
	for i, s := range suites {
		if err := s.check(taken[s.BenchmarkID]); err != nil {
			errs = append(errs, fmt.Errorf("suite %d of %d (%q): %w", i+1, len(suites), short(s.BenchmarkID), err))
			continue
		}
		s = s.Clone()
		s.Timestamp = s.Timestamp.UTC()
		taken[s.BenchmarkID], stored = true, append(stored, s)
	}
	slices.SortStableFunc(stored, func(a, b Suite) int {
		return cmp.Or(a.Timestamp.Compare(b.Timestamp), len(a.BenchmarkID)-len(b.BenchmarkID), cmp.Compare(a.BenchmarkID, b.BenchmarkID))
	})
	h.suites = append(stored, h.suites...)
	h.suites = slices.Clone(h.suites[max(len(h.suites)-h.cfg.Max, 0):])
	if err := h.restoreBaseline(baseline); err != nil {
		errs = append(errs, err)
	}
	if more := len(errs) - maxFaults; more > 0 {
		errs = append(errs[:maxFaults], fmt.Errorf("and %d more", more))
	}
	if len(errs) > 0 {
		return fmt.Errorf("restore benchmarks: %w", errors.Join(errs...))
	}
	return nil
}

// restoreBaseline takes a baseline from outside. The caller holds mu.
func (h *History) restoreBaseline(b *Baseline) error {
	if b == nil || h.baseline != nil {
		return nil
	}
	kept := Baseline{BenchmarkID: b.BenchmarkID, SetAt: b.SetAt.UTC(), Averages: map[string]float64{}}
	for name, avg := range b.Averages {
		if name == "" || !(avg >= 0 && avg <= maxNumber) {
			return fmt.Errorf("baseline %q: the average of %q is %v, want 0 to 1e15", short(b.BenchmarkID), short(name), avg)
		}
		kept.Averages[name] = avg
	}
	if len(kept.Averages) == 0 {
		return fmt.Errorf("baseline %q holds no averages", short(b.BenchmarkID))
	}
	h.baseline = &kept
	return nil
}

// check says why a suite cannot be kept; taken reports whether its ID is there already.
func (s Suite) check(taken bool) error {
	switch year := s.Timestamp.UTC().Year(); {
	case s.BenchmarkID == "" || len(s.BenchmarkID) > 200:
		return fmt.Errorf("its ID has %d bytes, want 1 to 200", len(s.BenchmarkID))
	case taken:
		return errors.New("there is one with its ID already")
	case year < 1970 || year > 9999: // RFC 3339 ends there
		return fmt.Errorf("its time is in the year %d, want 1970 to 9999", year)
	case !(s.PassRate >= 0 && s.PassRate <= 1):
		return fmt.Errorf("its pass rate is %v, want 0 to 1", s.PassRate)
	case !(s.TotalDurationMS >= 0 && s.TotalDurationMS <= maxNumber):
		return fmt.Errorf("its duration is %v ms, want 0 to 1e15", s.TotalDurationMS)
	}
	seen := map[string]bool{}
	for i, r := range s.Results {
		switch {
		case r.Operation == "" || seen[r.Operation]:
			return fmt.Errorf("its result %d is of %q, want a name, each once", i+1, short(r.Operation))
		case !r.finite() || r.SuccessRate > 1:
			return fmt.Errorf("its result %d, of %s, has a number that is negative, too large or not finite", i+1, short(r.Operation))
		}
		seen[r.Operation] = true
	}
	return nil
}
