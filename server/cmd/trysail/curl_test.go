package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A printed command is one of testdata/curl.txt.
type printed struct {
	title, command, status string
	members                []string // paths, some with = a value
}

func readPrinted(t *testing.T) []printed {
	t.Helper()
	text, err := os.ReadFile("testdata/curl.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []printed
	for _, block := range strings.Split(string(text), "\n\n")[1:] {
		var p printed
		title, rest, _ := strings.Cut(block, "\n")
		command, wanted, ok := strings.Cut(rest, "\n=> ")
		p.title, p.command = strings.TrimPrefix(title, "# "), command
		lines := strings.Split(strings.TrimSpace(wanted), "\n")
		p.status, p.members = lines[0], lines[1:]
		if !ok || p.title == title || !strings.HasPrefix(command, "curl ") {
			t.Fatalf("want a title, a command and what it answers:\n%s", block)
		}
		all = append(all, p)
	}
	return all
}

// TestCurlCommandsOfTheSpecification runs every curl command that the specification prints, as it is printed. Only the port
// is another one.
func TestCurlCommandsOfTheSpecification(t *testing.T) {
	commands := readPrinted(t)
	if len(commands) != 9 {
		t.Fatalf("%d commands, want the specification's 9", len(commands))
	}
	for _, p := range commands {
		t.Run(p.title, func(t *testing.T) {
			s := serve(t, "API_KEY=your-api-key", `RESILIENCE_CUSTOM_CONFIG={"retry_attempts": 1}`)
			if _, name, ok := strings.Cut(p.title, "an operation "); ok {
				for range 2 {
					s.send("POST", "/v1/chat/completions", completionBody, "X-Trysail-Operation", name, "X-Trysail-Simulate", "500")
				}
			}
			status, answer := runCurl(t, s, p.command)
			if status != p.status {
				t.Errorf("%s\nstatus %s, want %s\n%s", p.command, status, p.status, answer)
			}
			for _, member := range p.members {
				path, value, fixed := strings.Cut(member, "=")
				if got, err := memberAt(answer, path); err != nil || fixed && got != value {
					t.Errorf("%s = %s, %v; want it%s in\n%s", path, got, err, strings.TrimPrefix(member, path), answer)
				}
			}
		})
	}
}

// runCurl has a shell run a command against s. What curl prints besides is said in its configuration file, not on its command line.
func runCurl(t *testing.T, s *served, command string) (status, answer string) {
	t.Helper()
	home := t.TempDir()
	settings := "silent\nshow-error\nmax-time = 60\nwrite-out = \"\\n%{http_code}\"\nnoproxy = \"*\"\n"
	if err := os.WriteFile(filepath.Join(home, ".curlrc"), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	command = strings.Replace(command, "http://localhost:8000/", "http://localhost:"+at.Port()+"/", 1)
	shell := exec.CommandContext(t.Context(), "bash", "-c", command)
	shell.Env = append(os.Environ(), "CURL_HOME="+home, "HOME="+home)
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s\nscripts/test-needs.sh installs curl", command, err, out)
	}
	i := strings.LastIndexByte(string(out), '\n')
	return string(out[i+1:]), string(out[:i])
}

// memberAt returns the member at a path such as a.b as it is written.
func memberAt(document, path string) (string, error) {
	value := json.RawMessage(document)
	for name := range strings.SplitSeq(path, ".") {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(value, &members); err != nil {
			return "", err
		}
		var ok bool
		if value, ok = members[name]; !ok {
			return "", fmt.Errorf("no member %s", name)
		}
	}
	return string(value), nil
}
