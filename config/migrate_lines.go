package config

import (
	"encoding/json"
	"fmt"
	"strings"
)

func (m *migration) warn(format string, args ...any) {
	m.Warnings = append(m.Warnings, fmt.Sprintf(format, args...))
}

// Shell returns the commands for a shell: what to export and what to unset. It is empty if there is nothing to do.
func (m *Migration) Shell() string {
	var b strings.Builder
	for _, line := range m.lines() {
		fmt.Fprintf(&b, "export %s=%s\n", line.name, shellQuoted(line.value))
	}
	for _, v := range m.Found {
		fmt.Fprintf(&b, "unset %s\n", v.Name)
	}
	return b.String()
}

// EnvFile returns the lines for an .env file. The old ones, which are to be removed, are named in comments.
func (m *Migration) EnvFile() string {
	var b strings.Builder
	for _, line := range m.lines() {
		fmt.Fprintf(&b, "%s=%s\n", line.name, envQuoted(line.value))
	}
	for _, v := range m.Found {
		fmt.Fprintf(&b, "# remove %s\n", v.Name)
	}
	return b.String()
}

// Compose returns the lines for the environment of a service in a compose file, not indented.
func (m *Migration) Compose() string {
	var b strings.Builder
	for _, line := range m.lines() {
		fmt.Fprintf(&b, "%s: %s\n", line.name, composeQuoted(line.value))
	}
	for _, v := range m.Found {
		fmt.Fprintf(&b, "# remove %s\n", v.Name)
	}
	return b.String()
}

// ComposeList is [Migration.Compose] for an environment that is written as a list.
func (m *Migration) ComposeList() string {
	var b strings.Builder
	for _, line := range m.lines() {
		fmt.Fprintf(&b, "- %s\n", composeQuoted(line.name+"="+line.value))
	}
	for _, v := range m.Found {
		fmt.Fprintf(&b, "# remove %s\n", v.Name)
	}
	return b.String()
}

// line is a variable to set.
type line struct{ name, value string }

func (m *Migration) lines() []line {
	if len(m.Found) == 0 {
		return nil
	}
	lines := []line{{"RESILIENCE_PRESET", m.Preset}}
	if !m.Custom.empty() {
		if document, err := json.Marshal(m.Custom); err == nil { // it cannot fail: the numbers are within their bounds
			lines = append(lines, line{customVariable, string(document)})
		}
	}
	return lines
}

// isPlain reports whether text means itself everywhere.
func isPlain(text string) bool {
	return text != "" && strings.IndexFunc(text, func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) < 0
}

// shellQuoted puts text between single quotes. A quote in it stands outside of them, escaped.
func shellQuoted(text string) string {
	if isPlain(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// envQuoted puts text between single quotes, in which everything is itself, or between double ones if it holds a single one.
func envQuoted(text string) string {
	switch {
	case isPlain(text):
		return text
	case !strings.Contains(text, "'"):
		return "'" + text + "'"
	default:
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(text) + `"`
	}
}

// composeQuoted is a scalar of YAML between single quotes, in which compose must not take a dollar for a variable.
func composeQuoted(text string) string {
	return "'" + strings.NewReplacer("'", "''", "$", "$$").Replace(text) + "'"
}
