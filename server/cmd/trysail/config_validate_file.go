package main

import (
	"errors"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/server/configfile"
)

// checkFile checks a configuration file.
func (c *validateCmd) checkFile(p *program) (*verdict, error) {
	secrets, err := c.variables(p)
	if err != nil {
		return nil, err
	}
	content, name, err := p.readAll(c.File)
	if err != nil {
		return nil, err
	}
	said := config.Sources{Flags: config.Flags{Preset: c.Preset}, Operations: append(startOperations(), c.Operation...)}
	now, badFile := alone(name, content, said, secrets)
	if now == nil {
		return nil, badFile
	}
	loaded, err := now.verify()
	faults := faultsIn(errors.Join(badFile, err))
	var warnings []finding
	var suggestions []string
	if len(faults) == 0 {
		warnings, suggestions = now.warn(&loaded)
	}
	return c.verdict(name, faults, warnings, suggestions), nil
}

// verify says everything that serve would refuse, but for what depends on the machine: an address that is in use.
func (r *reading) verify() (config.Loaded, error) {
	loaded, err := r.sources.Load()
	_, badKeys := r.keys()
	_, badPlan := planOf(r, r.settings.Addr)
	err = errors.Join(err, badKeys, badPlan, r.settings.check(r.file))
	if err == nil {
		_, err = trysail.New(loaded.Trysail)
		err = r.file.locate(err)
	}
	return loaded, err
}

// faultsIn takes an error apart, fault by fault. An error of another kind than a file's faults stays one.
func faultsIn(err error) (all []finding) {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok { // one layer at a time
		for _, part := range joined.Unwrap() {
			all = append(all, faultsIn(part)...)
		}
		return all
	}
	bad, ok := errors.AsType[*configfile.Error](err)
	if !ok {
		return []finding{{Message: err.Error()}}
	}
	for _, f := range bad.Faults {
		message := f.Message
		if f.Path != "" {
			message = f.Path + ": " + message
		}
		all = append(all, finding{Line: f.Line, Column: f.Column, Path: f.Path, Message: message})
	}
	return all
}

// warn says what is allowed, but better thought over.
func (r *reading) warn(loaded *config.Loaded) (warnings []finding, suggestions []string) {
	for _, text := range loaded.Warnings {
		warnings = append(warnings, finding{Message: text})
	}
	if plan, err := planOf(r, r.settings.Addr); err == nil {
		warnings = append(warnings, r.planWarnings(&plan)...)
	}
	document := r.file.document
	report := document.Custom.Check(config.ValidateOptions{Operations: r.knownTo(document), AllowEmpty: true, Base: &loaded.Preset})
	for _, f := range report.Warnings {
		path := "custom"
		if f.Path != "" {
			path += "." + f.Path
		}
		warnings = append(warnings, finding{Line: document.Line(path), Path: path, Message: f.Message, Suggestion: f.Suggestion})
	}
	if keys, err := r.keys(); err == nil && keys.Empty() && !loopbackAddress(r.settings.Addr) {
		warnings = append(warnings, finding{
			Line: document.Line("server.addr"), Path: "server.addr",
			Message:    "server.addr: " + r.settings.Addr + " can be reached from other machines and the file has no key: serve starts only with API_KEY in its environment",
			Suggestion: "Name a key under server.api_key, or set API_KEY",
		})
		report.Suggestions = append(report.Suggestions, "Name a key under server.api_key, or set API_KEY")
	}
	return warnings, report.Suggestions
}

func (r *reading) knownTo(document *config.Document) []string {
	known := r.sources.Operations
	for name := range document.Operations {
		known = append(known[:len(known):len(known)], name)
	}
	return known
}
