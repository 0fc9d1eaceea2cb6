package main

import (
	_ "embed"

	"github.com/trysail-go/trysail/config"
)

// fileSchema is the schema of trysail.yaml. It is made of the types and their comments, which the program does not have, by the test of it.
//
//go:embed trysail.schema.json
var fileSchema []byte

// schemaCmd is the command "config schema".
type schemaCmd struct {
	Of string `default:"custom" enum:"custom,file" placeholder:"KIND" help:"custom: of a custom configuration. file: of a configuration file, trysail.yaml (${default})."`
}

// Help is shown by "trysail config schema --help".
func (schemaCmd) Help() string {
	return `The schema is of the draft 2020-12. Editors use it to complete and check files:

  trysail config schema > custom-config.schema.json
  trysail config schema --of file > trysail.schema.json

With the YAML language server, the first line of trysail.yaml names it:

  # yaml-language-server: $schema=trysail.schema.json

Exit code: 0, or 1 if it cannot be written.`
}

// Run prints the schema.
func (c schemaCmd) Run(p *program) error {
	if c.Of == kindFile {
		return emit(p.stdout, fileSchema)
	}
	return emit(p.stdout, config.Schema())
}
