package config

import (
	"fmt"

	"github.com/trysail-go/trysail"
)

// A Document is what a configuration file says to the library. Package configfile of the server module makes one of
// trysail.yaml; a program may fill one in by itself. The zero Document says nothing. Documents are read only once made.
type Document struct {
	// Name is the file's, for messages and origins.
	Name string

	// Hash tells one content of the file from another. Empty: not known.
	Hash string

	// Preset is the key of the preset that everything else is put on. Empty: the file does not choose.
	Preset string

	// Template is the name of a template whose numbers lie between the preset's and Custom. Empty: none.
	Template string

	// Enabled is false to run every call plainly, once, with metrics only. Nil: the file does not say.
	Enabled *bool

	// LogLevel is DEBUG, INFO, WARNING, ERROR or CRITICAL, in any case. Empty: the file does not say.
	LogLevel string

	// ShowConfigLoading logs each step of loading. Nil: the file does not say.
	ShowConfigLoading *bool

	// Custom holds numbers of the specification's names, as RESILIENCE_CUSTOM_CONFIG does.
	Custom Custom

	// Policy holds what differs from the policy of the preset. It goes before Custom, which says less, and after the environment.
	Policy trysail.Policy

	// Operations gives single operations a strategy, a policy, or both, by name.
	Operations map[string]trysail.OperationConfig

	// Classes replaces rows of the table of what a class of failure leads to.
	Classes map[trysail.Class]trysail.Consequence

	// ObserveCalls reports the end of every call to observers, too. It counts at the start only.
	ObserveCalls bool

	// Line returns the line on which a path such as "policy.retry.attempts" stands, or 0. It may be nil.
	Line func(path string) int
}

// Origin says where in the file the value of a path is.
func (d *Document) Origin(path string) Origin {
	if d.Line != nil {
		if line := d.Line(path); line > 0 {
			return Origin{FromFile, fmt.Sprintf("%s:%d", d.Name, line)}
		}
	}
	return Origin{FromFile, d.Name}
}
