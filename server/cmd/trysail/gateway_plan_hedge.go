package main

import (
	"errors"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trysail-go/trysail/server/gateway"
)

// hedgeSection says when a route asks a second target beside one that is late.
type hedgeSection struct {
	// After is how late: a time, such as 800ms, or a percentile of what the target has needed until its first token (a plain answer: until its
	// end) for the same model, such as p95, from p50 to p99.9. The first that has something to pass on answers, the other one is called off.
	After hedgeDelay `file:"after,short,required"`

	// AtLeast is the shortest such time where after is a percentile: 1 ms to 10 min. Default: 10 ms.
	AtLeast time.Duration

	// Samples is how many answers must have been measured before a percentile counts: up to 500. Default: 20.
	Samples int

	// SameTarget asks the same target once more where the route has one only.
	SameTarget bool
}

// A hedgeDelay is a time or a percentile as the file says it: one that can be read, or empty.
type hedgeDelay string

var (
	percentileForm = regexp.MustCompile(`^p([5-9][0-9](?:\.[0-9]{1,2})?)$`)
	errHedgeDelay  = errors.New("want a time from 1ms to 10m such as 800ms, or a percentile from p50 to p99.9 such as p95")
)

const (
	leastHedge = time.Millisecond
	mostHedge  = 10 * time.Minute
)

// UnmarshalText reads such as "800ms" and "p95".
func (d *hedgeDelay) UnmarshalText(text []byte) error {
	made := hedgeDelay(text)
	if after, percentile := made.read(); (after < leastHedge || after > mostHedge) && (percentile < 0.5 || percentile > 0.999) {
		return errHedgeDelay
	}
	*d = made
	return nil
}

// read returns the one of the two that it is.
func (d hedgeDelay) read() (after time.Duration, percentile float64) {
	if m := percentileForm.FindStringSubmatch(string(d)); m != nil {
		share, _ := strconv.ParseFloat("0."+strings.Replace(m[1], ".", "", 1), 64) // digits only
		return 0, share
	}
	after, err := time.ParseDuration(string(d))
	if err != nil {
		return 0, 0
	}
	return after, 0
}

// hedge compiles when a route hedges.
func (p *planner) hedge(at string, route *gateway.Route, s *hedgeSection) {
	if s == nil || s.After == "" { // which has been reported
		return
	}
	h := gateway.Hedge{Samples: s.Samples, SameTarget: s.SameTarget}
	h.After, h.Percentile = s.After.read()
	switch {
	case h.Percentile == 0 && s.AtLeast != 0:
		p.fault(at+".at_least", "found it beside after: %s, which is a time: want it beside a percentile, such as p95, alone", s.After)
	case s.AtLeast != 0 && (s.AtLeast < leastHedge || s.AtLeast > mostHedge):
		p.fault(at+".at_least", "found %v, want 1ms to 10m", s.AtLeast)
	case h.Percentile != 0:
		h.After = s.AtLeast
	}
	switch {
	case h.Percentile == 0 && s.Samples != 0:
		p.fault(at+".samples", "found it beside after: %s, which is a time: want it beside a percentile, such as p95, alone", s.After)
	case s.Samples < 0 || s.Samples > 500:
		p.fault(at+".samples", "found %d, want 1 to 500", s.Samples)
	}
	if route.Timeout > 0 && h.After >= route.Timeout {
		p.fault(at+".after", "found %v, want less than timeout of the route, which is %v: no second target would ever be asked", h.After, route.Timeout)
	}
	if len(route.Targets) == 1 && !s.SameTarget {
		p.fault(at, "found it on a route with one target, want a second one, or same_target: true, to ask the only one twice")
	}
	route.Hedge = h
}

// hedge lists when a route hedges.
func (l *lister) hedge(name, path string, h *gateway.Hedge) {
	after, percentile := h.After.String(), h.Percentile != 0
	if percentile {
		after = "p" + strconv.FormatFloat(math.Round(h.Percentile*1e4)/100, 'f', -1, 64)
	}
	l.add(name+".after", path+".after", after, percentile || h.After != 0)
	l.add(name+".at_least", path+".at_least", h.After, percentile && h.After != 0)
	l.add(name+".samples", path+".samples", h.Samples, h.Samples != 0)
	l.add(name+".same_target", path+".same_target", h.SameTarget, h.SameTarget)
}

// checkContinue looks whether the rest of an answer can be asked for.
func (p *planner) checkContinue(at string, route *gateway.Route) {
	for _, place := range route.Targets {
		i := slices.IndexFunc(p.plan.Targets, func(t gateway.Target) bool { return t.Name == place.Target })
		if route.Continue && i >= 0 && p.plan.Targets[i].Protocol == gateway.GeminiProtocol {
			p.fault(at, "found true on a route whose target %s speaks gemini, want it for openai and anthropic alone: there is no way to ask for the rest of an answer", place.Target)
			return
		}
	}
}
