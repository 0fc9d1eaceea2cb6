package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// maxEnvFile bounds an .env file, in bytes.
const maxEnvFile = 1 << 20

// An EnvFile holds the variables of an .env file. The environment goes before it. It is not changed any more
// and may be read by several goroutines at once.
type EnvFile struct {
	Name string // for messages and origins

	// Warnings are about names that are set twice: the last one counts.
	Warnings []string

	variables map[string]envLine
	names     []string // in the order of the file
}

type envLine struct {
	value string
	line  int
}

// Value returns the variable of that name.
func (f *EnvFile) Value(name string) (string, bool) {
	if f == nil {
		return "", false
	}
	v, ok := f.variables[name]
	return v.value, ok
}

// Names returns the names of the variables, in the order in which they stand first in the file.
func (f *EnvFile) Names() []string {
	if f == nil {
		return nil
	}
	return append([]string(nil), f.names...)
}

// Line returns the line on which a variable is set, or 0.
func (f *EnvFile) Line(name string) int {
	if f == nil {
		return 0
	}
	return f.variables[name].line
}

// An EnvFileError names every fault of an .env file. It never holds a value, nor a text that could be one.
type EnvFileError struct {
	Name   string
	Faults []EnvFault
}

// An EnvFault is one fault of an .env file.
type EnvFault struct {
	Line    int // from 1; 0: the file as a whole
	Message string
}

// Error names every fault, one a line.
func (e *EnvFileError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		if f.Line == 0 {
			lines[i] = fmt.Sprintf("%s: %s", e.Name, f.Message)
		} else {
			lines[i] = fmt.Sprintf("%s:%d: %s", e.Name, f.Line, f.Message)
		}
	}
	return strings.Join(lines, "\n")
}

// ReadEnvFile reads the .env file of that name: a regular file of at most 1 MiB. An error that there is none satisfies
// errors.Is(err, fs.ErrNotExist); what is wrong with its content is an [*EnvFileError].
func ReadEnvFile(name string) (*EnvFile, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("read the env file: %w", err)
	}
	if !info.Mode().IsRegular() { // a pipe could keep us waiting
		return nil, fmt.Errorf("read the env file: %s is not a regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read the env file: %w", err)
	}
	content, err := io.ReadAll(io.LimitReader(f, maxEnvFile+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read the env file %s: %w", name, err)
	}
	return ParseEnvFile(name, content)
}

// ParseEnvFile reads the content of an .env file; the name is for messages. Each line is blank, a comment that begins with
// #, or NAME=VALUE, with or without "export" in front and space around the equals sign:
//
//	PLAIN = to the end of the line, without space around it   # a comment, because of the space before it
//	SINGLE='taken as it stands, also over several lines'
//	DOUBLE="as well, with \n, \r, \t, \", \\ and \$; a backslash at the end of a line joins it to the next"
//
// Nothing is expanded: $NAME stands for itself. Lines may end as Windows ends them, and a byte order mark may come
// first. Every fault is reported in an [*EnvFileError]; after one there are no variables.
func ParseEnvFile(name string, content []byte) (*EnvFile, error) {
	p := envParser{file: &EnvFile{Name: name, variables: map[string]envLine{}}, line: 1}
	text := strings.TrimPrefix(string(content), "\ufeff")
	switch {
	case len(content) > maxEnvFile:
		p.fault(0, "it has more than %d bytes, want at most that", maxEnvFile)
	case !utf8.ValidString(text):
		p.fault(0, "it is not valid UTF-8, want plain text")
	case strings.ContainsRune(text, 0):
		p.fault(1+strings.Count(text[:strings.IndexByte(text, 0)], "\n"), "there is a NUL byte, want plain text")
	default:
		p.rest = strings.ReplaceAll(text, "\r\n", "\n")
		for p.rest != "" && len(p.faults) < maxFindings {
			p.entry()
		}
	}
	if len(p.faults) == maxFindings {
		p.fault(0, "there may be more faults: only the first %d are listed", maxFindings)
	}
	if len(p.faults) > 0 {
		return nil, &EnvFileError{Name: name, Faults: p.faults}
	}
	return p.file, nil
}

// An envParser is an .env file being read.
type envParser struct {
	file   *EnvFile
	rest   string // what is left, at the start of a line
	line   int    // its number
	faults []EnvFault
}

func (p *envParser) fault(line int, format string, args ...any) {
	p.faults = append(p.faults, EnvFault{line, fmt.Sprintf(format, args...)})
}

// entry reads a line, and those that its quotes reach over.
func (p *envParser) entry() {
	line, rest, _ := strings.Cut(p.rest, "\n")
	at := p.line
	trimmed := strings.TrimSpace(line)
	if trimmed == "" || trimmed[0] == '#' {
		p.rest, p.line = rest, p.line+1
		return
	}
	name, value, ok := strings.Cut(trimmed, "=")
	name = strings.TrimRight(name, " \t")
	if after, exported := strings.CutPrefix(name, "export"); exported && strings.TrimLeft(after, " \t") != after {
		name = strings.TrimLeft(after, " \t")
	}
	if !ok || !isVariable(name) {
		p.rest, p.line = rest, p.line+1
		p.misnamed(at, name, ok)
		return
	}
	value = strings.TrimLeft(value, " \t")
	if value != "" && (value[0] == '"' || value[0] == '\'') {
		// The value goes on after this line, perhaps: take it from what is left, not from the line.
		opening := strings.IndexByte(p.rest, '=') + 1
		opening += strings.IndexByte(p.rest[opening:], value[0])
		p.quoted(name, p.rest[opening:])
		return
	}
	p.rest, p.line = rest, p.line+1
	p.set(name, bare(value), at)
}

// misnamed refuses a line that sets no variable. The line may hold a part of a secret, so that it is not shown.
func (p *envParser) misnamed(at int, name string, equals bool) {
	switch {
	case !equals:
		p.fault(at, "there is no equals sign, want NAME=VALUE, or # in front of a comment")
	case name == "":
		p.fault(at, "there is no name in front of the equals sign, want NAME=VALUE")
	default:
		p.fault(at, "the name in front of the equals sign is none, want letters, digits and _ that begin with no digit; "+
			"a value of several lines needs quotes")
	}
}

func isVariable(name string) bool {
	for i, r := range name {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// bare ends a value without quotes before its comment.
func bare(value string) string {
	for i := range len(value) {
		if value[i] == '#' && (i == 0 || value[i-1] == ' ' || value[i-1] == '\t') {
			value = value[:i]
			break
		}
	}
	return strings.TrimSpace(value)
}

func (p *envParser) set(name, value string, line int) {
	if before, twice := p.file.variables[name]; twice {
		p.file.Warnings = append(p.file.Warnings,
			fmt.Sprintf("%s sets %s on line %d and again on line %d: the last one counts", p.file.Name, name, before.line, line))
	} else {
		p.file.names = append(p.file.names, name)
	}
	p.file.variables[name] = envLine{value, line}
}
