package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/server/configfile"
)

// The kinds of documents that commands take.
const (
	kindCustom = "custom" // a custom configuration: a JSON object
	kindFile   = "file"   // a configuration file: trysail.yaml
)

// fileKind is the flag of commands that take both kinds.
type fileKind struct {
	As string `default:"auto" enum:"auto,custom,file" placeholder:"KIND" help:"custom: a custom configuration. file: a configuration file. auto: by the name, .yaml and .yml are configuration files (${default})."`
}

// of returns the kind of the document of that name.
func (k fileKind) of(name string) string {
	if k.As == kindCustom || k.As == kindFile {
		return k.As
	}
	if isYAML(name) {
		return kindFile
	}
	return kindCustom
}

func isYAML(name string) bool {
	extension := strings.ToLower(filepath.Ext(name))
	return extension == ".yaml" || extension == ".yml"
}

// envFileFlag is the flag of commands that, as serve does, look for variables in an env file as well.
type envFileFlag struct {
	EnvFile string `default:".env" env:"TRYSAIL_ENV_FILE" placeholder:"FILE" help:"File of variables, which the environment goes before (${default}, if it is there)."`
}

// variables returns what finds a variable as serve does.
func (f envFileFlag) variables(p *program) (config.Environ, error) {
	file, err := readEnvFile(f.EnvFile)
	if err != nil {
		return nil, usageError{err}
	}
	return config.Sources{Lookup: p.lookup, EnvFile: file}.Variable, nil
}

// open opens the file of that name, or the standard input for -.
func (p *program) open(name string) (io.ReadCloser, string, error) {
	if name == "-" {
		return io.NopCloser(p.stdin), "standard input", nil
	}
	info, err := os.Stat(name)
	if err == nil && info.IsDir() {
		err = &os.PathError{Op: "read", Path: name, Err: errors.New("it is a directory, want a file")}
	}
	if err != nil {
		return nil, name, err //nolint:wrapcheck // it names the file
	}
	f, err := os.Open(name)
	return f, name, err //nolint:wrapcheck // it names the file
}

// maxInput is the size of the largest document that a command reads whole.
const maxInput = 1 << 20

// readAll returns the content of a file or of the standard input. More than maxInput is refused before it costs anything.
func (p *program) readAll(name string) (content []byte, shown string, err error) {
	in, shown, err := p.open(name)
	if err != nil {
		return nil, shown, err
	}
	defer func() { _ = in.Close() }()
	content, err = io.ReadAll(io.LimitReader(in, maxInput+1))
	if err != nil {
		return nil, shown, fmt.Errorf("read %s: %w", shown, err)
	}
	if len(content) > maxInput {
		return nil, shown, fmt.Errorf("%s has more than %d bytes, want at most that", shown, maxInput)
	}
	return content, shown, nil
}

// alone reads a configuration file as serve does when only what is given says anything besides: no variable counts but those that
// its secrets name. The reading is of use after an error, too: it holds what could be read.
func alone(name string, content []byte, said config.Sources, secrets config.Environ) (*reading, error) {
	defaults, err := defaultSettings()
	if err != nil {
		return nil, err
	}
	now := &reading{file: &configuration{}, settings: defaults, sources: said}
	file, err := configfile.Parse(name, content, configfile.Lookup(secrets))
	if err != nil {
		return now, err //nolint:wrapcheck // it names the file
	}
	now.file, err = readConfiguration(&configfile.Loader{Operations: said.Operations}, file)
	now.sources.File = now.file.document
	now.settings = defaults.over(now.file)
	return now, err
}

// defaultSettings are the flags of serve when neither command line nor environment says anything.
func defaultSettings() (*serveCmd, error) {
	var c cli
	parser, err := kong.New(&c, kong.Bind(&program{lookup: func(string) (string, bool) { return "", false }}))
	if err != nil {
		return nil, err //nolint:wrapcheck // a mistake in a tag: no test would pass
	}
	for _, command := range parser.Model.Leaves(false) {
		for _, flag := range command.Flags {
			flag.Envs, flag.Tag.Envs = nil, nil
		}
	}
	if _, err := parser.Parse([]string{"serve"}); err != nil {
		return nil, err //nolint:wrapcheck // as above
	}
	return &c.Serve, nil
}
