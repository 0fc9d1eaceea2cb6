package config

import (
	"maps"

	"github.com/trysail-go/trysail"
)

var aliases = []struct{ short, long string }{ //nolint:gochecknoglobals // a table that nothing changes
	{"summarize", "summarize_text"},
	{"sentiment", "analyze_sentiment"},
	{"key_points", "extract_key_points"},
	{"questions", "generate_questions"},
	{"qa", "answer_question"},
}

// Aliases returns the long name of each operation that presets know by a short one. The caller owns the map.
func Aliases() map[string]string {
	all := make(map[string]string, len(aliases))
	for _, alias := range aliases {
		all[alias.short] = alias.long
	}
	return all
}

// withAliases gives the same strategy to an operation under both its names.
func withAliases(overrides map[string]trysail.Strategy) map[string]trysail.Strategy {
	all := maps.Clone(overrides)
	for name, strategy := range overrides {
		other := otherName(name)
		if _, given := overrides[other]; other != "" && !given {
			all[other] = strategy
		}
	}
	return all
}
