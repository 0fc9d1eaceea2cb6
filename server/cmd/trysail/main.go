// Command trysail keeps AI calls working: it serves the gateway and the internal
// API, and shows what they do.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// The exit codes.
const (
	exitFailure = 1 // the program ran into something
	exitUsage   = 2 // it was started wrongly: a flag, a variable, a setting
	exitNo      = 3 // the answer that it printed is no: a document is not valid, two things differ
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	p := &program{ctx: ctx, stop: stop, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, lookup: os.LookupEnv}
	code := p.run(os.Args[1:])
	stop()
	os.Exit(code)
}

// cli is the command line.
type cli struct {
	Serve     serveCmd     `cmd:"" help:"Serve the gateway and the internal API."`
	Demo      demoCmd      `cmd:"" help:"Serve, and send traffic through a provider that fails and recovers."`
	Config    configCmd    `cmd:"" help:"Check and show configurations."`
	Presets   presetsCmd   `cmd:"" help:"List, show and recommend presets."`
	Templates templatesCmd `cmd:"" help:"List, show and suggest templates."`
	API       apiCmd       `cmd:"" name:"api" help:"List the routes of the internal API, and call them."`
	Breakers  breakersCmd  `cmd:"" help:"Show the circuit breakers of a server, and set them by hand."`
	Gateway   gatewayCmd   `cmd:"" help:"Show the targets of a server's gateway and what was used, and drain targets."`
	Monitor   monitorCmd   `cmd:"" help:"Show and export what a server has recorded."`
	Bench     benchCmd     `cmd:"" help:"Have a server measure itself."`
	Health    healthCmd    `cmd:"" help:"Ask a server whether it can serve."`
	Version   versionCmd   `cmd:"" help:"Print the version."`
}

// program is what the commands get to work with.
type program struct {
	ctx    context.Context    //nolint:containedctx // it is the process's, made in main
	stop   context.CancelFunc // gives the signals back, so that a second one ends the process at once
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	lookup func(string) (string, bool)
}

// run is the whole program. It returns the exit code.
func (p *program) run(args []string) int {
	var c cli
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("trysail"),
		kong.Description("Keeps AI calls working when AI services do not."),
		kong.Writers(p.stdout, p.stderr),
		kong.Bind(p),
		kong.Exit(func(code int) { exited = code }),
		kong.Resolvers(&envFileFlags{lookup: p.lookup}),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		return p.report(err)
	}
	command, err := parser.Parse(args)
	switch {
	case exited >= 0: // --help has been printed
		return exited
	case err != nil:
		return p.report(usageError{fmt.Errorf("%w (see trysail --help)", err)})
	}
	return p.report(command.Run(p))
}

// usageError is a mistake in how the program was started.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

// answerNo is the error of a command that has already printed what is to be said.
type answerNo struct{}

func (answerNo) Error() string { return "the answer is no" }

// report prints an error and returns the exit code for it.
func (p *program) report(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.As(err, new(answerNo)):
		return exitNo
	}
	_, _ = fmt.Fprintln(p.stderr, "trysail:", err)
	if errors.As(err, new(usageError)) {
		return exitUsage
	}
	return exitFailure
}
