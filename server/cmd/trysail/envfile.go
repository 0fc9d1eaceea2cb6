package main

import (
	"slices"

	"github.com/alecthomas/kong"

	"github.com/trysail-go/trysail/config"
)

// envFileFlags gives the flags of serve what the env file says of their variables. The command line and the environment
// go before it. Only serve has such a file, and who shows what serve would do: a demo must not meet the keys in it.
type envFileFlags struct {
	lookup func(string) (string, bool)
	file   *config.EnvFile
	read   bool
}

// Validate implements [kong.Resolver].
func (*envFileFlags) Validate(*kong.Application) error { return nil }

// Resolve implements [kong.Resolver].
func (e *envFileFlags) Resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if node := ctx.Selected(); node == nil || !slices.Contains([]string{"serve", "config show", "config diff"}, node.Path()) || len(flag.Envs) == 0 || flag.Name == "env-file" {
		return nil, nil
	}
	if !e.read {
		// A file that cannot be read is reported when the configuration is loaded, with everything else.
		e.file, _ = readEnvFile(e.fileName(ctx))
		e.read = true
	}
	for _, variable := range flag.Envs {
		if _, set := e.lookup(variable); set {
			return nil, nil
		}
		if value, set := e.file.Value(variable); set {
			return value, nil
		}
	}
	return nil, nil
}

// fileName is what --env-file says, which is not in its place yet.
func (e *envFileFlags) fileName(ctx *kong.Context) string {
	for _, path := range ctx.Path {
		if path.Flag != nil && path.Flag.Name == "env-file" {
			name, _ := ctx.FlagValue(path.Flag).(string)
			return name
		}
	}
	if name, set := e.lookup("TRYSAIL_ENV_FILE"); set {
		return name
	}
	return defaultEnvFile
}
