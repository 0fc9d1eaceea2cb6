package model_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// A thousand histories of a machine take a second or less. The flag -rapid.checks makes it another number.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "1000"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	os.Exit(m.Run())
}
