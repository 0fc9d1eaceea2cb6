package config

import (
	"encoding/json"
	"slices"
)

// A Companion is the configuration of something that a [Reloader] changes together with the engine, and that the engine knows nothing of, such as the
// targets of a gateway. It is a part of each [Version]: a change of it alone makes a new one. It does not change, and is safe for concurrent use.
type Companion interface {
	// Values lists what it says, with where each is from, always in the same order. None is a secret.
	Values() []Value

	// Since lists what is other than in was: nothing, if both come to the same. It may tell that a secret is another one, and never shows one. Of a version of
	// another process nothing is known but Values.
	Since(was Companion) []Difference

	// Kept returns JSON from which [ReloaderConfig].Restore can make it again, also in another process. There is no secret in it.
	Kept() (json.RawMessage, error)
}

// keptCompanion is a [Companion] of another process, and what one looks like outside of the process.
type keptCompanion struct {
	Said []Value         `json:"values"`
	Text json.RawMessage `json:"text"`
}

func keepCompanion(c Companion) (*keptCompanion, error) {
	if c == nil {
		return nil, nil //nolint:nilnil // there is nothing to keep
	}
	text, err := c.Kept()
	return &keptCompanion{c.Values(), text}, err
}

// Values implements [Companion].
func (k *keptCompanion) Values() []Value { return slices.Clone(k.Said) }

// Since implements [Companion].
func (k *keptCompanion) Since(was Companion) []Difference { return Differences(was.Values(), k.Said) }

// Kept implements [Companion].
func (k *keptCompanion) Kept() (json.RawMessage, error) { return k.Text, nil }

// Since lists what differs from an earlier configuration: first the values of [Loaded.Effective], then what the Companion tells. Where one of both has
// none, nothing is known of it, and nothing said.
func (l *Loaded) Since(was *Loaded) []Difference {
	return append(Differences(was.Effective(), l.Effective()), l.beside(was)...)
}

func (l *Loaded) beside(was *Loaded) []Difference {
	if l.Companion == nil || was.Companion == nil {
		return nil
	}
	return l.Companion.Since(was.Companion)
}
