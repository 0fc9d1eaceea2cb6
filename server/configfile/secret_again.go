package configfile

import (
	"fmt"
	"path/filepath"
	"strings"
)

// SecretFrom reads a secret again, by what [Secret.Origin] has said of it: "variable NAME", found by lookup, or "file PATH", relative to a directory. A
// secret in a configuration file cannot be read again. No error shows one.
func SecretFrom(origin, dir string, lookup Lookup) (Secret, error) {
	if name, ok := strings.CutPrefix(origin, "variable "); ok {
		content, _ := lookup(name)
		if content = strings.TrimSpace(content); content == "" {
			return Secret{}, fmt.Errorf("the variable %s is not set or empty, want it set", name)
		}
		return NewSecret(content, origin), nil
	}
	if name, ok := strings.CutPrefix(origin, "file "); ok {
		at := name
		if !filepath.IsAbs(at) {
			at = filepath.Join(dir, at)
		}
		content, err := readSecret(at)
		if err != nil {
			return Secret{}, fmt.Errorf("the file %s: %w", name, err)
		}
		return NewSecret(content, origin), nil
	}
	return Secret{}, fmt.Errorf("it is from %s, which is not kept, want a variable or a file", origin)
}
