package configfile_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/server/configfile"
)

// decodeHash reads the key of a section "client", with a variable and a file that hold it.
func decodeHash(t *testing.T, text string) (configfile.KeyHash, error) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"key": hunter + "\n", "short": "hunter2\n", "lines": hunter + "\n" + hunter} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := configfile.Parse(filepath.Join(dir, "trysail.yaml"), []byte(text), variables(map[string]string{"KEY": " " + hunter + " ", "SHORT": "hunter2"}))
	if err != nil {
		t.Fatal(err)
	}
	var s struct{ Key configfile.KeyHash }
	err = f.Section("client").Decode(&s)
	return s.Key, err
}

func TestKeyHashes(t *testing.T) {
	sum := sha256.Sum256([]byte(hunter))
	digits := hex.EncodeToString(sum[:])
	for name, tc := range map[string]struct{ text, origin string }{
		"${}":         {"'${KEY}'", "variable KEY"},
		"env":         {"{env: KEY}", "variable KEY"},
		"file":        {"{file: key}", "file key"},
		"sha256":      {"{sha256: " + digits + "}", "the configuration file"},
		"in capitals": {"{sha256: '" + strings.ToUpper(digits) + "'}", "the configuration file"},
	} {
		t.Run(name, func(t *testing.T) {
			k, err := decodeHash(t, "client:\n  key: "+tc.text)
			if err != nil || k.Empty() || k.Sum() != sum || k.Origin() != tc.origin {
				t.Errorf("got %x of %q, %v, want %x of %q", k.Sum(), k.Origin(), err, sum, tc.origin)
			}
		})
	}
	if k := (configfile.KeyHash{}); !k.Empty() || k.Sum() != [sha256.Size]byte{} || k.String() != "[no key]" {
		t.Errorf("the zero KeyHash is %v", k)
	}
	number := strings.Repeat("1", 62) + "e5" // YAML takes it for one
	k, err := decodeHash(t, "client: {key: {sha256: "+number+"}}")
	if sum := k.Sum(); err != nil || hex.EncodeToString(sum[:]) != number {
		t.Errorf("a hash that looks like a number: %x, %v", sum, err)
	}
}

// However a key is said wrongly, no message shows it.
func TestBadKeyHashes(t *testing.T) {
	digits := strings.Repeat("ab", sha256.Size)
	empty := sha256.Sum256(nil)
	const inFile = "key: found a key in the file itself, want ${NAME}, {env: NAME}, {file: PATH} or {sha256: HASH}: only its hash may stand here, which trysail config key prints with a new key"
	for name, tc := range map[string]struct{ text, want string }{
		"the key":                     {"key: " + hunter, inFile},
		"the key where others may be": {"key: " + hunter + "\nliteral_secrets: true", inFile},
		"a number":                    {"key: 12345678", inFile},
		"a hash alone":                {"key: " + digits, "key: found a hash, or a key, alone, want {sha256: HASH} if it is the hash of a key"},
		"nothing":                     {"key:", "key: found nothing, want ${NAME}, {env: NAME}, {file: PATH} or {sha256: HASH}"},
		"an empty text":               {"key: ''", "key: found an empty text, want"},
		"a list":                      {"key: [" + hunter + "]", "key: found a list, want"},
		"two sources":                 {"key: {env: KEY, sha256: " + digits + "}", "key: found a mapping, want"},
		"a source of no name":         {"key: {value: " + hunter + "}", "key.value: found a key that is not known, want env, file or sha256"},
		"a variable not set":          {"key: ${NOT_SET}", "key: found the variable NOT_SET, which is not set or empty, want it set"},
		"a file not there":            {"key: {file: nowhere}", "key.file: found the file of a secret, but it cannot be read"},
		"a short key":                 {"key: ${SHORT}", "key: found a key of 7 characters, want 16 to 1000 that nobody can guess: trysail config key makes one"},
		"a short key in a file":       {"key: {file: short}", "key: found a key of 7 characters"},
		"two lines":                   {"key: {file: lines}", "key: found a key with a character at place 20 that no header can carry"},
		"half a hash":                 {"key: {sha256: " + digits[:32] + "}", "key.sha256: found a text of 32 characters, want the SHA-256 of a key, 64 hexadecimal digits: trysail config key prints it"},
		"the key as hash":             {"key: {sha256: " + hunter + "}", "key.sha256: found a text of 19 characters"},
		"no digits":                   {"key: {sha256: " + strings.Repeat("hunter2x", 8) + "}", "key.sha256: found a text with other characters than 0-9 and a-f"},
		"the hash of nothing":         {"key: {sha256: " + hex.EncodeToString(empty[:]) + "}", "key.sha256: found the hash of an empty text"},
		"zeros":                       {"key: {sha256: '" + strings.Repeat("0", 64) + "'}", "key.sha256: found zeros alone"},
		"a list as hash":              {"key: {sha256: [" + digits + "]}", "key.sha256: found a list, want the SHA-256"},
	} {
		t.Run(name, func(t *testing.T) {
			k, err := decodeHash(t, "client:\n  "+tc.text)
			if err == nil || !strings.Contains(err.Error(), ":2:") || !strings.Contains(err.Error(), ": client."+tc.want) || !k.Empty() {
				t.Fatalf("got %v, %v, want %q in it, with line 2", k, err, tc.want)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "12345678") || strings.Contains(err.Error(), "abab") {
				t.Errorf("the message shows the key: %v", err)
			}
		})
	}
}

// Nothing that prints, logs or encodes a hash shows it.
func TestKeyHashesDoNotPrint(t *testing.T) {
	k, err := decodeHash(t, "client: {key: '${KEY}'}")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%t", "%z"} {
		fmt.Fprintf(&out, verb+"\n", k)
		fmt.Fprintf(&out, verb+"\n", struct{ K configfile.KeyHash }{k})
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("key", "key", k)
	if err := json.NewEncoder(&out).Encode(map[string]any{"k": k}); err != nil {
		t.Fatal(err)
	}
	sum := k.Sum()
	text := out.String()
	for _, bad := range []string{"hunter2", hex.EncodeToString(sum[:4]), strings.ToUpper(hex.EncodeToString(sum[:4])), fmt.Sprint(sum[0], " ", sum[1], " ", sum[2])} {
		if strings.Contains(text, bad) {
			t.Errorf("it shows the hash, %q:\n%s", bad, text)
		}
	}
	if !strings.Contains(text, "[key from variable KEY]") {
		t.Errorf("it does not say that there is one, and where it comes from:\n%s", text)
	}
}
