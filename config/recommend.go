package config

import (
	"fmt"
	"slices"
	"strings"
)

// A Recommendation is a preset for an environment, with the reason.
type Recommendation struct {
	Environment string   // as it was asked for, or as [Detect] says: "production (auto-detected)"
	Preset      string   // the key of a built-in preset
	Confidence  float64  // 0 to 1
	Reasoning   string   // a sentence
	Detected    bool     // whether Detect made it
	Signals     []Signal // what Detect saw, in the order in which it looked; nil from [Recommend]
}

// known is a name of an environment that needs no guessing.
type known struct {
	name        string
	environment string // what it is short for
	preset      string
	confidence  float64
}

var knownNames = []known{ //nolint:gochecknoglobals // a table that nothing changes
	{"development", "development", "development", 0.95},
	{"dev", "development", "development", 0.90},
	{"testing", "testing", "development", 0.85},
	{"test", "testing", "development", 0.85},
	{"staging", "staging", "production", 0.90},
	{"stage", "staging", "production", 0.85},
	{"production", "production", "production", 0.95},
	{"prod", "production", "production", 0.90},
	{"live", "production", "production", 0.85},
}

// findName returns the row of a name in lower case, nil if there is none.
func findName(name string) *known {
	if i := slices.IndexFunc(knownNames, func(k known) bool { return k.name == name }); i >= 0 {
		return &knownNames[i]
	}
	return nil
}

// A family is a kind of environment that a name can hint at.
type family struct {
	name       string
	preset     string
	confidence float64 // of a name that only hints
	hostname   float64 // of the name of a host
	words      []string
	why        string
}

// families is in the order in which they are looked for: preprod is staging, although it has prod in it.
var families = []family{ //nolint:gochecknoglobals // a table that nothing changes
	{
		"staging", "production", 0.70, 0.65,
		[]string{"stag", "stage", "stages", "staging", "uat", "integration", "integrations"},
		"it should behave as production does",
	},
	{
		"development", "development", 0.75, 0.60,
		[]string{"dev", "devel", "develop", "developer", "development", "local", "test", "tests", "testing", "sandbox", "sandboxes", "demo", "demos"},
		"failures should show at once",
	},
	{
		"production", "production", 0.75, 0.70,
		[]string{"prod", "production", "live", "release", "releases", "stable", "main", "master"},
		"users depend on it",
	},
}

// Recommend returns the preset for an environment of that name. The usual names are in a table; others, such as prod-eu or
// integration-tests, are read as words, so that device, latest and domain say nothing, and nonprod is not taken for
// production. For a name that says nothing it is the preset simple, with a confidence of 0.4. It never fails.
func Recommend(environment string) Recommendation {
	r := Recommendation{Environment: environment, Preset: "simple", Confidence: 0.40}
	if k := findName(strings.ToLower(strings.TrimSpace(environment))); k != nil {
		r.Preset, r.Confidence, r.Reasoning = k.preset, k.confidence, reasonOf(k.environment)
		return r
	}
	hint := firstHint(environment)
	if hint == nil {
		r.Reasoning = fmt.Sprintf("Unknown environment pattern %s, defaulting to simple preset", quote(strings.TrimSpace(environment)))
		return r
	}
	r.Preset, r.Confidence = hint.preset, hint.confidence
	r.Reasoning = fmt.Sprintf("Environment %s matches the %s pattern: %s", quote(strings.TrimSpace(environment)), hint.name, hint.why)
	return r
}

func reasonOf(environment string) string {
	switch environment {
	case "development":
		return "Fast feedback wanted in a development environment: failures should show at once"
	case "testing":
		return "Short waits wanted in a testing environment: tests should not spend their time on retries"
	case "staging":
		return "Production-like behaviour wanted in a staging environment: what holds there should hold in production"
	default:
		return "High-reliability requirements detected for production environment" // the specification's sentence
	}
}
