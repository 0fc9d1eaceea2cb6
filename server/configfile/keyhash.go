package configfile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"reflect" //nolint:depguard // ADR 13: one decoder for the types of all packages
	"regexp"
	"strings"
)

// A KeyHash is the SHA-256 of a key by which clients are known. The key itself is not kept, and never stands in a file, also
// where that may hold other secrets. In a file it is
//
//	key: ${TEAM_A_KEY}           # the key in a variable; between { and } YAML wants quotes around it
//	key: {env: TEAM_A_KEY}       # the same
//	key: {file: /run/secrets/a}  # in a file, relative to the configuration file; a line end at its end is left out
//	key: {sha256: "9f86d081..."} # the hash alone, 64 hexadecimal digits
//
// Variables and files are read when the configuration file is read, and at each reload. A key has 16 to 1000 of the ASCII
// characters that can be seen: a shorter one could be guessed from its hash.
type KeyHash struct {
	sum    *[sha256.Size]byte
	origin string
}

// HashOfKey returns the hash of a key that comes from origin, such as "variable TEAM_A_KEY", or says why it is no good as one; it
// shows nothing of it.
func HashOfKey(key, origin string) (KeyHash, error) {
	const least, most = 16, 1000
	if i := strings.IndexFunc(key, func(c rune) bool { return c <= ' ' || c > '~' }); i >= 0 {
		return KeyHash{}, fmt.Errorf("a key with a character at place %d that no header can carry, such as a blank or a line break, want the key alone, in one line", i+1)
	}
	if len(key) < least || len(key) > most {
		return KeyHash{}, fmt.Errorf("a key of %d characters, want %d to %d that nobody can guess: trysail config key makes one", len(key), least, most)
	}
	sum := sha256.Sum256([]byte(key))
	return KeyHash{&sum, origin}, nil
}

// inFile is the origin of a hash that stands in the file.
const inFile = "the configuration file"

// ParseKeyHash reads a hash of 64 hexadecimal digits.
func ParseKeyHash(digits string) (KeyHash, error) {
	var sum [sha256.Size]byte
	if len(digits) != 2*len(sum) {
		return KeyHash{}, fmt.Errorf("a text of %d characters, want the SHA-256 of a key, %d hexadecimal digits: trysail config key prints it", len(digits), 2*len(sum))
	}
	if _, err := hex.Decode(sum[:], []byte(digits)); err != nil {
		return KeyHash{}, fmt.Errorf("a text with other characters than 0-9 and a-f, want the SHA-256 of a key, %d hexadecimal digits", 2*len(sum))
	}
	switch sum {
	case sha256.Sum256(nil), sha256.Sum256([]byte("\n")):
		return KeyHash{}, fmt.Errorf("the hash of an empty text, want that of a key: trysail config key makes one")
	case [sha256.Size]byte{}:
		return KeyHash{}, fmt.Errorf("zeros alone, want the SHA-256 of a key: trysail config key makes one")
	}
	return KeyHash{&sum, inFile}, nil
}

// Empty reports whether there is none.
func (k KeyHash) Empty() bool { return k.sum == nil }

// Sum returns the hash. It is zero if there is none.
func (k KeyHash) Sum() (sum [sha256.Size]byte) {
	if k.sum != nil {
		sum = *k.sum
	}
	return sum
}

// Origin says where the key comes from, such as "variable TEAM_A_KEY". Of a hash in the file it is "the configuration file".
func (k KeyHash) Origin() string { return k.origin }

// String says that there is a key, and where it comes from.
func (k KeyHash) String() string {
	if k.sum == nil {
		return "[no key]"
	}
	return "[key from " + k.origin + "]"
}

// Format keeps every verb of fmt from looking inside: the hash of a bad key tells the key.
func (k KeyHash) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue keeps package slog from looking inside.
func (k KeyHash) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText keeps encoders from looking inside.
func (k KeyHash) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

var hashForm = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)

// keyHash reads the hash of a key. No message shows what was found.
func (d *decoder) keyHash(v *value, into reflect.Value, path string) {
	const want = "${NAME}, {env: NAME}, {file: PATH} or {sha256: HASH}"
	var made KeyHash
	switch {
	case v.kind == text && strings.Contains(v.text, "${"):
		made = d.hashed(v, path)
	case (v.kind == text || v.kind == number) && hashForm.MatchString(v.text):
		d.fault(v, path, "found a hash, or a key, alone, want {sha256: HASH} if it is the hash of a key")
	case (v.kind == text || v.kind == number) && v.text != "":
		d.fault(v, path, "found a key in the file itself, want %s: only its hash may stand here, which trysail config key prints with a new key", want)
	case v.kind == mapping && len(v.entries) == 1 && v.entries[0].name == "sha256":
		made = d.hash(v.entries[0].value, join(path, "sha256"))
	case v.kind == mapping && len(v.entries) == 1 && (v.entries[0].name == "env" || v.entries[0].name == "file"):
		made = d.hashed(v, path)
	case v.kind == mapping && len(v.entries) == 1:
		e := v.entries[0]
		d.faults = append(d.faults, Fault{Line: e.line, Column: e.col, Path: join(path, shortName(e.name)), Message: "found a key that is not known, want env, file or sha256"})
	case v.kind == text:
		d.fault(v, path, "found an empty text, want %s", want)
	default:
		d.fault(v, path, "found %v, want %s", v.kind, want)
	}
	into.Set(reflect.ValueOf(made))
}

// hashed reads a key from elsewhere, and forgets it.
func (d *decoder) hashed(v *value, path string) KeyHash {
	var key Secret
	d.secret(v, reflect.ValueOf(&key).Elem(), path)
	if key.Empty() {
		return KeyHash{} // it has been reported
	}
	made, err := HashOfKey(key.Reveal(), key.Origin())
	if err != nil {
		d.fault(v, path, "found %v", err)
	}
	return made
}

// hash reads a hash. One of digits alone, or with one e, looks like a number.
func (d *decoder) hash(v *value, path string) KeyHash {
	if v.kind != text && v.kind != number {
		d.fault(v, path, "found %v, want the SHA-256 of a key, 64 hexadecimal digits", v.kind)
		return KeyHash{}
	}
	made, err := ParseKeyHash(v.text)
	if err != nil {
		d.fault(v, path, "found %v", err)
	}
	return made
}
