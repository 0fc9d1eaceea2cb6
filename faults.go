package trysail

import (
	"fmt"
	"time"
)

// faults collects what is wrong with a configuration, so that all of it is named
// at once.
type faults struct {
	where string // whose fields these are
	errs  []error
}

// add notes a fault of a field; format and args say its value and what was wanted.
func (f *faults) add(field, format string, args ...any) {
	f.errs = append(f.errs, fmt.Errorf("%s.%s is %s", f.where, field, fmt.Sprintf(format, args...)))
}

// count wants 1 to most.
func (f *faults) count(field string, n, most int) {
	if n < 1 || n > most {
		f.add(field, "%d, want 1 to %d", n, most)
	}
}

// span wants a time of more than 0 and at most an hour.
func (f *faults) span(field string, d time.Duration) {
	if d <= 0 || d > time.Hour {
		f.add(field, "%v, want more than 0s and at most 1h", d)
	}
}

// share wants 0, which switches a rule off, to 1.
func (f *faults) share(field string, s float64) {
	if s >= 0 && s <= 1 {
		return
	}
	f.add(field, "%v, want more than 0 and at most 1, or 0 for no such rule", s)
}
