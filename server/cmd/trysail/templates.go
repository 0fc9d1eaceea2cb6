package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/trysail-go/trysail/config"
)

// templatesCmd holds the commands about templates.
type templatesCmd struct {
	List    templateListCmd    `cmd:"" default:"withargs" help:"List the templates."`
	Show    templateShowCmd    `cmd:"" help:"Print the custom configuration that a template is, ready to be changed."`
	Suggest templateSuggestCmd `cmd:"" help:"Say which template is nearest to a custom configuration."`
}

// templateView is a template as programs read it.
type templateView struct {
	Key         string        `json:"template_name"`
	Name        string        `json:"name"`
	Description string        `json:"description"`
	Config      config.Custom `json:"config"`
}

type templateListCmd struct{ output }

// Help is shown by "trysail templates --help".
func (templateListCmd) Help() string {
	return `Exit code: 0, or 1 if the answer cannot be written.`
}

// Run lists the templates.
func (c *templateListCmd) Run(p *program) error {
	templates := config.Templates()
	views := make([]templateView, len(templates))
	for i, t := range templates {
		views[i] = templateView{t.Key, t.Name, t.Description, t.Custom}
	}
	return c.print(p, views, func(s *page) {
		rows := make([][]string, len(views))
		for i, v := range views {
			rows[i] = []string{
				v.Key, fmt.Sprint(*v.Config.RetryAttempts), fmt.Sprint(*v.Config.CircuitBreakerThreshold),
				seconds(*v.Config.RecoveryTimeout), string(*v.Config.DefaultStrategy), v.Description,
			}
		}
		s.table([]string{"TEMPLATE", "ATTEMPTS", "OPENS AFTER", "RECOVERS IN", "STRATEGY", "MEANT FOR"}, rows)
	})
}

type templateShowCmd struct {
	Template string `arg:"" help:"Its name, such as low_latency."`
	Output   string `short:"o" default:"json" enum:"json,yaml,env" placeholder:"FORMAT" help:"json, yaml, or env for a line of an .env file (${default})."`
}

// Help is shown by "trysail templates show --help".
func (templateShowCmd) Help() string {
	return `Exit code: 0, 1 if the answer cannot be written, 2 if there is no such template.`
}

// Run prints one template.
func (c *templateShowCmd) Run(p *program) error {
	t, err := config.TemplateByName(c.Template)
	if err != nil {
		return usageError{err}
	}
	if c.Output == "env" {
		line, err := json.Marshal(t.Custom)
		if err != nil {
			return fmt.Errorf("write the template: %w", err)
		}
		return emit(p.stdout, fmt.Appendf(nil, "RESILIENCE_CUSTOM_CONFIG='%s'\n", line))
	}
	return output{c.Output}.print(p, t.Custom, nil)
}

type templateSuggestCmd struct {
	File string `arg:"" help:"The file with the custom configuration, or - for the standard input."`
	output
}

// Help is shown by "trysail templates suggest --help".
func (templateSuggestCmd) Help() string {
	return `Exit code: 0, 3 if no template is near, 1 if the file cannot be read or is not valid, 2 for a wrong command line.`
}

// suggestionView is a suggestion as programs read it; the fields are those of the internal API.
type suggestionView struct {
	Template   *string `json:"suggested_template"`
	Confidence float64 `json:"confidence"`
	Reasoning  string  `json:"reasoning"`
}

// Run suggests a template.
func (c *templateSuggestCmd) Run(p *program) error {
	custom, _, err := p.readCustom(c.File)
	if err != nil {
		return err
	}
	suggestion := config.Suggest(custom)
	v := suggestionView{Confidence: suggestion.Confidence, Reasoning: suggestion.Reasoning}
	if suggestion.Template != "" {
		v.Template = &suggestion.Template
	}
	err = c.print(p, v, func(s *page) {
		name := "no template"
		if v.Template != nil {
			name = *v.Template
		}
		s.line("%s  (confidence %s)", s.paint(bold, name), percent(v.Confidence))
		s.line("%s", harmless(v.Reasoning))
	})
	if err == nil && v.Template == nil {
		return answerNo{}
	}
	return err
}

// readCustom reads a valid custom configuration; all its faults are in the error.
func (p *program) readCustom(file string) (custom config.Custom, name string, err error) {
	in, name, err := p.open(file)
	if err != nil {
		return config.Custom{}, name, err
	}
	defer func() { _ = in.Close() }()
	custom, report, err := config.ValidateReader(in, config.ValidateOptions{Operations: startOperations(), AllowEmpty: true})
	if err == nil {
		err = report.Err()
	}
	if err != nil {
		return config.Custom{}, name, fmt.Errorf("%s: %s", name, strings.ReplaceAll(err.Error(), "\n", "\n  "))
	}
	return custom, name, nil
}
