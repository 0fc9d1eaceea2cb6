package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/server/configfile"
)

// diffCmd is the command "config diff".
type diffCmd struct {
	A      string `arg:"" help:"A file, or - for the standard input."`
	B      string `arg:"" optional:"" help:"The file to compare it with. Without it: what A would change here."`
	Preset string `placeholder:"PRESET" help:"With two files: compare them as if RESILIENCE_PRESET named it."`
	fileKind
	output
	Serve serveCmd `embed:""`
}

// Help is shown by "trysail config diff --help".
func (diffCmd) Help() string {
	return `The values that would come to be in force are compared, not texts: a file that says in other words, or in another order, what the
other says does not differ. Files may be custom configurations and configuration files.

Two files are compared as if nothing else said anything. One file is compared with what serve would have in force here, with
the same flags, variables, env file and configuration file: a configuration file takes the place of that one, a custom
configuration that of RESILIENCE_CUSTOM_CONFIG. What variables say still goes before it.

Exit code: 0 if they are the same, 3 if they differ, 1 if one cannot be read or is not valid, 2 for a wrong command line or
settings that serve would not start with.`
}

// A side is one of the two configurations that are compared.
type side struct {
	name    string
	kind    string
	reading *reading
	loaded  config.Loaded
	custom  *config.Document // the file that stands for RESILIENCE_CUSTOM_CONFIG. Nil: none does
}

// customVariable is the variable that a custom configuration takes the place of.
const customVariable = "RESILIENCE_CUSTOM_CONFIG"

// differenceView is the answer of "config diff".
type differenceView struct {
	Old        string       `json:"old"`
	New        string       `json:"new"`
	Differ     bool         `json:"differ"`
	Changes    []changeView `json:"changes"`
	Operations []string     `json:"operations"` // whose policy changes
}

// changeView is a value that differs. A side that does not have it is null.
type changeView struct {
	Name string     `json:"name"`
	Old  *placeView `json:"old"`
	New  *placeView `json:"new"`
}

type placeView struct {
	Value  string        `json:"value"`
	Source config.Source `json:"source,omitempty"`
	Detail string        `json:"detail,omitempty"`
}

// Run compares.
func (c *diffCmd) Run(p *program) error {
	was, is, err := c.sides(p)
	if err != nil {
		return err
	}
	v, err := compare(was, is)
	if err != nil {
		return err
	}
	if err := c.print(p, v, v.show); err != nil {
		return err
	}
	if v.Differ {
		return answerNo{}
	}
	return nil
}

func (c *diffCmd) sides(p *program) (was, is *side, err error) {
	switch {
	case c.B == "":
		return c.here(p)
	case c.A == "-" && c.B == "-":
		return nil, nil, usageError{errors.New("both are -, want a file beside the standard input")}
	}
	if c.Preset != "" {
		if _, err := config.Find(c.Preset); err != nil {
			return nil, nil, usageError{err}
		}
	}
	was, badWas := c.alone(p, c.A)
	is, badIs := c.alone(p, c.B)
	return was, is, errors.Join(badWas, badIs)
}

// alone reads a file that is to be compared with another file.
func (c *diffCmd) alone(p *program, file string) (*side, error) {
	said := config.Sources{Flags: config.Flags{Preset: c.Preset}, Operations: startOperations()}
	s := &side{kind: c.of(file)}
	if s.kind == kindFile {
		secrets, err := envFileFlag{c.Serve.EnvFile}.variables(p)
		if err != nil {
			return nil, err
		}
		content, name, err := p.readAll(file)
		if err != nil {
			return nil, err
		}
		s.name = name
		if s.reading, err = alone(name, content, said, secrets); err != nil {
			return nil, err
		}
	} else {
		custom, name, err := p.readCustom(file)
		if err != nil {
			return nil, err
		}
		s.name, said.File = name, &config.Document{Name: name, Custom: custom}
		defaults, err := defaultSettings()
		if err != nil {
			return nil, err
		}
		s.reading = &reading{file: &configuration{}, settings: defaults, sources: said}
	}
	return s, s.load()
}

// load puts the sources of a side together.
func (s *side) load() (err error) {
	s.loaded, err = s.reading.verify()
	if err == nil {
		err = s.loaded.Refused
	}
	if err != nil {
		return fmt.Errorf("%s: %s", s.name, strings.ReplaceAll(err.Error(), "\n", "\n  "))
	}
	return nil
}

// here reads what is in force, and what would be if the file took its place.
func (c *diffCmd) here(p *program) (was, is *side, err error) {
	now, loaded, err := c.Serve.inForce(p)
	if err != nil {
		return nil, nil, usageError{err}
	}
	p.warnOf(now, &loaded)
	content, name, err := p.readAll(c.A)
	if err != nil {
		return nil, nil, err
	}
	is = &side{name: name, kind: c.of(c.A)}
	if is.kind == kindFile {
		with := c.Serve
		with.Config = name
		is.reading, err = newReader(&with, p).read(content)
		if err != nil {
			return nil, nil, err
		}
	} else {
		is.reading, is.custom = now.withCustom(string(content)), &config.Document{Name: name, Line: linesOf(name, content)}
	}
	return &side{name: "in force here", kind: is.kind, reading: now, loaded: loaded}, is, is.load()
}

// withCustom is what there would be if RESILIENCE_CUSTOM_CONFIG were document.
func (r *reading) withCustom(document string) *reading {
	with := *r
	lookup := r.sources.Lookup
	with.sources.Lookup = func(name string) (string, bool) {
		if name == customVariable {
			return document, true
		}
		return lookup(name)
	}
	return &with
}

// linesOf returns on which line of a custom configuration a field stands. JSON is YAML; of what is none after all no line is known.
func linesOf(name string, content []byte) func(path string) int {
	file, err := configfile.Parse(name, content, func(string) (string, bool) { return "", false })
	if err != nil {
		return nil
	}
	return file.Line
}

// truly gives the values that the file has decided the place in it, where loading knows only the variable that it stands for.
func (s *side) truly(values []config.Value) []config.Value {
	if s.custom == nil {
		return values
	}
	for i := range values {
		if v := &values[i]; v.Origin == (config.Origin{Source: config.FromVariable, Detail: customVariable}) {
			v.Origin = s.custom.Origin(customPath(v.Name))
		}
	}
	return values
}

// customPath is the path in a custom configuration of a value's name.
func customPath(name string) string {
	if operation, ok := strings.CutPrefix(name, "operations."); ok {
		return "operation_overrides." + strings.TrimSuffix(operation, ".strategy")
	}
	return name
}

// compare lists what differs. Settings of server and gateway count where both sides can say something of them.
func compare(was, is *side) (*differenceView, error) {
	old, now := was.loaded.Effective(), is.loaded.Effective()
	var secrets []config.Difference
	if was.kind == kindFile && is.kind == kindFile {
		old, now = was.reading.effective(&was.loaded), is.reading.effective(&is.loaded)
		secrets = was.reading.otherSecrets(is.reading)
	}
	now = is.truly(now)
	v := &differenceView{Old: was.name, New: is.name, Changes: []changeView{}, Operations: []string{}}
	for _, d := range append(config.Differences(old, now), secrets...) {
		v.Changes = append(v.Changes, changeView{d.Name, placeOf(d.Old, d.OldOrigin), placeOf(d.New, d.NewOrigin)})
	}
	operations, err := touched(&was.loaded, &is.loaded)
	v.Operations = append(v.Operations, operations...)
	v.Differ = len(v.Changes) > 0 || len(v.Operations) > 0
	return v, err
}

func placeOf(value string, origin config.Origin) *placeView {
	if value == "" {
		return nil
	}
	return &placeView{value, origin.Source, origin.Detail}
}

// touched asks an orchestrator whose policies the change would reach, of the operations that either side or the
// specification names.
func touched(was, is *config.Loaded) ([]string, error) {
	orc, err := trysail.New(was.Trysail)
	if err != nil {
		return nil, err //nolint:wrapcheck // it was checked already
	}
	names := startOperations()
	for short := range config.Aliases() {
		names = append(names, short)
	}
	for _, cfg := range []*trysail.Config{&was.Trysail, &is.Trysail} {
		names = slices.AppendSeq(slices.AppendSeq(names, maps.Keys(cfg.Strategies)), maps.Keys(cfg.Operations))
	}
	long := slices.Collect(maps.Values(config.Aliases()))
	for _, name := range names {
		if !slices.Contains(long, name) { // it is the same as the short one
			orc.Operation(name)
		}
	}
	change, err := orc.Preview(is.Trysail)
	return change.Operations, err //nolint:wrapcheck // as above
}

// show is the difference for people.
func (v *differenceView) show(s *page) {
	if !v.Differ {
		s.line("%s and %s: %s", harmless(v.Old), harmless(v.New), s.paint(green, "no difference"))
		return
	}
	rows := make([][]string, len(v.Changes))
	for i, change := range v.Changes {
		rows[i] = []string{change.Name, change.Old.text(), change.New.text(), change.New.from()}
	}
	s.table([]string{"NAME", "OLD", "NEW", "NEW FROM"}, rows)
	if len(v.Operations) > 0 {
		s.line("")
		s.line("operations with another policy: %s", harmless(strings.Join(v.Operations, ", ")))
	}
}

func (p *placeView) text() string {
	if p == nil {
		return "-"
	}
	return p.Value
}

func (p *placeView) from() string {
	if p == nil {
		return ""
	}
	return config.Origin{Source: p.Source, Detail: p.Detail}.String()
}
