package configfile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/server/configfile"
)

// thousand is a file with a thousand operations.
func thousand() string {
	var b strings.Builder
	b.WriteString("preset: production\npolicy: {total: 2m}\noperations:\n")
	for i := range 1000 {
		fmt.Fprintf(&b, "  operation_%d:\n    strategy: balanced\n    policy:\n      attempt: 20s\n      retry: {attempts: %d, base: 1s}\n", i, i%5+1)
	}
	return b.String()
}

func BenchmarkLoad(b *testing.B) {
	for name, text := range map[string]string{
		"small":    "preset: production\ncustom:\n  retry_attempts: 4\npolicy:\n  retry: {base: 2s}\n",
		"thousand": thousand(),
		"comments": "preset: simple\n" + strings.Repeat("# nothing\n", 10_000),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				f, err := configfile.Parse("trysail.yaml", []byte(text), nil)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := new(configfile.Loader).Load(f, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	text := []byte(thousand())
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := configfile.Parse("trysail.yaml", text, nil); err != nil {
			b.Fatal(err)
		}
	}
}
