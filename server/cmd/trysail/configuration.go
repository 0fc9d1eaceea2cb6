package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"runtime/debug"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/monitor"
	"github.com/trysail-go/trysail/server/api"
	"github.com/trysail-go/trysail/server/configfile"
	"github.com/trysail-go/trysail/server/gateway"
)

// defaultEnvFile need not be there; a file of any other name must.
const defaultEnvFile = ".env"

// A reader reads everything that the configuration is made of.
type reader struct {
	command *serveCmd // as the command line and the environment have it
	lookup  func(string) (string, bool)
	presets *config.Manager
	loader  configfile.Loader // remembers retry budgets

	// registered lists the operations that there are, which a custom configuration may name. Nil: it is the start.
	registered func() []string
}

func newReader(command *serveCmd, p *program) *reader {
	presets := config.NewManager()
	return &reader{command: command, lookup: p.lookup, presets: presets, loader: configfile.Loader{Presets: presets.Get}}
}

// A reading is what there was at one time.
type reading struct {
	file     *configuration
	settings *serveCmd // with those of the file in the places of the defaults
	sources  config.Sources
}

// read reads the env file, and the configuration file unless its content is given. All faults of both are in the
// error, after which the reading holds what could be read.
func (r *reader) read(content []byte) (*reading, error) {
	envFile, badEnvFile := readEnvFile(r.command.EnvFile)
	operations := startOperations()
	if r.registered != nil {
		operations = append(operations, r.registered()...)
	}
	r.loader.Operations = operations // no other goroutine reads: reloads have turns
	now := &reading{file: &configuration{}, sources: config.Sources{
		Lookup:     r.lookup,
		EnvFile:    envFile,
		Flags:      config.Flags{LogLevel: r.command.LogLevel},
		Presets:    r.presets.Get,
		Detect:     detectHere,
		Operations: operations,
	}}
	var badFile error
	if r.command.Config != "" {
		now.file, badFile = r.readFile(content, now.sources.Variable)
		now.sources.File = now.file.document
	}
	now.settings = r.command.over(now.file)
	return now, errors.Join(badEnvFile, badFile)
}

// startOperations are those that every server registers when it starts.
func startOperations() []string { return []string{gateway.DefaultOperation} }

// readFile takes the configuration file apart. It never returns nil.
func (r *reader) readFile(content []byte, variables configfile.Lookup) (*configuration, error) {
	var file *configfile.File
	var err error
	if content != nil {
		file, err = configfile.Parse(r.command.Config, content, variables)
	} else {
		file, err = configfile.Read(r.command.Config, variables)
	}
	if err != nil {
		return &configuration{}, err
	}
	return readConfiguration(&r.loader, file)
}

// faultsOf returns the faults of a file that an error reports.
func faultsOf(err error) []configfile.Fault {
	if bad, ok := errors.AsType[*configfile.Error](err); ok {
		return bad.Faults
	}
	return nil
}

// readEnvFile reads an env file. No name, and nothing under the default name, is no file.
func readEnvFile(name string) (*config.EnvFile, error) {
	if name == "" {
		return nil, nil
	}
	file, err := config.ReadEnvFile(name)
	if name == defaultEnvFile && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return file, err
}

// detectHere says which preset fits by the variables, the working directory and the machine's name.
func detectHere(variables config.Environ) (preset, reason string) {
	found := findHere(variables)
	return found.Preset, found.Reasoning
}

func findHere(variables config.Environ) config.Recommendation {
	here := config.Here()
	here.Lookup = variables
	return config.Detect(here)
}

// detect says in what environment the program runs, by the variables that it started with.
func (srv *server) detect() config.Recommendation { return findHere(srv.now.sources.Variable) }

// keys returns the keys of the API: those of the environment, or else of the file.
func (r *reading) keys() (api.Keys, error) { return r.file.keys(r.sources.Variable) }

// orchestrate makes the orchestrator, and what reloads its configuration.
func (srv *server) orchestrate(ctx context.Context, loaded config.Loaded, observe func(trysail.Event)) error {
	cfg := loaded.Trysail
	cfg.Observer = eventLog{log: srv.log, also: observers(observe, srv.monitor.Observe)}
	orc, err := trysail.New(cfg)
	if err != nil {
		return srv.now.file.locate(err)
	}
	srv.orchestrator = orc
	srv.reader.registered = func() (names []string) {
		for _, op := range orc.Operations() {
			names = append(names, op.Name())
		}
		return names
	}
	earlier := srv.keeper.earlier(ctx)
	srv.reloader, err = config.NewReloader(config.ReloaderConfig{
		Orchestrator: orc,
		Start:        loaded,
		Earlier:      earlier,
		Keep:         keptVersions,
		Read:         srv.reread,
		Also:         srv.also,
		Restore:      srv.restore,
		Applied:      srv.applied,
		Alert:        srv.notReloaded,
	})
	if err == nil {
		srv.keeper.beginVersions(srv.reloader, earlier)
	}
	return err
}

// reread reads the sources for a reload. A setting that would be refused at the start is refused now, too. The gateway's plan goes along.
func (srv *server) reread(ctx context.Context) (_ config.Sources, err error) {
	defer func() {
		// A file that is being edited must not end a program that serves, whatever is wrong with the file or with this program.
		if bug := recover(); bug != nil {
			srv.log.ErrorContext(ctx, "panic", "panic", bug, "stack", string(debug.Stack()))
			err = errors.New("the configuration cannot be read because of a fault in this program, which is in its log; the one in force stays")
		}
	}()
	now, err := srv.reader.read(contentIn(ctx))
	next, badPlan := srv.plan(now)
	if err = errors.Join(err, badPlan, now.settings.check(now.file)); err != nil {
		return config.Sources{}, err
	}
	if names := differing(srv.fixed, now.fixed()); len(names) > 0 {
		srv.log.WarnContext(ctx, "some changes of the configuration need a restart", "settings", names)
	}
	now.sources.Companion = next
	return now.sources, nil
}

// tellLoading logs what the operator should know of loading, and its steps if that is wanted.
func (srv *server) tellLoading(loaded *config.Loaded) {
	if loaded.ShowLoading {
		for _, step := range loaded.Steps {
			srv.log.Info(step)
		}
	}
	for _, warning := range loaded.Warnings {
		srv.log.Warn(warning)
	}
	if loaded.Refused != nil {
		srv.log.Error("custom configuration refused, the numbers below it stay", "error", loaded.Refused)
	}
}

// applied takes note of a new version of the configuration.
func (srv *server) applied(v config.Version) {
	srv.keeper.keepVersion(&v)
	api.Record(srv.monitor, monitor.Subject{}, v.Events)
	srv.internal.AuditReload(context.Background(), v) // nothing is reloaded before build has made the API
	level := levelOf(v.Loaded.LogLevel)
	srv.level.Set(min(level, srv.level.Level())) // the change of the level itself is to be seen
	defer srv.level.Set(level)
	srv.log.Info("configuration reloaded", "version", v.Number, "trigger", string(v.Trigger), "preset", v.Loaded.Trysail.Preset,
		"source", v.Loaded.Kind(), "enabled", !v.Loaded.Trysail.Disabled, "changed_operations", len(v.Change.Operations), "changes", describe(v.Change))
}

// notReloaded takes note of a reload that failed. Of a file that is watched, and of signals then, the watcher tells, once.
func (srv *server) notReloaded(f config.Failure) {
	api.Record(srv.monitor, monitor.Subject{}, f.Events)
	trigger := f.Request.Trigger
	if srv.watcher == nil || trigger != config.TriggerFile && trigger != config.TriggerSignal {
		srv.log.Error("configuration not reloaded", "trigger", string(trigger), "version", f.Err.Kept, "error", f.Err.Err)
	}
}

// describe lists the changes of a reload for the log: the first ones, and how many there are.
func describe(change trysail.Change) []string {
	const most = 20
	var lines []string
	for i, field := range change.Fields {
		if i == most {
			lines = append(lines, fmt.Sprintf("and %d more", len(change.Fields)-most))
			break
		}
		name := field.Field
		if field.Operation != "" {
			name = field.Operation + ": " + name
		}
		lines = append(lines, fmt.Sprintf("%s %s -> %s", name, field.Old, field.New))
	}
	return lines
}

// tellAsBefore logs that a reload changed nothing.
func (srv *server) tellAsBefore(version int) {
	srv.log.LogAttrs(context.Background(), slog.LevelInfo, "configuration is as before", slog.Int("version", version))
}
