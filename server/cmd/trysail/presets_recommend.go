package main

import (
	"fmt"

	"github.com/trysail-go/trysail/config"
)

type presetRecommendCmd struct {
	Environment string `arg:"" optional:"" help:"The environment's name, such as staging-eu. Without it: what is found here."`
	output
}

// Help is shown by "trysail presets recommend --help".
func (presetRecommendCmd) Help() string {
	return `Without a name the environment's variables (ENVIRONMENT, NODE_ENV, DEBUG and others), files of the working directory (.env, .git) and the
host's name are looked at, and each signal is listed.

Exit code: 0, or 1 if the answer cannot be written.`
}

// recommendationView is a recommendation as programs read it; the fields are those of the internal API.
type recommendationView struct {
	Environment string       `json:"environment_detected"`
	Preset      string       `json:"recommended_preset"`
	Confidence  float64      `json:"confidence"`
	Reasoning   string       `json:"reasoning"`
	Detected    bool         `json:"auto_detected"`
	Signals     []signalView `json:"signals,omitempty"`
}

type signalView struct {
	Environment string  `json:"environment"`
	Source      string  `json:"source"`
	Confidence  float64 `json:"confidence"`
	Reasoning   string  `json:"reasoning"`
}

// Run recommends a preset.
func (c *presetRecommendCmd) Run(p *program) error {
	v := viewOfRecommendation(c.recommend(p))
	return c.print(p, v, v.show)
}

func (c *presetRecommendCmd) recommend(p *program) config.Recommendation {
	if c.Environment != "" {
		return config.Recommend(c.Environment)
	}
	here := config.Here()
	here.Lookup = p.lookup
	return config.Detect(here)
}

func viewOfRecommendation(r config.Recommendation) *recommendationView {
	v := &recommendationView{
		Environment: r.Environment, Preset: r.Preset, Confidence: r.Confidence, Reasoning: r.Reasoning, Detected: r.Detected,
	}
	for _, s := range r.Signals {
		v.Signals = append(v.Signals, signalView{s.Environment, s.Source, s.Confidence, s.Reasoning})
	}
	return v
}

func (v *recommendationView) show(s *page) {
	s.line("%s  (confidence %s)", s.paint(bold, v.Preset), percent(v.Confidence))
	s.line("environment: %s", harmless(v.Environment))
	s.line("%s", harmless(v.Reasoning))
	if len(v.Signals) == 0 {
		return
	}
	rows := make([][]string, len(v.Signals))
	for i, signal := range v.Signals {
		rows[i] = []string{signal.Source, signal.Environment, percent(signal.Confidence)}
	}
	s.line("")
	s.table([]string{"SIGNAL", "SAYS", "CONFIDENCE"}, rows)
}

func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }
