package main

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/trysail-go/trysail/config"
)

// showCmd is the command "config show".
type showCmd struct {
	Origin bool `help:"In the table, say where each value is from, too."`
	output
	Serve serveCmd `embed:""`
}

// Help is shown by "trysail config show --help".
func (showCmd) Help() string {
	return `It takes the flags, the variables, the env file and the configuration file of serve, and prints what serve would start with. JSON
and YAML always say where each value is from. Warnings go to the standard error. Secrets are never shown, only whether they
are there.

Exit code: 0, or 2 if serve would not start with it.`
}

// inForceView is the answer of "config show".
type inForceView struct {
	Preset string      `json:"preset"`
	Source string      `json:"source"` // preset, custom, legacy or fallback: what decided
	Values []valueView `json:"values"`
}

// valueView is a value in force. All values are text.
type valueView struct {
	Name   string        `json:"name"`
	Value  string        `json:"value"`
	Source config.Source `json:"source"`           // default, preset, template, file, legacy, variable, flag
	Detail string        `json:"detail,omitempty"` // which one: a line of a file, a variable's name
}

// Run prints the configuration.
func (c *showCmd) Run(p *program) error {
	now, loaded, err := c.Serve.inForce(p)
	if err != nil {
		return usageError{err}
	}
	p.warnOf(now, &loaded)
	v := inForceView{Preset: loaded.Preset.Key, Source: loaded.Kind()}
	for _, value := range now.effective(&loaded) {
		v.Values = append(v.Values, valueView{value.Name, value.Value, value.Origin.Source, value.Origin.Detail})
	}
	return c.print(p, v, func(s *page) { s.values(v.Values, c.Origin) })
}

// inForce returns what serve would have in force with these flags.
func (s *serveCmd) inForce(p *program) (*reading, config.Loaded, error) {
	now, badFiles := newReader(s, p).read(nil)
	loaded, err := now.verify()
	return now, loaded, errors.Join(badFiles, err)
}

// warnOf tells what serve would log when it starts.
func (p *program) warnOf(now *reading, loaded *config.Loaded) {
	if loaded.ShowLoading {
		for _, step := range loaded.Steps {
			p.remark("", step)
		}
	}
	for _, warning := range loaded.Warnings {
		p.remark("warning: ", warning)
	}
	if loaded.Refused != nil {
		p.remark("error: ", fmt.Sprintf("custom configuration refused, the numbers below it stay: %v", loaded.Refused))
	}
	keys, err := now.keys()
	if err == nil {
		err = now.settings.checkAccess(keys, len(now.file.gateway.Keys) > 0, config.DetectEnvironment(now.sources.Variable), slog.New(slog.DiscardHandler))
	}
	if err != nil {
		p.remark("warning: serve would not start: ", err.Error())
	}
}

// remark writes a line to the standard error. That it cannot be written is no reason to withhold the answer.
func (p *program) remark(kind, text string) {
	_, _ = fmt.Fprintf(p.stderr, "trysail: %s%s\n", kind, harmlessLines(text))
}

// values is a table of values.
func (s *page) values(values []valueView, origins bool) {
	heading := []string{"NAME", "VALUE"}
	if origins {
		heading = append(heading, "FROM")
	}
	rows := make([][]string, len(values))
	for i, v := range values {
		rows[i] = []string{v.Name, v.Value}
		if origins {
			rows[i] = append(rows[i], config.Origin{Source: v.Source, Detail: v.Detail}.String())
		}
	}
	s.table(heading, rows)
}
