package configfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// A File is a file that is good YAML. It is not changed any more and safe for concurrent use.
type File struct {
	name   string
	dir    string // that paths in it are relative to
	hash   string
	lookup Lookup
	root   *value
}

// A Lookup finds the value of a variable, as [os.LookupEnv] does.
type Lookup func(name string) (value string, ok bool)

// Read reads the file of that name: at most 1 MiB, a regular file. What is wrong with its content is an [*Error].
// The variables that secrets name are found by lookup, or by [os.LookupEnv] if it is nil.
func Read(name string, lookup Lookup) (*File, error) {
	content, err := readAll(name)
	if err != nil {
		return nil, err
	}
	return Parse(name, content, lookup)
}

// readAll returns the content of a file that is not too large. A pipe or a device is refused, because it could
// keep us waiting.
func readAll(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("read the configuration file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read the configuration file: %s is a %s, want a regular file", name, kindOfFile(info))
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read the configuration file: %w", err)
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read the configuration file: %w", err)
	}
	return content, nil
}

func kindOfFile(info os.FileInfo) string {
	if info.IsDir() {
		return "directory"
	}
	return "special file (" + info.Mode().Type().String() + ")"
}

// Parse is [Read] for content that is known. The name is that of messages, and its directory the one that paths in the
// file are relative to. Every fault of the YAML is reported in an [*Error]; after a fault of its syntax nothing
// more can be known.
//
// Content is UTF-8 without NUL, at most 1 MiB, nested at most 32 deep, with at most 100,000 values, each
// alias counted in full: what is larger is refused before it costs anything.
func Parse(name string, content []byte, lookup Lookup) (*File, error) {
	if lookup == nil {
		lookup = os.LookupEnv
	}
	f := &File{name: name, dir: filepath.Dir(name), hash: hashOf(content), lookup: lookup, root: &value{kind: mapping}}
	bad := func(faults ...Fault) (*File, error) { return nil, newError(name, faults) }
	if len(content) > maxSize {
		return bad(Fault{Message: fmt.Sprintf("found more than %d bytes, want at most that", maxSize)})
	}
	content = bytes.TrimPrefix(content, []byte("\ufeff")) // a byte order mark of Windows' editors
	if at := badByte(content); at >= 0 {
		return bad(Fault{Line: 1 + bytes.Count(content[:at], []byte("\n")), Message: "found bytes that are no UTF-8 text, want UTF-8"})
	}
	node, faults := compose(content)
	if len(faults) > 0 {
		return bad(faults...)
	}
	if node == nil { // blank, or comments only
		return f, nil
	}
	p := &planter{known: map[*yaml.Node]*value{}, open: map[*yaml.Node]bool{}}
	root := p.plant(node, "", 1)
	switch {
	case p.merged > maxValues || root.size > maxValues:
		p.fault(node, "", "found more than %d values with all aliases and merges, want at most that", maxValues)
	case root.depth > maxDepth && len(p.faults) == 0:
		p.fault(node, "", "found values nested deeper than %d through aliases, want at most that", maxDepth)
	case root.kind != mapping && root.kind != nothing:
		p.fault(node, "", "found %v, want a mapping of keys to values", root.kind)
	case root.kind == mapping:
		f.root = root
	}
	if len(p.faults) > 0 {
		return bad(p.faults...)
	}
	return f, nil
}

// badByte returns the place of the first byte that no text file has, or -1.
func badByte(content []byte) int {
	for i := 0; i < len(content); {
		r, n := utf8.DecodeRune(content[i:])
		if r == utf8.RuneError && n == 1 || r == 0 {
			return i
		}
		i += n
	}
	return -1
}

// compose has the library read the one document of content. Nil: there is none.
func compose(content []byte) (node *yaml.Node, faults []Fault) {
	defer func() {
		if broken := recover(); broken != nil { // a bug of the library must not end a server that reloads
			node, faults = nil, []Fault{{Message: "found YAML that the parser cannot read, want it simpler"}}
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, []Fault{syntaxFault(err)}
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		return nil, []Fault{{Line: second.Line, Column: second.Column, Message: "found a second document, want one in a file"}}
	case !errors.Is(err, io.EOF):
		return nil, []Fault{syntaxFault(err)}
	}
	if len(document.Content) == 0 {
		return nil, nil
	}
	return document.Content[0], nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// syntaxFault turns the library's error into a fault. What it says of an anchor is left out: a
// password that begins with * looks like one.
func syntaxFault(err error) Fault {
	message, f := err.Error(), Fault{}
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		message = message[len(m[0]):]
		f.Line, _ = strconv.Atoi(m[1]) // "" is 0: not known
	}
	if strings.HasPrefix(message, "unknown anchor") {
		message = `an alias whose anchor is not there (a text that begins with * needs quotes)`
	}
	f.Message = "found no good YAML: " + message
	return f
}

func hashOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// Name returns the name of the file.
func (f *File) Name() string { return f.name }

// Hash returns the SHA-256 of the content, in hexadecimal digits.
func (f *File) Hash() string { return f.hash }

// Line returns the line of the key or element at a path such as "policy.retry.attempts", or of the nearest
// one around it that is in the file, or 0.
func (f *File) Line(path string) int {
	line, _ := f.place(path)
	return line
}

// Names returns the keys of the mapping at a path, in the order in which they stand there; those of merge keys come last. It is empty if
// there is no mapping.
func (f *File) Names(path string) []string {
	v := f.root
	for _, name := range split(path) {
		e, ok := v.at(name)
		if !ok {
			return nil
		}
		v = e.value
	}
	names := make([]string, len(v.entries))
	for i, e := range v.entries {
		names[i] = e.name
	}
	return names
}

// Path returns the path of a key under another one; a name that could be taken for a path is quoted in it.
func Path(under, name string) string { return join(under, name) }

// place returns line and column, as Line does.
func (f *File) place(path string) (line, column int) {
	v := f.root
	for _, name := range split(path) {
		if v.kind == list {
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(v.items) {
				break
			}
			v = v.items[i]
			line, column = v.line, v.col
			continue
		}
		e, ok := v.at(name)
		if !ok {
			break
		}
		v, line, column = e.value, e.line, e.col
	}
	return line, column
}

// split is the opposite of join and index.
func split(path string) []string {
	var names []string
	for path != "" {
		path = strings.TrimPrefix(path, ".")
		if inner, ok := strings.CutPrefix(path, "["); ok {
			if quoted, err := strconv.QuotedPrefix(inner); err == nil {
				name, _ := strconv.Unquote(quoted) // it is well quoted
				names, path = append(names, name), strings.TrimPrefix(inner[len(quoted):], "]")
				continue
			}
			name, rest, _ := strings.Cut(inner, "]")
			names, path = append(names, name), rest
			continue
		}
		end := strings.IndexAny(path, ".[")
		if end < 0 {
			end = len(path)
		}
		if end == 0 { // "..": no name of ours
			return names
		}
		names, path = append(names, path[:end]), path[end:]
	}
	return names
}
