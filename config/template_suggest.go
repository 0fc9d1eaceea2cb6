package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A Suggestion is the template that comes nearest to a configuration.
type Suggestion struct {
	Template   string  // its key; "" if none comes near
	Confidence float64 // 0 to 1: the share of attempts, threshold and default strategy, as far as given, that are the template's
	Reasoning  string  // a sentence
}

// Suggest returns the template that comes nearest to a custom configuration. Attempts, threshold and default strategy decide; what
// is not given counts as in the preset simple. Among those templates that come near enough, max_delay_seconds and exponential_* count one
// each where they are exactly the template's. Of equals it is the first of [Templates].
func Suggest(c Custom) Suggestion {
	w := wish{numbers: map[string]float64{}}
	for _, f := range fields {
		switch {
		case f.whole != nil && *f.whole(&c) != nil:
			w.numbers[f.Name] = float64(**f.whole(&c))
		case f.real != nil && *f.real(&c) != nil:
			w.numbers[f.Name] = **f.real(&c)
		}
	}
	if c.DefaultStrategy != nil {
		w.strategy = string(*c.DefaultStrategy)
	}
	return w.suggest()
}

// SuggestFor is [Suggest] for a document that need not be valid: numbers may be out of their ranges. The report names fields
// that there are not, values of another type, and what else [Security] finds in any document. With an error in it there is no suggestion.
func SuggestFor(document []byte) (Suggestion, Report) {
	v := validation{report: Report{Size: len(document)}}
	if !v.read(document) {
		return Suggestion{}, v.report
	}
	w := v.wish()
	if !v.report.Valid() {
		return Suggestion{}, v.report
	}
	return w.suggest(), v.report
}

// A wish is what a suggestion looks at.
type wish struct {
	numbers  map[string]float64 // by field, as far as given
	strategy string             // "" if not given
}

// wish reads the fields with a look at their types only.
func (v *validation) wish() wish {
	w := wish{numbers: map[string]float64{}}
	for _, m := range v.root.members {
		f := findField(m.key)
		if f == nil {
			v.unknown(m)
			continue
		}
		switch f.Kind {
		case KindInteger, KindNumber:
			if m.value.kind != isNumber || f.Kind == KindInteger && !numberOf(m.value.text).whole() {
				v.mistyped(f, f.Name, m)
				continue
			}
			w.numbers[f.Name], _ = strconv.ParseFloat(m.value.text, 64) // an infinity is far from every template
		case KindString:
			if v.member(f, f.Name, m) {
				w.strategy = m.value.text
			}
		case KindBoolean:
			v.boolean(f, m)
		case KindObject:
			v.object(f, m)
		}
	}
	return w
}

// The numbers of a wait that tell templates apart which are equal in everything else.
var waits = []string{"max_delay_seconds", "exponential_multiplier", "exponential_min", "exponential_max"} //nolint:gochecknoglobals // a table that nothing changes

func (w wish) suggest() Suggestion {
	const near = 4 // of at most 8
	var best Template
	most, bestWaits := 0, 0
	for _, t := range Templates() {
		score := w.score(t)
		if score < near {
			continue
		}
		alike := len(w.sameWaits(t))
		if score+alike > most {
			best, most, bestWaits = t, score+alike, alike
		}
	}
	if most == 0 {
		return Suggestion{Reasoning: "No template closely matches the provided configuration. Validate it as it is, or begin with a template and change its numbers."}
	}
	same, given := w.keyParameters(best)
	s := Suggestion{
		Template: best.Key, Confidence: 0.5,
		Reasoning: fmt.Sprintf("Configuration closely matches '%s' template with %d/%d key parameters matching", best.Key, same, given),
	}
	if given > 0 {
		s.Confidence = float64(same) / float64(given)
	} else {
		s.Reasoning += ": it gives none of them, so that the usual numbers were compared"
	}
	if bestWaits > 0 {
		s.Reasoning += "; also the same: " + strings.Join(w.sameWaits(best), ", ")
	}
	return s
}

// score says how near a template is, 0 to 8.
func (w wish) score(t Template) int {
	score := 0
	switch distance := math.Abs(w.number("retry_attempts", 3) - float64(*t.Custom.RetryAttempts)); {
	case distance <= 1:
		score += 3
	case distance <= 2:
		score++
	}
	switch distance := math.Abs(w.number("circuit_breaker_threshold", 5) - float64(*t.Custom.CircuitBreakerThreshold)); {
	case distance <= 2:
		score += 2
	case distance <= 5:
		score++
	}
	if w.strategy == string(*t.Custom.DefaultStrategy) || w.strategy == "" && *t.Custom.DefaultStrategy == "balanced" {
		score += 3
	}
	return score
}

// keyParameters counts those that are given, and those of them that are the template's.
func (w wish) keyParameters(t Template) (same, given int) {
	count := func(ok, equal bool) {
		if ok {
			given++
		}
		if ok && equal {
			same++
		}
	}
	n, ok := w.numbers["retry_attempts"]
	count(ok, n == float64(*t.Custom.RetryAttempts))
	n, ok = w.numbers["circuit_breaker_threshold"]
	count(ok, n == float64(*t.Custom.CircuitBreakerThreshold))
	count(w.strategy != "", w.strategy == string(*t.Custom.DefaultStrategy))
	return same, given
}

// sameWaits returns the given numbers of the waits that are the template's.
func (w wish) sameWaits(t Template) []string {
	own := map[string]*float64{
		"exponential_multiplier": t.Custom.ExponentialMultiplier, "exponential_min": t.Custom.ExponentialMin, "exponential_max": t.Custom.ExponentialMax,
	}
	if t.Custom.MaxDelaySeconds != nil {
		own["max_delay_seconds"] = new(float64(*t.Custom.MaxDelaySeconds))
	}
	return slices.DeleteFunc(slices.Clone(waits), func(field string) bool {
		n, given := w.numbers[field]
		return !given || own[field] == nil || n != *own[field]
	})
}

func (w wish) number(field string, otherwise float64) float64 {
	if n, ok := w.numbers[field]; ok {
		return n
	}
	return otherwise
}
