package configfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/server/configfile"
)

func TestSecretFrom(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte(hunter+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	lookup := variables(map[string]string{"KEY": " " + hunter + " ", "BLANK": " "})
	for origin, wrong := range map[string]string{
		"variable KEY":                      "",
		"file key":                          "",
		"file " + filepath.Join(dir, "key"): "",
		"variable BLANK":                    "the variable BLANK is not set or empty",
		"variable MISSING":                  "the variable MISSING is not set or empty",
		"file nowhere":                      "the file nowhere: it cannot be read",
		"the configuration file":            "it is from the configuration file, which is not kept",
		"":                                  "which is not kept",
	} {
		s, err := configfile.SecretFrom(origin, dir, lookup)
		switch {
		case wrong == "" && (err != nil || s.Reveal() != hunter || s.Origin() != origin):
			t.Errorf("%q: %v, %v", origin, s, err)
		case wrong != "" && (err == nil || !strings.Contains(err.Error(), wrong) || !s.Empty()):
			t.Errorf("%q: %v, %v, want %q", origin, s, err, wrong)
		}
	}
}
