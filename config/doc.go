// Package config turns what operators write into a [trysail.Config]: the name of
// a preset instead of forty-seven variables.
//
//	cfg, err := config.Load(os.LookupEnv)
//	orc, err := trysail.New(cfg.Trysail)
//
// A preset is data: three come with the package, see [Presets].
package config
