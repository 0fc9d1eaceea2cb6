package config

// A Source is a kind of place that values come from.
type Source string

// The sources, from the weakest to the strongest.
const (
	FromDefault  Source = "default"  // nobody said anything
	FromPreset   Source = "preset"   // a preset's number
	FromTemplate Source = "template" // a template's number
	FromFile     Source = "file"     // the configuration file
	FromLegacy   Source = "legacy"   // one of the old variables
	FromVariable Source = "variable" // a variable of the environment, or of an .env file
	FromFlag     Source = "flag"     // the command line
	FromReload   Source = "reload"   // somebody, through the API
	FromOverride Source = "override" // a strategy that was given to one operation
)

// An Origin says where one effective value comes from.
type Origin struct {
	Source Source
	Detail string // which one: "production", "trysail.yaml:12", "RESILIENCE_CUSTOM_CONFIG"
}

// String is such as "variable RESILIENCE_PRESET".
func (o Origin) String() string {
	if o.Detail == "" {
		return string(o.Source)
	}
	return string(o.Source) + " " + o.Detail
}
