// Package config turns what operators write into a [trysail.Config]: the name of
// a preset instead of forty-seven variables.
//
//	cfg, err := config.Load(os.LookupEnv)
//	orc, err := trysail.New(cfg.Trysail)
//
// A preset is data: three come with the package, see [Presets]. Numbers of an operator's own go on top of one: a
// [Custom], which [Validate] makes of a JSON document.
package config
