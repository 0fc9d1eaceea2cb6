package configfile_test

import (
	"errors"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/server/configfile"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// variables is a lookup in a table.
func variables(table map[string]string) configfile.Lookup {
	return func(name string) (string, bool) {
		v, ok := table[name]
		return v, ok
	}
}

// load makes a document of a text.
func load(text string) (*config.Document, error) {
	f, err := configfile.Parse("trysail.yaml", []byte(text), variables(nil))
	if err != nil {
		return nil, err
	}
	return new(configfile.Loader).Load(f, nil)
}

func mustLoad(t testing.TB, text string) *config.Document {
	t.Helper()
	doc, err := load(text)
	if err != nil {
		t.Fatalf("Load(%q) = %v", text, err)
	}
	return doc
}

func mustParse(t testing.TB, text string, lookup configfile.Lookup) *configfile.File {
	t.Helper()
	f, err := configfile.Parse("trysail.yaml", []byte(text), lookup)
	if err != nil {
		t.Fatalf("Parse(%q) = %v", text, err)
	}
	return f
}

// wantError compares the lines of an error.
func wantError(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want\n%s", strings.Join(want, "\n"))
	}
	if _, ok := errors.AsType[*configfile.Error](err); !ok {
		t.Errorf("the error is a %T, want a *configfile.Error", err)
	}
	if got := err.Error(); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}
