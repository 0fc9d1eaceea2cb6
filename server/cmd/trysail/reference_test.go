package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/server/configfile"
)

var update = flag.Bool("update", false, "rewrite what is generated under docs/reference")

// The pages that are made of the types, their comments and their defaults.
const (
	examplePage   = "../../../docs/reference/trysail.yaml"
	referencePage = "../../../docs/reference/configuration-file.md"
)

// A section is a top-level key of the file with all below it.
type section struct {
	keys  []configfile.Key
	about string
}

// sections returns all that there is to say in a file, with the defaults, in the order of the pages.
func sections(t *testing.T) []section {
	t.Helper()
	orc, err := trysail.New(trysail.Config{})
	if err != nil {
		t.Fatal(err)
	}
	server, gateway := sectionsOf(parsed(t))
	var list []section
	for _, key := range slices.Concat(
		configfile.DocumentKeys(orc.Configuration()), configfile.Keys("server", server), configfile.Keys("gateway", gateway),
	) {
		top, _, _ := strings.Cut(key.Path, ".")
		last := len(list) - 1
		if last < 0 || strings.Split(list[last].keys[0].Path, ".")[0] != top {
			list = append(list, section{about: topComments()[top]})
			last++
			if key.Path != top { // the section itself
				list[last].keys = append(list[last].keys, configfile.Key{Path: top})
			}
		}
		list[last].keys = append(list[last].keys, key)
	}
	return list
}

// topComments are for the keys whose Go field says less than an operator wants to know.
func topComments() map[string]string {
	return map[string]string{
		"preset":              "The preset that everything else is put on: simple, development or production. RESILIENCE_PRESET goes before it.",
		"template":            "The template whose numbers lie between the preset's and those below.",
		"enabled":             "False runs every call plainly, once, with metrics only. RESILIENCE_ENABLED goes before it.",
		"log_level":           "DEBUG, INFO, WARNING, ERROR or CRITICAL, in any case. LOG_LEVEL goes before it.",
		"show_config_loading": "Log each step of loading the configuration.",
		"observe_calls":       "Tell observers of the end of every call, too. It is read at the start only.",
		"custom": "Numbers by the names of the specification, as RESILIENCE_CUSTOM_CONFIG has them; see configuration-fields.md. " +
			"Times are numbers of seconds. What policy says goes before.",
		"policy": "What differs from the preset's policy, for the operations that follow the default strategy.",
		"operations": "Single operations by name: a strategy, a policy, or both. They go before what programs register. " +
			"A policy here has the keys of policy above.",
		"classes":         "What a class of failure leads to. What a row does not say stays as it is.",
		"retry_budgets":   "Budgets that retry.budget of any policy may name; all that name one share it. A reload that leaves its numbers leaves its account.",
		"literal_secrets": "Allow secrets to stand in this file, which everybody who reads the file then knows.",
		"server":          "The server. These are read at the start only. Flags and variables go before all of them.",
		"gateway": "The gateway: where requests go, and what they may take. Targets, routes and keys apply as soon as the file changes, everything else is " +
			"read at the start only. Flags and variables go before what they can say, too.",
	}
}

// comments returns what Go says of the fields of a type such as "trysail.RetryPolicy".
func comments(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for pkg, dir := range map[string]string{"trysail": "../../..", "main": "."} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				spec, ok := n.(*ast.TypeSpec)
				if !ok {
					return true
				}
				if structure, ok := spec.Type.(*ast.StructType); ok {
					for _, field := range structure.Fields.List {
						for _, name := range field.Names {
							found[pkg+"."+spec.Name.Name+"."+name.Name] = sentence(field.Doc.Text() + field.Comment.Text())
						}
					}
				}
				return true
			})
		}
	}
	for _, f := range config.Fields() {
		meaning := f.Meaning
		if f.Kind == config.KindInteger || f.Kind == config.KindNumber {
			meaning += strings.TrimRight(fmt.Sprintf(": %v to %v %s", f.Min, f.Max, f.Unit), " ")
		}
		found["config.Custom."+f.Name] = meaning
	}
	return found
}

// sentence makes one line of a comment, and takes links for words.
func sentence(comment string) string {
	text := strings.Join(strings.Fields(comment), " ")
	return regexp.MustCompile(`\[([A-Za-z.]+)\]`).ReplaceAllString(text, "$1")
}

// meaning returns what is said of a key.
func meaning(known map[string]string, key configfile.Key) string {
	if key.Owner == "config.Custom" {
		return known["config.Custom."+strings.TrimPrefix(key.Path, "custom.")]
	}
	text := known[key.Owner+"."+key.Field]
	if rest, ok := strings.CutPrefix(text, key.Field+" "); ok {
		text = key.Path[strings.LastIndex(key.Path, ".")+1:] + " " + rest
	}
	return goName.ReplaceAllStringFunc(text, func(name string) string {
		name = strings.TrimPrefix(name[strings.LastIndex(name, ".")+1:], "Backoff")
		return strings.ToLower(humps.ReplaceAllString(name, "${1}_$2"))
	})
}

// What Go calls MaxDelay, RetryPolicy.Base or BackoffExponential, the file calls max_delay, base or exponential.
var (
	goName = regexp.MustCompile(`\b(?:[A-Z][a-z]*(?:Policy)?\.[A-Z][a-z]+[A-Za-z]*|[A-Z][a-z]+(?:[A-Z][a-z]+)+)\b`)
	humps  = regexp.MustCompile(`([a-z])([A-Z])`)
)

const exampleHead = `# Everything that trysail.yaml may say, with the defaults. A setting that begins with # says nothing: take the # away,
# and that of the keys around it, to change it. Unknown keys are refused, and times have a unit, such as "30s".
#
# Start with:  trysail serve --config trysail.yaml     (or TRYSAIL_CONFIG)
#
# The order is: flags, then variables, then this file, then the preset. The file is read again whenever it changes; if it is
# no good then, what was in force stays, and the log says what is wrong.
# Keys that begin with x- are free, for anchors. The same as a table: configuration-file.md
`

// example writes the page of that name.
func example(t *testing.T) string {
	t.Helper()
	known := comments(t)
	var b strings.Builder
	b.WriteString(exampleHead)
	for _, s := range sections(t) {
		b.WriteString("\n" + wrapped("# ", s.about))
		for i, key := range s.keys {
			if i > 3 && s.keys[0].Path == "classes" { // each row says the same
				key.Owner = ""
			}
			b.WriteString(exampleKey(known, key))
		}
	}
	return b.String()
}

// exampleKey writes a key, its comment above it. What only an operator can name is prose.
func exampleKey(known map[string]string, key configfile.Key) string {
	parts := strings.Split(key.Path, ".")
	indent := strings.Repeat("  ", len(parts)-1)
	name, open := parts[len(parts)-1], ""
	if len(parts) > 1 {
		open = wrapped("#"+indent+"# ", meaning(known, key))
	}
	switch {
	case elsewhere(key):
		return ""
	case strings.Contains(key.Path, "<"), strings.Contains(key.Path, "[]."):
		if open == "" && key.About == "" {
			return fmt.Sprintf("#%s# %s:\n", indent, name)
		}
		return open + strings.TrimRight(fmt.Sprintf("#%s# %s: %s", indent, name, key.About), " ") + "\n"
	case key.About == "":
		return open + fmt.Sprintf("#%s%s:\n", indent, name)
	case key.Value == "":
		return open + fmt.Sprintf("#%s%s: %s\n", hidden(indent), name, unset(key))
	default:
		return open + fmt.Sprintf("#%s%s: %s\n", indent, name, key.Value)
	}
}

// elsewhere reports whether a key is one of policy's, which are listed once.
func elsewhere(key configfile.Key) bool { return strings.Contains(key.Path, "<name>.policy.") }

// hidden is what begins a line that stays a comment when its # is taken away; at the top, one that has no setting's form.
func hidden(indent string) string {
	if indent == "" {
		return " "
	}
	return indent + "# "
}

// unset is what a key that has no default may look like.
func unset(key configfile.Key) string {
	for _, f := range config.Fields() {
		if key.Path == "custom."+f.Name {
			return strings.Trim(f.Example, `"`)
		}
	}
	switch key.About {
	case "secret":
		return "${" + strings.ToUpper(key.Path[strings.LastIndex(key.Path, ".")+1:]) + "}"
	case "list, each a secret":
		return "[{file: /run/secrets/key}]"
	default:
		return "(" + key.About + ")"
	}
}

// wrapped breaks a text into lines of about 120 characters.
func wrapped(prefix, text string) string {
	if text == "" {
		return ""
	}
	var b strings.Builder
	line := prefix
	for _, word := range strings.Fields(text) {
		if len(line)+len(word) > 120 && line != prefix {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = prefix
		}
		line += word + " "
	}
	return b.String() + strings.TrimRight(line, " ") + "\n"
}

const referenceHead = `# The configuration file

` + "`trysail serve --config trysail.yaml`, or `TRYSAIL_CONFIG=trysail.yaml`" + `. [trysail.yaml](trysail.yaml) is a complete example with all defaults.

` + "```yaml" + `
preset: production
policy:
  total: 2m
  retry: {budget: shared}
operations:
  qa: {strategy: critical, policy: {breaker: {failure_threshold: 20}}}
classes:
  rate_limited: {count: false} # a rate limit does not open a breaker
retry_budgets:
  shared: {share: 0.1}
server:
  api_key: ${API_KEY}
gateway:
  targets:
    openai: {api_key: {file: /run/secrets/openai}}
    local: {protocol: openai, base_url: "http://127.0.0.1:11434/v1"}
  routes:
    - {model: gpt-5*, targets: [openai, local]}
` + "```" + `

## What is read, and what is refused

* Flags go before variables, variables before the file, the file before the preset.
* One YAML document in UTF-8, or JSON: at most 1 MiB, 32 levels, 100,000 values with all aliases. Anchors, aliases and merge keys work; keys that begin with
  ` + "`x-`" + ` are free for them. Tags are refused.
* A key that is not known, is there twice, or has a value of another kind is an error. All errors of a file are reported at once, as ` + "`file:line:column: path: what was found, what is wanted`" + `.
* Times have a unit: ` + "`30s`, `1m30s`, `250ms`" + `. Only ` + "`custom`" + ` has numbers of seconds, because the specification's names do. Sizes are ` + "`32MiB`, `10MB`" + ` or bytes.
* Only ` + "`true` and `false`" + ` are truth values. Numbers are decimal: ` + "`0x10`, `010`, `1_000`" + ` mean different things to different readers, and are refused.
* 0, or false, is the same as saying nothing: the number of the preset or of the strategy applies.

## Secrets

Secrets are named, not written: ` + "`${NAME}` or `{env: NAME}`" + ` is a variable, ` + "`{file: PATH}`" + ` a file, relative to the configuration file; a line end at its end is left out. Between
` + "`{` and `}`" + ` YAML wants quotes around ` + "`${NAME}`" + `. A secret in the file itself is refused, unless ` + "`literal_secrets: true`" + ` stands at its top. No message, log or answer shows a secret.

## When the file changes

The directories on the way to the file are watched, so that rewriting it, renaming another file over it, and swapping a symbolic link (as Kubernetes does with ConfigMaps) are
all seen. A change counts when the file was left alone for 100 ms and nobody has it open for writing; where the system cannot tell (not Linux, some network
file systems, files of other users), when two looks 100 ms apart found the same. An empty file never counts. Without events of the file system the file is looked at every
2 seconds, and with them every 30 seconds as well.

A file that is no good, gone or empty changes nothing: the configuration in force stays, the log has an error, once for each content, and the watch goes on. What was refused is
tried again every 30 seconds, because what it names may be there by then. SIGHUP reads the file again at once, with the variables and files that secrets name.

Running calls end as they began; breakers, windows, counters and retry budgets whose numbers stay keep what they know. Targets, routes and keys of providers under ` + "`gateway`" + ` apply with the rest, whole or not at all;
the other keys of ` + "`gateway`, and `server`," + ` are read at the start only: the log names what needs a restart.

## All keys

` + "`<name>` and `<class>`" + ` stand for a name of yours and for a class such as ` + "`rate_limited`" + `. The defaults are those of the preset simple.
`

// reference writes the page of that name.
func reference(t *testing.T) string {
	t.Helper()
	known := comments(t)
	var b strings.Builder
	b.WriteString(referenceHead)
	for _, s := range sections(t) {
		top := s.keys[0]
		fmt.Fprintf(&b, "\n### `%s`\n\n%s", top.Path, s.about)
		if top.About != "" {
			fmt.Fprintf(&b, " %s, default %s.", capital(top.About), quoted(top.Value))
		}
		b.WriteString("\n")
		if len(s.keys) == 1 {
			continue
		}
		b.WriteString("\n| key | value | default | meaning |\n|---|---|---|---|\n")
		for _, key := range s.keys[1:] {
			if elsewhere(key) || key.About == "" && meaning(known, key) == "" {
				continue
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", strings.TrimPrefix(key.Path, top.Path+"."), key.About, quoted(key.Value),
				strings.ReplaceAll(meaning(known, key), "|", `\|`))
		}
	}
	return b.String()
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func quoted(value string) string {
	if value == "" {
		return "none"
	}
	return "`" + value + "`"
}

func TestReferencePages(t *testing.T) {
	for page, want := range map[string]string{examplePage: example(t), referencePage: reference(t)} {
		if *update {
			if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s is not what the types say (go test ./cmd/trysail -run ReferencePages -update):\n%s", page, diff)
		}
	}
}

// Every key has a comment: an operator does not look into Go files.
func TestEveryKeyIsExplained(t *testing.T) {
	known := comments(t)
	for _, s := range sections(t) {
		if s.about == "" {
			t.Errorf("%s: topComments has nothing to say", s.keys[0].Path)
		}
		for _, key := range s.keys[1:] {
			if key.About != "" && key.Owner != "" && meaning(known, key) == "" {
				t.Errorf("%s: %s.%s has no comment", key.Path, key.Owner, key.Field)
			}
		}
	}
}
