package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"github.com/trysail-go/trysail/server/gateway"
)

// keyCmd is the command "config key".
type keyCmd struct {
	Name string `arg:"" optional:"" default:"client" help:"Whom it is for (${default})."`
	output
}

// Help is shown by "trysail config key --help".
func (keyCmd) Help() string {
	return `The key is made of 256 random bits and printed once; it is stored nowhere. The file gets its hash, from which nobody can tell the key:
a line for gateway.keys, to which operations, routes, targets and limits can be added.

  trysail config key team-a
  trysail config key team-a --output json | jq -r .entry

Exit code: 0, 1 if it cannot be written, 2 for a name that is no good.`
}

// newKeyView is the answer of "config key".
type newKeyView struct {
	Name   string `json:"name"`
	Key    string `json:"key"`    // a secret: it is nowhere else
	SHA256 string `json:"sha256"` // of the key
	Entry  string `json:"entry"`  // for gateway.keys
}

// keyPrefix lets people, and programs that look for secrets, see what it is.
const keyPrefix = "tsk_"

// Run makes a key.
func (c *keyCmd) Run(p *program) error {
	if !plainWord(c.Name, 64, "._:/-") {
		return usageError{fmt.Errorf("the name is %s, want 1 to 64 of the characters A-Z a-z 0-9 . _ : / -", quotedShort(c.Name))}
	}
	var random [32]byte
	_, _ = rand.Read(random[:]) // it never fails
	v := newKeyView{Name: c.Name, Key: keyPrefix + hex.EncodeToString(random[:])}
	hash := gateway.HashKey(v.Key)
	v.SHA256 = hex.EncodeToString(hash[:])
	v.Entry = fmt.Sprintf(`- {name: %q, key: {sha256: %q}}`, v.Name, v.SHA256)
	return c.print(p, v, func(s *page) {
		s.line("The key, which is shown only now and stored nowhere. Give it to the client:\n\n  %s\n", v.Key)
		s.line("Its line under gateway.keys of trysail.yaml:\n\n  %s", v.Entry)
	})
}
