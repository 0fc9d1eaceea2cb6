package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/trysail-go/trysail"
)

// screenStep is how much traffic a line of the demo sums up.
const screenStep = 2 * time.Second

// A result is how one of the demo's calls ended.
type result struct {
	answered, refused, failed bool
	attempts                  int
}

// A screen prints what the demo shows, one line at a time.
type screen struct {
	mu      sync.Mutex // guards what follows
	out     io.Writer
	started time.Time
	state   trysail.State
	answered, rescued, failed,
	refused, attempts int
}

func newScreen(out io.Writer) *screen { return &screen{out: out, started: time.Now()} }

// printf prints a line with the time since the start before it.
func (s *screen) printf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.print(fmt.Sprintf(format, args...))
}

func (s *screen) print(text string) {
	at := time.Since(s.started)
	_, _ = fmt.Fprintf(s.out, "%02d:%02d  %s\n", int(at.Minutes()), int(at.Seconds())%60, text)
}

func (s *screen) phase(p demoPhase) {
	s.printf("--- %s for %v: %s", p.name, p.lasts, p.about)
}

// transition is the observer of the demo's breaker.
func (s *screen) transition(e trysail.Event) {
	if e.Kind != trysail.EventTransition || e.Operation != demoOperation {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = e.To
	s.print(fmt.Sprintf("*** breaker %s -> %s: %s", e.From, e.To, e.Reason))
}

func (s *screen) count(r result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts += r.attempts
	switch {
	case r.refused:
		s.refused++
	case r.answered:
		s.answered++
		if r.attempts > 1 {
			s.rescued++
		}
	case r.failed:
		s.failed++
	}
}

// line sums up what has ended since the last one.
func (s *screen) line() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.print(fmt.Sprintf("answered %2d (%d rescued by a retry)  failed %2d  refused %2d  attempts %2d  breaker %s",
		s.answered, s.rescued, s.failed, s.refused, s.attempts, s.state))
	s.answered, s.rescued, s.failed, s.refused, s.attempts = 0, 0, 0, 0, 0
}

// end prints the sums of the whole demo.
func (s *screen) end(orc *trysail.Orchestrator) {
	op, ok := orc.Lookup(demoOperation)
	if !ok {
		return
	}
	m := op.Metrics()
	s.printf("%d calls: %d answered, %d failed, of which %d were refused at once while the breaker was open. It opened %d times and closed %d times.",
		m.Calls, m.Succeeded, m.Failed, m.Rejected, m.Opens, m.Closes)
}
