package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/server/gateway"
)

// defaultEnvFile need not be there; a file of any other name must.
const defaultEnvFile = ".env"

// sources reads everything that the configuration is made of. It is called at the start and with each reload. After an
// error the sources hold what could be read.
func (s *serveCmd) sources(p *program) (config.Sources, error) {
	file, err := readEnvFile(s.EnvFile)
	return config.Sources{
		Lookup:  p.lookup,
		EnvFile: file,
		// File: what configfile makes of the file that a flag --config names.
		Flags:      config.Flags{LogLevel: s.LogLevel},
		Operations: []string{gateway.DefaultOperation},
	}, err
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

// orchestrate makes the orchestrator, and what reloads its configuration.
func (srv *server) orchestrate(p *program, loaded config.Loaded, observe func(trysail.Event)) error {
	cfg := loaded.Trysail
	cfg.Observer = eventLog{log: srv.log, also: observe}
	orc, err := trysail.New(cfg)
	if err != nil {
		return err
	}
	srv.orchestrator = orc
	srv.reloader, err = config.NewReloader(config.ReloaderConfig{
		Orchestrator: orc,
		Start:        loaded,
		Read:         func(context.Context) (config.Sources, error) { return srv.settings.sources(p) },
		Applied:      srv.applied,
		Alert:        srv.notReloaded,
	})
	return err
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
	srv.level.Set(levelOf(v.Loaded.LogLevel))
	srv.log.Info("configuration reloaded", "version", v.Number, "trigger", string(v.Trigger), "preset", v.Loaded.Trysail.Preset,
		"source", v.Loaded.Kind(), "changed_operations", v.Change.Operations, "changes", len(v.Change.Fields))
	for _, c := range v.Change.Fields {
		srv.log.Debug("configuration changed", "operation", c.Operation, "field", c.Field, "old", c.Old, "new", c.New)
	}
}

// notReloaded takes note of a reload that failed.
func (srv *server) notReloaded(f config.Failure) {
	srv.log.Error("configuration not reloaded", "trigger", string(f.Request.Trigger), "version", f.Err.Kept, "error", f.Err.Err)
}

// reloadOn reloads the configuration with each signal, until the function that it returns is called, which waits for a reload
// that is under way.
func (srv *server) reloadOn(signals <-chan os.Signal) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case <-signals:
				srv.reload(ctx)
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// reload reads the configuration anew. A failure is logged where it is told.
func (srv *server) reload(ctx context.Context) {
	result, err := srv.reloader.Reload(ctx, config.Request{Trigger: config.TriggerSignal})
	if err != nil {
		return
	}
	loaded := &result.Current.Loaded
	srv.tellLoading(&config.Loaded{ShowLoading: loaded.ShowLoading, Steps: loaded.Steps, Warnings: result.Warnings})
	if !result.Changed {
		srv.log.LogAttrs(ctx, slog.LevelInfo, "configuration is as before", slog.Int("version", result.Current.Number))
	}
}
