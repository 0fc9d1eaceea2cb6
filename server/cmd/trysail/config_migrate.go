package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trysail-go/trysail/config"
)

// migrateCmd is the command "config migrate".
type migrateCmd struct {
	File   string `arg:"" optional:"" help:"An env file or a compose file, or - for the standard input. Without it: the environment, and the env file."`
	As     string `default:"auto" enum:"auto,env,compose" placeholder:"KIND" help:"env: FILE is an env file. compose: FILE is a compose file. auto: by the name, .yaml and .yml are compose files (${default})."`
	Format string `default:"auto" enum:"auto,shell,env,compose" placeholder:"FORMAT" help:"Write the lines for a shell, an env file or a compose file. auto: for that from which the variables come (${default})."`
	envFileFlag
	output
}

// Help is shown by "trysail config migrate --help".
func (migrateCmd) Help() string {
	return `It looks for the variables that presets have replaced, such as RETRY_MAX_ATTEMPTS, finds the preset that comes closest, and prints
the lines that say the same today. In the table everything else is a comment, so that the whole output can be used:

  trysail config migrate old.env > new.env

Of a compose file, environment is read, as a mapping or as a list, service by service. What it takes from an env_file is not: name
that file. Nothing is changed.

Exit code: 0, 3 if there is nothing to migrate, 1 if the file cannot be read, 2 for a wrong command line.`
}

// migrationsView is the answer of "config migrate".
type migrationsView struct {
	Source     string          `json:"source"`
	Format     string          `json:"format"` // of the lines
	Warnings   []string        `json:"warnings"`
	Migrations []migrationView `json:"migrations"` // of those that have old variables: one, or one for each service
}

// migrationView is what one environment needs.
type migrationView struct {
	Service    string         `json:"service,omitempty"`
	Preset     string         `json:"recommended_preset"`
	Confidence float64        `json:"confidence"`
	Level      string         `json:"confidence_level"` // high, medium, low
	Reasoning  []string       `json:"reasoning"`
	Found      []foundView    `json:"found"`
	Matches    []matchView    `json:"matches"` // the closest first
	Custom     *config.Custom `json:"custom_config"`
	Warnings   []string       `json:"warnings"`
	Changes    []string       `json:"changes"` // what will be other than before, because nobody had set it
	Lines      []string       `json:"lines"`
}

type foundView struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// matchView is how close a preset comes, each part 0 to 1.
type matchView struct {
	Preset    string  `json:"preset"`
	Score     float64 `json:"score"`
	Attempts  float64 `json:"retry_attempts"`
	Threshold float64 `json:"circuit_breaker_threshold"`
	Recovery  float64 `json:"recovery_timeout"`
	Strategy  float64 `json:"default_strategy"`
	Override  float64 `json:"operation_overrides"`
}

// Run prints what to write.
func (c *migrateCmd) Run(p *program) error {
	from, err := c.read(p)
	if err != nil {
		return err
	}
	v := migrationsView{Source: from.name, Format: c.Format, Warnings: append([]string{}, from.warnings...), Migrations: []migrationView{}}
	if c.Format == "auto" {
		v.Format = from.format
	}
	for _, e := range from.environments {
		if m := config.Migrate(e.variables); len(m.Found) > 0 {
			v.Migrations = append(v.Migrations, viewOfMigration(&e, &m, v.Format))
		}
	}
	if err := c.print(p, v, v.show); err != nil {
		return err
	}
	if len(v.Migrations) == 0 {
		return answerNo{}
	}
	return nil
}

// legacySource is where old variables may be.
type legacySource struct {
	name         string
	format       string // for the lines
	warnings     []string
	environments []legacyEnvironment
}

type legacyEnvironment struct {
	service   string // of a compose file
	list      bool   // whether that writes it as a list
	variables config.Environ
}

func (c *migrateCmd) read(p *program) (*legacySource, error) {
	if c.File == "" {
		variables, err := c.variables(p)
		if err != nil {
			return nil, err
		}
		return &legacySource{name: "environment", format: "shell", environments: []legacyEnvironment{{variables: variables}}}, nil
	}
	content, name, err := p.readAll(c.File)
	if err != nil {
		return nil, err
	}
	if c.As == "compose" || c.As == "auto" && isYAML(c.File) {
		return readCompose(name, content)
	}
	file, err := config.ParseEnvFile(name, content)
	if err != nil {
		return nil, errors.New(harmlessLines(err.Error()))
	}
	return &legacySource{name: name, format: "env", warnings: file.Warnings, environments: []legacyEnvironment{{variables: file.Value}}}, nil
}

func viewOfMigration(e *legacyEnvironment, m *config.Migration, format string) migrationView {
	v := migrationView{
		Service: e.service, Preset: m.Preset, Confidence: m.Confidence, Level: m.Level, Reasoning: reasons(m), Custom: &m.Custom,
		Warnings: append([]string{}, m.Warnings...), Changes: append([]string{}, m.Changes...),
	}
	for _, found := range m.Found {
		v.Found = append(v.Found, foundView{found.Name, found.Value})
	}
	for _, match := range m.Matches {
		v.Matches = append(v.Matches, matchView(match))
	}
	v.Lines = slices.Collect(strings.SplitSeq(strings.TrimSuffix(e.text(m, format), "\n"), "\n"))
	return v
}

// text returns the lines in a format.
func (e *legacyEnvironment) text(m *config.Migration, format string) string {
	switch {
	case format == "shell":
		return m.Shell()
	case format == "env":
		return m.EnvFile()
	case e.list:
		return m.ComposeList()
	default:
		return m.Compose()
	}
}

// reasons says why that preset, and how far the others are.
func reasons(m *config.Migration) []string {
	best := m.Matches[0]
	all := []string{fmt.Sprintf("closeness: attempts %s, threshold %s, recovery %s, default strategy %s, strategies of operations %s",
		percent(best.Attempts), percent(best.Threshold), percent(best.Recovery), percent(best.Strategy), percent(best.Override))}
	for _, other := range m.Matches[1:] {
		all = append(all, fmt.Sprintf("%s comes to %s", other.Preset, percent(other.Score)))
	}
	return all
}

// show is the answer for people, all but the lines in comments.
func (v *migrationsView) show(s *page) {
	note := func(format string, args ...any) { s.line("# %s", harmless(fmt.Sprintf(format, args...))) }
	for _, warning := range v.Warnings {
		note("warning: %s", warning)
	}
	if len(v.Migrations) == 0 {
		note("%s: no old variable, nothing to migrate", v.Source)
	}
	for i, m := range v.Migrations {
		if i > 0 {
			s.line("")
		}
		name := v.Source
		if m.Service != "" {
			name += ", service " + m.Service
		}
		note("%s: preset %s, confidence %s (%s)", name, m.Preset, percent(m.Confidence), m.Level)
		for _, reason := range m.Reasoning {
			note("  %s", reason)
		}
		for _, warning := range m.Warnings {
			note("warning: %s", warning)
		}
		for _, change := range m.Changes {
			note("changes: %s", change)
		}
		for _, line := range m.Lines {
			s.line("%s", line)
		}
	}
}
