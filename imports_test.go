package trysail_test

import (
	"errors"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/trysail-go/trysail"

// mayImport lists every package and the packages of this repository that it may
// import; see section 2 of the design. Arrows point one way: down this list to
// what stands higher in it.
var mayImport = map[string][]string{
	"": {}, // the library core

	"config":      {""},
	"monitor":     {""},
	"perf":        {"", "config"},
	"trysailhttp": {""},
	"trysailtest": {""},
	"llm":         {"", "trysailhttp"},

	"server/api":        {"", "config", "monitor", "perf"},
	"server/gateway":    {"", "config", "llm", "trysailhttp", "server/wire"},
	"server/wire":       {},
	"server/answers":    {"llm"},
	"server/configfile": {"", "config"},
	"server/store":      {"monitor", "perf"},

	"server/cmd/trysail": {"", "config", "monitor", "perf", "llm", "trysailhttp", "trysailtest", "server/api", "server/configfile", "server/gateway", "server/store"},
}

// foreign lists the folders that may import modules other than the standard
// library; they are in modules of their own.
var foreign = []string{"server/answers", "server/api", "server/configfile", "server/gateway", "server/store", "server/cmd/trysail"}

// tooHeavy lists what the core must not link: net/http alone adds 4 MB to a
// program that did not have it.
var tooHeavy = []string{"encoding/json", "expvar", "log", "log/slog", "net", "net/http", "os", "testing"}

func TestImports(t *testing.T) {
	seen := map[string]bool{}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() {
			if name == "testdata" || name == "bench" || name == "examples" || name != "." && name[0] == '.' {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		dir := strings.TrimPrefix(path.Dir(filepath.ToSlash(file)), ".")
		seen[dir] = true
		checkFile(t, dir, file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range slices.Sorted(maps.Keys(mayImport)) {
		if !seen[dir] {
			t.Errorf("mayImport names %q, which holds no Go files", dir)
		}
	}
}

func checkFile(t *testing.T, dir, file string) {
	t.Helper()
	allowed, ok := mayImport[dir]
	if !ok {
		t.Errorf("%s: package %q is not in mayImport: give it a place there first", file, dir)
		return
	}
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Error(err)
		return
	}
	for _, spec := range f.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Error(err)
			continue
		}
		first, _, _ := strings.Cut(p, "/")
		switch rest, here := strings.CutPrefix(p, module); {
		case here:
			if !slices.Contains(allowed, strings.TrimPrefix(rest, "/")) {
				t.Errorf("%s imports %s, which %q may not", file, p, dir)
			}
		case strings.Contains(first, ".") && !slices.Contains(foreign, dir):
			t.Errorf("%s imports %s: only %v may leave the standard library", file, p, foreign)
		case dir == "" && slices.Contains(tooHeavy, p):
			t.Errorf("%s imports %s, which is too heavy for the core", file, p)
		}
	}
}

func TestCoreRequiresNothing(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mod)) {
		if word, _, _ := strings.Cut(strings.TrimSpace(line), " "); !slices.Contains([]string{"module", "go", ""}, word) {
			t.Errorf("go.mod has %q; importing the library must cost nothing: want the module and the go version only", line)
		}
	}
	if _, err := os.Stat("go.sum"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat(go.sum) = %v, want none: there is nothing to sum up", err)
	}
}
