package configfile_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/server/configfile"
)

const hunter = "hunter2-very-secret"

type keysSection struct {
	Key  configfile.Secret
	More []configfile.Secret
}

func decodeKeys(t *testing.T, text string) (keysSection, error) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"key": hunter + "\n", "windows": hunter + "\r\n", "empty": "\n", "large": strings.Repeat(hunter, 5000),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := configfile.Parse(filepath.Join(dir, "trysail.yaml"), []byte(text), variables(map[string]string{"KEY": " " + hunter + " ", "BLANK": " "}))
	if err != nil {
		t.Fatal(err)
	}
	var s keysSection
	return s, f.Section("server").Decode(&s)
}

func TestSecrets(t *testing.T) {
	for name, text := range map[string]string{
		"${}":              "server: {key: '${KEY}'}",
		"env":              "server: {key: {env: KEY}}",
		"file":             "server: {key: {file: key}}",
		"a file elsewhere": "server: {key: {file: ../%dir%/windows}}",
		"a literal":        "literal_secrets: true\nserver: {key: " + hunter + "}",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, file := range []string{"key", "windows"} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(hunter+"\r\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			text = strings.ReplaceAll(text, "%dir%", filepath.Base(dir))
			f, err := configfile.Parse(filepath.Join(dir, "trysail.yaml"), []byte(text), variables(map[string]string{"KEY": " " + hunter + " "}))
			if err != nil {
				t.Fatal(err)
			}
			var s keysSection
			if err := f.Section("server").Decode(&s); err != nil {
				t.Fatal(err)
			}
			if got := s.Key.Reveal(); got != hunter || s.Key.Empty() {
				t.Errorf("got %q, want %q", got, hunter)
			}
			if s.Key.Origin() == "" || strings.Contains(s.Key.Origin(), hunter) {
				t.Errorf("the origin is %q", s.Key.Origin())
			}
		})
	}
}

// However a secret is said wrongly, no message shows it.
func TestBadSecrets(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"a literal":             {"key: " + hunter, "key: found a secret in the file itself, want ${NAME}, {env: NAME} or {file: PATH} (or literal_secrets: true"},
		"a number":              {"key: 12345678", "key: found a number, want ${NAME}, {env: NAME} or {file: PATH}"},
		"nothing":               {"key:", "key: found nothing, want"},
		"an empty text":         {"key: ''", "key: found an empty text, want"},
		"a list":                {"key: [" + hunter + "]", "key: found a list, want"},
		"two sources":           {"key: {env: A, file: b}", "key: found a mapping, want"},
		"a source of no name":   {"key: {value: " + hunter + "}", "key.value: found a key that is not known, want env or file"},
		"a secret as a name":    {"key: {env: " + hunter + "}", "key.env: found a text that is no name of a variable"},
		"a secret as variable":  {"key: {env: hunter2}", "key.env: found the variable that is named here, which is not set or empty"},
		"a variable not set":    {"key: ${NOT_SET}", "key: found the variable NOT_SET, which is not set or empty, want it set"},
		"a blank variable":      {"key: ${BLANK}", "key: found the variable BLANK, which is not set or empty"},
		"more than a variable":  {"key: Bearer ${KEY}", "key: found a text with ${ in it, want ${NAME} alone"},
		"a file not there":      {"key: {file: nowhere}", "key.file: found the file of a secret, but it cannot be read"},
		"an empty file":         {"key: {file: empty}", "key.file: found the file of a secret, but empty is empty, want the secret in it"},
		"a large file":          {"key: {file: large}", "key.file: found the file of a secret, but it has 95000 bytes, want at most 65536"},
		"a directory":           {"key: {file: .}", "key.file: found the file of a secret, but it is a directory, want a regular file"},
		"a list of env":         {"key: {env: [" + hunter + "]}", "key.env: found a list, want a text"},
		"one of many":           {"more: ['${KEY}', " + hunter + "]", "more[1]: found a secret in the file itself"},
		"a misspelt key":        {"kye: " + hunter, "kye: found a key that is not known, did you mean key?"},
		"a secret in no list":   {"more: " + hunter, "more: found a text, want a list"},
		"a section that's none": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			text, want := "server:\n  "+tc.text, ": server."+tc.want
			if tc.text == "" {
				text, want = "server: "+hunter, ": server: found a text, want a mapping with key or more"
			}
			_, err := decodeKeys(t, text)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Fatalf("got %v, want %q in it", err, want)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "12345678") {
				t.Errorf("the message shows the secret: %v", err)
			}
		})
	}
}

// Nothing that prints, logs or encodes a secret shows it.
func TestSecretsDoNotPrint(t *testing.T) {
	s, err := decodeKeys(t, "server: {key: '${KEY}', more: [{file: key}]}")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T %[1]v", "%p", "%t", "%z"} {
		fmt.Fprintf(&out, verb+"\n", s)
		fmt.Fprintf(&out, verb+"\n", s.Key)
		fmt.Fprintf(&out, verb+"\n", &s.Key)
		fmt.Fprintf(&out, verb+"\n", s.More)
	}
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("secret", "key", s.Key, "all", s)
	slog.New(slog.NewTextHandler(&out, nil)).Info("secret", "key", s.Key, "all", s)
	if err := json.NewEncoder(&out).Encode(map[string]any{"s": s, "p": &s.Key}); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(&out, s.Key, fmt.Errorf("%w", fmt.Errorf("%v", s)), s.Key.String())
	text := out.String()
	if strings.Contains(text, "hunter2") || strings.Contains(text, fmt.Sprintf("%x", hunter)) {
		t.Errorf("it shows the secret:\n%s", text)
	}
	if !strings.Contains(text, "[secret from variable KEY]") {
		t.Errorf("it does not say that there is one, and where it comes from:\n%s", text)
	}
	other := configfile.NewSecret(hunter, "elsewhere")
	if !s.Key.Equal(other) || s.Key.Equal(configfile.Secret{}) || !(configfile.Secret{}).Equal(configfile.NewSecret("", "nowhere")) {
		t.Error("Equal does not compare the texts")
	}
	if got := fmt.Sprint(configfile.Secret{}); got != "[no secret]" {
		t.Errorf("the zero Secret prints as %q", got)
	}
}
