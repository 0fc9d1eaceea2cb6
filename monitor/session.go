package monitor

import "time"

// A Session is what was recorded for one session.
type Session struct {
	Events      []Event // oldest first
	PresetUsage map[string]int
	Errors      int
	ErrorRate   float64       // errors per event, 0 without events
	AverageLoad time.Duration // 0 without loads
}

// Session returns what is remembered of a session; of one that is not known, or of "", an empty Session. It looks at every
// event of the configuration, so that sessions need no memory of their own and end with their events.
func (c *Collector) Session(id string) Session {
	s := Session{Events: []Event{}, PresetUsage: map[string]int{}}
	if id == "" {
		return s
	}
	id = clip(id, maxName)
	var loads int
	var took float64
	c.lock()
	c.groups[configuration].since(edgeOf(0, 0), func(e *entry) {
		if e.session != id {
			return
		}
		s.Events = append(s.Events, e.event())
		switch e.kind {
		case PresetUsage:
			s.PresetUsage[e.preset]++
		case ConfigLoad:
			loads++
			took += e.value
		case ConfigError:
			s.Errors++
		default: // is in Events
		}
	})
	c.mu.Unlock()
	s.ErrorRate = float64(s.Errors) / float64(max(len(s.Events), 1))
	s.AverageLoad = durationOf(took / float64(max(loads, 1)))
	return s
}
