package main

// configCmd holds the commands about configurations.
type configCmd struct {
	Validate validateCmd `cmd:"" help:"Check a custom configuration or a configuration file."`
	Show     showCmd     `cmd:"" help:"Print what serve would have in force here, and where each value is from."`
	Diff     diffCmd     `cmd:"" help:"Print what differs between two files, or what a file would change here."`
	Migrate  migrateCmd  `cmd:"" help:"Print what to write in place of old variables."`
	Key      keyCmd      `cmd:"" help:"Make a key for a client of the gateway."`
	Schema   schemaCmd   `cmd:"" help:"Print the JSON Schema of custom configurations."`
}
