package main

import "github.com/trysail-go/trysail/config"

// schemaCmd is the command "config schema".
type schemaCmd struct{}

// Help is shown by "trysail config schema --help".
func (schemaCmd) Help() string {
	return `The schema is of the draft 2020-12. Editors use it to complete and check files:

  trysail config schema > custom-config.schema.json

Exit code: 0, or 1 if it cannot be written.`
}

// Run prints the schema.
func (schemaCmd) Run(p *program) error { return emit(p.stdout, config.Schema()) }
