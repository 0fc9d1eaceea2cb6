package trysailtest

import (
	"fmt"
	"path"
	"strings"
	"sync"
)

// pathScripts are the scripts set from Go, for requests that carry none.
type pathScripts struct {
	mu   sync.Mutex // guards list and the counts in it
	list []pathScript
}

type pathScript struct {
	pattern string
	script  Script
	seen    int // how many requests have met it
}

// Script sets what happens to the requests whose path matches the pattern and that
// carry no script themselves: one entry of the script for each, in the order in which
// they come, and the last entry for all after that. It is for clients that cannot send
// a header of their own with each attempt; the provider counts the attempts.
//
// The pattern is that of [path.Match], for example "/v1/messages" or
// "/v1beta/models/*"; a blank one matches every path. Of several that match, the one
// set last counts. Setting a pattern again begins anew; a blank script removes it.
func (p *Provider) Script(pattern, script string) error {
	if _, err := path.Match(pattern, "/"); err != nil {
		return fmt.Errorf("script for %q: %w", pattern, err)
	}
	var parsed Script
	if strings.TrimSpace(script) != "" {
		var err error
		if parsed, err = ParseScript(script); err != nil {
			return fmt.Errorf("script for %q: %w", pattern, err)
		}
	}
	p.scripts.set(pattern, parsed)
	return nil
}

func (s *pathScripts) set(pattern string, script Script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.list[:0]
	for _, ps := range s.list {
		if ps.pattern != pattern {
			kept = append(kept, ps)
		}
	}
	s.list = kept
	if script != nil {
		s.list = append(s.list, pathScript{pattern: pattern, script: script})
	}
}

// next returns what happens to a request for the path and which attempt it is, if any
// script is set for it.
func (s *pathScripts) next(requested string) (fault Fault, attempt int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.list) - 1; i >= 0; i-- {
		ps := &s.list[i]
		if matches, err := path.Match(ps.pattern, requested); ps.pattern == "" || err == nil && matches {
			ps.seen++
			return ps.script.At(ps.seen), ps.seen, true
		}
	}
	return Fault{}, 0, false
}
