package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// A key is new each time, and its line is good where it belongs.
func TestConfigKey(t *testing.T) {
	seen := map[string]bool{}
	for range 3 {
		got := try{args: []string{"config", "key", "team-a", "-o", "json"}}.run(t)
		var v newKeyView
		if err := json.Unmarshal([]byte(got.stdout), &v); got.code != 0 || err != nil || got.stderr != "" {
			t.Fatalf("exit code %d, %v\n%s%s", got.code, err, got.stdout, got.stderr)
		}
		sum := sha256.Sum256([]byte(v.Key))
		if v.Name != "team-a" || !regexp.MustCompile(`^tsk_[0-9a-f]{64}$`).MatchString(v.Key) || v.SHA256 != hex.EncodeToString(sum[:]) || seen[v.Key] {
			t.Errorf("it made %+v", v)
		}
		seen[v.Key] = true
		if strings.Contains(v.Entry, v.Key) {
			t.Errorf("the line holds the key: %s", v.Entry)
		}
		file := "gateway:\n  keys:\n    " + v.Entry + "\n"
		valid := try{args: []string{"config", "validate", "trysail.yaml"}, files: map[string]string{"trysail.yaml": file}}.run(t)
		if valid.code != 0 || !strings.Contains(valid.stdout, "valid, 0 errors, 0 warnings") {
			t.Errorf("its line is refused:\n%s%s", valid.stdout, valid.stderr)
		}
	}
	table := try{args: []string{"config", "key"}}.run(t)
	key := regexp.MustCompile(`(?m)^  (tsk_[0-9a-f]{64})$`).FindStringSubmatch(table.stdout)
	if key == nil || strings.Count(table.stdout, key[1]) != 1 || !strings.Contains(table.stdout, `  - {name: "client", key: {sha256: "`) {
		t.Errorf("for people it says\n%s", table.stdout)
	}
	if bad := (try{args: []string{"config", "key", "team a"}}).run(t); bad.code != 2 || !strings.Contains(bad.stderr, `the name is "team a", want 1 to 64 of the characters`) {
		t.Errorf("a bad name: exit code %d\n%s", bad.code, bad.stderr)
	}
}
