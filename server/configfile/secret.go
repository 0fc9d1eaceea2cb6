package configfile

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect" //nolint:depguard // ADR 13: one decoder for the types of all packages
	"regexp"
	"strings"
)

// A Secret is a text that is never printed: no format of fmt, no logger and no encoder shows it. In a file it is
//
//	key: ${OPENAI_API_KEY}        # a variable; between { and } YAML wants quotes around it
//	key: {env: OPENAI_API_KEY}    # the same
//	key: {file: /run/secrets/key} # a file, relative to the configuration file; a line end at its end is left out
//	key: "sk-..."                 # the text itself, only where literal_secrets is true at the top of the file
//
// Variables and files are read when the configuration file is read, and at each reload.
type Secret struct {
	text   *string // a pointer, because %p has fmt look inside without asking, but not behind a pointer
	origin string
}

// NewSecret returns a secret that says it comes from origin, such as "variable API_KEY". Without a text it is empty.
func NewSecret(text, origin string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text, origin}
}

// Reveal returns the text. It is for the one place that needs it.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Empty reports whether there is no text.
func (s Secret) Empty() bool { return s.text == nil }

// Equal reports whether both have the same text, wherever it comes from.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }

// Origin says where the text comes from, such as "variable OPENAI_API_KEY".
func (s Secret) Origin() string { return s.origin }

// String says that there is a secret, and where it comes from.
func (s Secret) String() string {
	if s.text == nil {
		return "[no secret]"
	}
	return "[secret from " + s.origin + "]"
}

// Format keeps every verb of fmt from looking inside.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue keeps package slog from looking inside.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText keeps encoders from looking inside.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// literalSecrets is the key that allows secrets in the file itself.
const literalSecrets = "literal_secrets"

// maxSecret is more than any key or certificate needs.
const maxSecret = 64 << 10

var (
	variableForm = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$`)
	shoutedName  = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// secret reads a secret. No message shows what was found.
func (d *decoder) secret(v *value, into reflect.Value, path string) {
	const want = "${NAME}, {env: NAME} or {file: PATH}"
	var s Secret
	switch {
	case v.kind == text && strings.Contains(v.text, "${"):
		m := variableForm.FindStringSubmatch(v.text)
		if m == nil {
			d.fault(v, path, "found a text with ${ in it, want ${NAME} alone, with letters, digits and underscores")
			return
		}
		s = d.fromVariable(v, m[1], path)
	case v.kind == text && v.text != "" && d.literals:
		s = NewSecret(v.text, "the configuration file")
	case v.kind == text && v.text != "":
		d.fault(v, path, "found a secret in the file itself, want %s (or %s: true, if everybody who reads the file may know it)", want, literalSecrets)
		return
	case v.kind == mapping && len(v.entries) == 1:
		s = d.fromElsewhere(v.entries[0], path)
	case v.kind == text:
		d.fault(v, path, "found an empty text, want %s", want)
	default:
		d.fault(v, path, "found %v, want %s", v.kind, want)
	}
	into.Set(reflect.ValueOf(s))
}

// fromElsewhere reads {env: NAME} and {file: PATH}.
func (d *decoder) fromElsewhere(e entry, path string) Secret {
	under := join(path, shortName(e.name))
	switch {
	case e.name != "env" && e.name != "file":
		d.faults = append(d.faults, Fault{Line: e.line, Column: e.col, Path: under, Message: "found a key that is not known, want env or file"})
	case e.value.kind != text || e.value.text == "":
		d.fault(e.value, under, "found %v, want a text", e.value.kind)
	case e.name == "file":
		return d.fromFile(e.value, under)
	case !variableName.MatchString(e.value.text):
		d.fault(e.value, under, "found a text that is no name of a variable, want letters, digits and underscores")
	default:
		return d.fromVariable(e.value, e.value.text, under)
	}
	return Secret{}
}

func (d *decoder) fromVariable(v *value, name, path string) Secret {
	content, ok := d.file.lookup(name)
	if content = strings.TrimSpace(content); !ok || content == "" {
		if !shoutedName.MatchString(name) { // it may be the secret itself
			name = "that is named here"
		}
		d.fault(v, path, "found the variable %s, which is not set or empty, want it set", name)
		return Secret{}
	}
	return NewSecret(content, "variable "+name)
}

func (d *decoder) fromFile(v *value, path string) Secret {
	name := v.text
	if !filepath.IsAbs(name) {
		name = filepath.Join(d.file.dir, name)
	}
	content, err := readSecret(name)
	if err != nil {
		d.fault(v, path, "found the file of a secret, but %v", err)
		return Secret{}
	}
	return NewSecret(content, "file "+v.text)
}

func readSecret(name string) (string, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return "", fmt.Errorf("it cannot be read: %w", err)
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("it is a %s, want a regular file", kindOfFile(info))
	case info.Size() > maxSecret:
		return "", fmt.Errorf("it has %d bytes, want at most %d", info.Size(), maxSecret)
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("it cannot be read: %w", err)
	}
	content = bytes.TrimSuffix(bytes.TrimSuffix(content, []byte("\n")), []byte("\r"))
	if len(content) == 0 {
		return "", fmt.Errorf("%s is empty, want the secret in it", filepath.Base(name))
	}
	return string(content), nil
}
