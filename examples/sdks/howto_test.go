package sdks_test

import (
	"os"
	"strings"
	"testing"
)

// What the how-tos show are parts of the example programs, word by word.
func TestHowTosCompile(t *testing.T) {
	for _, name := range []string{"openai", "anthropic", "gemini"} {
		t.Run(name, func(t *testing.T) {
			page, err := os.ReadFile("../../docs/how-to/" + name + "-sdk.md")
			if err != nil {
				t.Fatal(err)
			}
			program, err := os.ReadFile("../" + name + "/main.go")
			if err != nil {
				t.Fatal(err)
			}
			blocks := 0
			for block := range strings.SplitSeq(string(page), "```go\n") {
				block, _, found := strings.Cut(block, "```")
				if !strings.Contains(block, "func ") || !found {
					continue
				}
				if blocks++; !strings.Contains(string(program), block) {
					t.Errorf("this snippet is not in the program as it stands there:\n%s", block)
				}
			}
			if blocks != 3 {
				t.Errorf("the how-to has %d snippets, want 3", blocks)
			}
		})
	}
}
