package config_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/config"
)

// The page of variables has every old variable with its default, and every variable that Load reads.
func TestVariablesPage(t *testing.T) {
	content, err := os.ReadFile("../docs/reference/variables.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range config.LegacyVariables() {
		what := "`" + v.Field + "`"
		if v.Field == "" {
			what = "whether there are"
		}
		begin, end := fmt.Sprintf("| `%s` | %s", v.Name, what), fmt.Sprintf(" | `%s` |\n", v.Default)
		if _, row, ok := strings.Cut(string(content), begin); !ok || !strings.Contains(row[:strings.Index(row, "\n")+1], end) {
			t.Errorf("the page lacks the row %s ... %s", begin, end)
		}
	}
	read := map[string]bool{}
	_, err = config.Load(func(name string) (string, bool) {
		read[name] = true
		return "", false
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range read {
		if !strings.Contains(string(content), "`"+name+"`") {
			t.Errorf("the page lacks %s, which Load reads", name)
		}
	}
}
