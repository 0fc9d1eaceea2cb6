package main

// configCmd holds the commands about configurations.
type configCmd struct {
	Validate validateCmd `cmd:"" help:"Check a custom configuration."`
	Schema   schemaCmd   `cmd:"" help:"Print the JSON Schema of custom configurations."`
}
