package configfile

import (
	"fmt"
	"strconv"
	"strings"
)

// Refuse returns an [*Error] about the value at a path such as "server.addr". It is for those who find out later
// that a value is no good; the format says what was found and what would be right.
func (f *File) Refuse(path, format string, args ...any) error {
	return newError(f.name, []Fault{f.faultAt(path, fmt.Sprintf(format, args...))})
}

// Locate gives the faults that [trysail.New], [trysail.Orchestrator.Apply] and their like find in a configuration which was made of
// this file their places in the file, as far as they have one: "Default.Retry.Attempts is 99, want 1 to 10" is about
// policy.retry.attempts. What it does not understand stays as it is. Nil stays nil, and an [*Error] itself.
func (f *File) Locate(err error) error {
	if err == nil {
		return nil
	}
	return newError(f.name, f.faultsIn(err))
}

func (f *File) faultsIn(err error) (faults []Fault) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok { // one layer at a time
		for _, part := range joined.Unwrap() {
			faults = append(faults, f.faultsIn(part)...)
		}
		return faults
	}
	if located := faultsOf(err); located != nil {
		return located
	}
	for _, line := range linesOf(err) {
		faults = append(faults, f.located(line, "", ""))
	}
	return faults
}

// LocateUnder gives faults whose field begins with root, such as "Default", their places under the path base: "Default.Breaker.Window is …" is about
// base.breaker.window. What begins with another field stays as it is.
func (f *File) LocateUnder(err error, root, base string) error {
	var faults []Fault
	for _, line := range linesOf(err) {
		faults = append(faults, f.located(line, root, base))
	}
	return newError(f.name, faults)
}

// linesOf returns what an error says, fault by fault: joined errors have a line each.
func linesOf(err error) []string {
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

// located makes a fault of a message of the library that begins with a field. The field root is at the path base; without a
// root, fields are those of [trysail.Config].
func (f *File) located(message, root, base string) Fault {
	message = strings.TrimPrefix(message, "trysail config: ")
	field, rest := cutField(message)
	path, ok := pathOf(field)
	if root != "" {
		var below string
		below, ok = strings.CutPrefix(field, root)
		path = snakePath(base, below)
	}
	if !ok || rest == "" {
		return Fault{Message: message}
	}
	if found, ok := strings.CutPrefix(rest, "is "); ok {
		rest = "found " + found
	}
	return f.faultAt(path, rest)
}

// faultAt is a fault of what is at a path, or would be there.
func (f *File) faultAt(path, message string) Fault {
	line, column := f.place(path)
	return Fault{Line: line, Column: column, Path: path, Message: message}
}

// cutField cuts a message after the field that it begins with. Names in brackets may hold anything.
func cutField(message string) (field, rest string) {
	for i := 0; i < len(message); i++ {
		switch message[i] {
		case '"':
			quoted, err := strconv.QuotedPrefix(message[i:])
			if err != nil {
				return "", message
			}
			i += len(quoted) - 1
		case ' ', ':':
			return message[:i], strings.TrimLeft(message[i:], ": ")
		}
	}
	return message, ""
}

// pathOf returns the path in a file of a field of trysail.Config.
func pathOf(field string) (path string, ok bool) {
	for _, root := range []struct{ field, path string }{
		{"DefaultStrategy", "custom.default_strategy"},
		{"Default", "policy"},
		{"Strategies", "custom.operation_overrides"},
		{"Operations", "operations"},
		{"Classes", "classes"},
	} {
		rest, ok := strings.CutPrefix(field, root.field)
		if ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return snakePath(root.path, rest), true
		}
	}
	return "", false
}

// snakePath adds the fields of a Go path as keys: .Retry.Classes[transient].Base is retry.classes.transient.base.
func snakePath(path, field string) string {
	for field != "" {
		if inner, ok := strings.CutPrefix(field, "["); ok {
			var name string
			if quoted, err := strconv.QuotedPrefix(inner); err == nil {
				name, _ = strconv.Unquote(quoted) // it is well quoted
				field = strings.TrimPrefix(inner[len(quoted):], "]")
			} else {
				name, field, _ = strings.Cut(inner, "]")
			}
			path = join(path, name)
			continue
		}
		field = strings.TrimPrefix(field, ".")
		end := strings.IndexAny(field, ".[")
		if end < 0 {
			end = len(field)
		}
		path, field = join(path, snake(field[:end])), field[end:]
	}
	return path
}
