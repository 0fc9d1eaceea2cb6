// Package config turns what operators write into a [trysail.Config]: the name of
// a preset instead of forty-seven variables.
//
//	cfg, err := config.Load(os.LookupEnv)
//	orc, err := trysail.New(cfg.Trysail)
//
// A preset is data: three come with the package, others can be registered with a [Manager]. Numbers of an operator's own go
// on top of one: a [Custom], which [Validate] makes of a JSON document. [Templates] are such documents to begin with.
// Which preset fits, [Recommend] says by the name of an environment, and [Detect] by what there is around the program.
//
// [Sources] are all places that a configuration comes from; what [Sources.Load] makes of them knows of each value who
// decided it. A [Reloader] does the same while calls run. [Migrate] helps to leave the variables behind that presets have replaced.
package config
