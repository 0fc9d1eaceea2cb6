package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

const cliPage = "../../../docs/reference/command-line.md"

const cliHead = `# The command line

` + "`trysail COMMAND --help`" + ` prints the same. Made of what the program takes by ` + "`go test ./cmd/trysail -run CommandLinePage -update`" + `.

## Exit codes

| code | meaning |
|---|---|
| 0 | done, and where a question was asked, the answer is yes |
| 1 | the program ran into something: a file cannot be read, an address is in use, the output cannot be written, a server cannot be reached, fails or is too busy |
| 2 | it was started wrongly: a flag, a variable, a setting; a server refused what was sent as wrong: a key, a name, a number |
| 3 | the answer is no: a document is not valid, two configurations differ, there is nothing to migrate, no template fits, a benchmark missed its target, a server is not ready |

## Answers

` + "`--output json` and `yaml`" + ` are for programs: names of fields stay, lists are lists also when they are empty, and both say the same. The table is for people and may
change. Answers go to the standard output, warnings and errors to the standard error. There are colours only on a terminal, and not where ` + "`NO_COLOR`" + ` is set
or ` + "`TERM` is `dumb`" + `. A file that is named ` + "`-`" + ` is the standard input. What documents say is printed without control characters.

## Typical uses

` + "```sh" + `
trysail config validate trysail.yaml                 # before a commit: every fault, with line and column
trysail config diff trysail.yaml                     # before a reload: what it would change here
trysail config show --origin                         # why is this number in force?
trysail config migrate compose.yaml                  # what to write in place of old variables
eval "$(trysail config migrate)"                     # and apply it to this shell
trysail templates show low_latency --output env >>.env
trysail breakers                                     # what a server refuses just now, and why
trysail api                                          # what else a server can be asked
` + "```" + `
`

// commandLine writes the page.
func commandLine(t *testing.T) string {
	t.Helper()
	var c cli
	parser, err := kong.New(&c, kong.Name("trysail"), kong.Bind(&program{}))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString(cliHead)
	leaves := parser.Model.Leaves(true)
	serve := leaves[slices.IndexFunc(leaves, func(n *kong.Node) bool { return n.Name == "serve" })]
	for _, command := range leaves {
		fmt.Fprintf(&b, "\n## `%s`\n\n%s\n", usageOf(command), command.Help)
		if command.Detail != "" {
			fmt.Fprintf(&b, "\n```text\n%s\n```\n", command.Detail)
		}
		rows := argumentRows(command)
		flags, shared := flagRows(command, serve)
		rows = append(rows, flags...)
		if len(rows) > 0 {
			b.WriteString("\n| argument or flag | variable | meaning |\n|---|---|---|\n" + strings.Join(rows, ""))
		}
		if shared {
			b.WriteString("\nBesides, it takes the flags of `trysail serve`.\n")
		}
	}
	return b.String()
}

// usageOf is the command with its arguments. A command that can be left out stands in brackets.
func usageOf(command *kong.Node) string {
	usage := command.Name
	for node := command.Parent; node != nil; node = node.Parent {
		if node.DefaultCmd == command {
			usage = "[" + usage + "]"
		}
		usage = node.Name + " " + usage
	}
	for _, argument := range command.Positional {
		name := strings.ToUpper(argument.Name)
		if !argument.Required {
			name = "[" + name + "]"
		}
		usage += " " + name
	}
	return usage
}

func argumentRows(command *kong.Node) (rows []string) {
	for _, argument := range command.Positional {
		rows = append(rows, fmt.Sprintf("| `%s` | | %s |\n", strings.ToUpper(argument.Name), cell(argument.Help)))
	}
	return rows
}

// flagRows are a command's own flags. Those of serve are on the page of settings, too, and are listed once.
func flagRows(command, serve *kong.Node) (rows []string, shared bool) {
	inherited := func(flag *kong.Flag) bool {
		return command != serve && slices.ContainsFunc(serve.Flags, func(f *kong.Flag) bool { return f.Name == flag.Name && f.Help == flag.Help })
	}
	shared = slices.ContainsFunc(command.Flags, func(f *kong.Flag) bool { return f.Name == "shutdown-timeout" && inherited(f) })
	for _, flag := range command.Flags {
		if flag.Name == "help" || shared && inherited(flag) {
			continue
		}
		name := "--" + flag.Name
		if flag.Short != 0 {
			name = "-" + string(flag.Short) + ", " + name
		}
		if flag.PlaceHolder != "" {
			name += "=" + flag.PlaceHolder
		}
		variables := ""
		if len(flag.Envs) > 0 {
			variables = "`" + strings.Join(flag.Envs, "`, `") + "`"
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |\n", name, variables, cell(flag.Help)))
	}
	return rows, shared
}

func cell(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "|", `\|`), "\n", " ")
}

func TestCommandLinePage(t *testing.T) {
	want := commandLine(t)
	if *update {
		if err := os.WriteFile(cliPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(cliPage)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is not what the program takes (go test ./cmd/trysail -run CommandLinePage -update):\n%s", cliPage, diff)
	}
}

// Every command explains itself, with the codes that it exits with.
func TestHelpNamesExitCodes(t *testing.T) {
	var c cli
	parser, err := kong.New(&c, kong.Name("trysail"), kong.Bind(&program{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range parser.Model.Leaves(true) {
		path := strings.Fields(command.FullPath())[1:]
		got := try{args: append(path, "--help")}.run(t)
		if got.code != 0 || got.stderr != "" || !strings.Contains(got.stdout, "Usage: trysail "+strings.Join(path, " ")) {
			t.Errorf("%v --help: exit code %d\n%s%s", path, got.code, got.stdout, got.stderr)
		}
		if !strings.Contains(got.stdout, "Exit code: 0") {
			t.Errorf("%v --help does not name the exit codes:\n%s", path, got.stdout)
		}
	}
}
