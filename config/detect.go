package config

import (
	"fmt"
	"math"
	"strings"
)

// Surroundings is what [Detect] may look at. Each part may be missing. [Here] is that of the program itself.
type Surroundings struct {
	Lookup   func(name string) (string, bool) // reads variables
	Exists   func(path string) bool           // whether there is a file or folder, by a path relative to the working directory
	Hostname string                           // of the machine; the variable HOSTNAME goes before it

	// Security also asks whether authentication is enforced (ENFORCE_AUTH), which means production.
	Security bool
}

// A Signal is one thing that hints at an environment.
type Signal struct {
	Environment string // development, testing, staging or production
	Source      string // what hints: "ENVIRONMENT=prod", "file .env"; the value of DATABASE_URL, which has a password, is never shown
	Confidence  float64
	Reasoning   string
}

// The least confidence of a signal that says something else for the confidence in the strongest one to sink.
const weighty = 0.70

// Detect finds out in what kind of environment the program runs, and recommends a preset for it. The strongest signal wins, of equals the
// first. Each other signal that says the same adds 0.05, up to 0.98; where a signal of more than 0.70 says something else, 0.85 of the
// confidence is left. Without any signal it is the preset simple with a confidence of 0.5.
func Detect(s Surroundings) Recommendation {
	signals := s.Signals()
	if len(signals) == 0 {
		return Recommendation{
			Environment: "unknown (auto-detected)", Preset: "simple", Confidence: 0.50, Detected: true,
			Reasoning: "No clear environment indicators found, using simple preset as safe default",
		}
	}
	best := signals[0]
	for _, signal := range signals {
		if signal.Confidence > best.Confidence {
			best = signal
		}
	}
	agreeing, conflicting, strong := -1, 0, false // the best one agrees with itself
	for _, signal := range signals {
		if signal.Environment == best.Environment {
			agreeing++
			continue
		}
		conflicting++
		strong = strong || signal.Confidence > weighty
	}
	r := Recommendation{
		Environment: best.Environment + " (auto-detected)", Preset: findName(best.Environment).preset, Confidence: best.Confidence,
		Reasoning: best.Reasoning, Detected: true, Signals: signals,
	}
	if agreeing > 0 {
		r.Confidence = min(r.Confidence+0.05*float64(agreeing), 0.98)
		r.Reasoning += fmt.Sprintf(" (confirmed by %d additional signals)", agreeing)
	}
	if strong {
		r.Confidence *= 0.85
	}
	if conflicting > 0 {
		r.Reasoning += fmt.Sprintf(" (note: %d conflicting signals detected)", conflicting)
	}
	r.Confidence = math.Round(r.Confidence*1e4) / 1e4
	return r
}

// Signals returns everything that hints at an environment, in the order in which Detect looks: variables that name it, signs of
// development, signs of production, the name of the host, enforced authentication.
func (s Surroundings) Signals() []Signal {
	var all []Signal
	for _, variable := range environmentVariables {
		all = append(all, s.explicit(variable)...)
	}
	all = append(all, s.developing()...)
	all = append(all, s.producing()...)
	all = append(all, s.host()...)
	if v := s.lower("ENFORCE_AUTH"); s.Security && (v == "true" || v == "1" || v == "yes") {
		all = append(all, Signal{"production", "ENFORCE_AUTH=" + v, 0.98, "Authentication is enforced by ENFORCE_AUTH=" + v})
	}
	return all
}

// explicit reads a variable that names the environment.
func (s Surroundings) explicit(variable string) []Signal {
	value := s.value(variable)
	source := variable + "=" + printable(short(strings.ToValidUTF8(value, "\ufffd")))
	reasoning := "Explicit environment from " + source
	if k := findName(strings.ToLower(value)); k != nil {
		confidence := 0.85
		if variable == "ENVIRONMENT" {
			confidence = 0.95
		}
		return []Signal{{k.environment, source, confidence, reasoning}}
	}
	if hint := firstHint(value); hint != nil {
		return []Signal{{hint.name, source, hint.confidence, reasoning + ", which matches the " + hint.name + " pattern"}}
	}
	return nil
}

// developing looks for signs of a developer's machine.
func (s Surroundings) developing() []Signal {
	var all []Signal
	found := func(source string) {
		all = append(all, Signal{"development", source, 0.70, "Development indicators detected: " + source})
	}
	if v := s.lower("DEBUG"); v == "true" || v == "1" {
		found("DEBUG=" + v)
	}
	for _, file := range []string{".env", ".git", "docker-compose.dev.yml"} {
		if s.Exists != nil && s.Exists(file) {
			found("file " + file)
		}
	}
	if host := s.lower("HOST"); strings.Contains(host, "localhost") || strings.Contains(host, "127.0.0.1") {
		found("HOST, which is this machine")
	}
	return all
}

// producing looks for signs of production.
func (s Surroundings) producing() []Signal {
	var all []Signal
	found := func(source string) {
		all = append(all, Signal{"production", source, 0.75, "Production indicators detected: " + source})
	}
	for _, variable := range []string{"PRODUCTION", "PROD"} {
		if s.lower(variable) == "true" {
			found(variable + "=true")
		}
	}
	if v := s.lower("DEBUG"); v == "false" || v == "0" {
		found("DEBUG=" + v)
	}
	if production(s.value("HOST")) {
		found("HOST, which names production")
	}
	url := s.value("DATABASE_URL")
	if production(url[strings.LastIndexByte(url, '@')+1:]) { // who logs on, and with what, is no hint
		found("DATABASE_URL, which names production")
	}
	return all
}

// production reports whether a name has the word itself. Main and master are words of many databases and hosts.
func production(name string) bool {
	last := ""
	for _, piece := range pieces(name) {
		if (piece == "prod" || piece == "production") && !turned(last) {
			return true
		}
		last = piece
	}
	return false
}

// host reads the name of the host, which may hint at several environments.
func (s Surroundings) host() []Signal {
	name, source := s.value("HOSTNAME"), "HOSTNAME="
	if name == "" {
		name, source = strings.TrimSpace(s.Hostname), "host name "
	}
	var all []Signal
	for _, f := range hints(name) {
		all = append(all, Signal{
			f.name, source + printable(short(strings.ToValidUTF8(name, "\ufffd"))), f.hostname,
			fmt.Sprintf("Host name %s matches the %s pattern", quote(name), f.name),
		})
	}
	return all
}

func (s Surroundings) value(variable string) string {
	if s.Lookup == nil {
		return ""
	}
	return Environ(s.Lookup).Value(variable, "")
}

func (s Surroundings) lower(variable string) string { return strings.ToLower(s.value(variable)) }
