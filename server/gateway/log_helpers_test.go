package gateway_test

import (
	"bytes"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trysail-go/trysail/server/gateway"
)

var update = flag.Bool("update", false, "write the golden files")

// A logbook takes the lines of a gateway's log, which are written after the answers have been sent.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// keep has a gateway write its log into the book.
func (l *logbook) keep(c *gateway.Config) {
	c.Logger = slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// line waits for the line of a request.
func (l *logbook) line(t *testing.T, id string) string {
	t.Helper()
	for range 2000 {
		for line := range strings.Lines(l.String()) {
			if strings.Contains(line, "request_id="+id+" ") {
				return line
			}
		}
		time.Sleep(5 * time.Millisecond) // a real socket cannot be waited for otherwise
	}
	t.Fatalf("the log has no line of the request %q:\n%s", id, l)
	return ""
}

// steady puts what differs from run to run out of a line.
func steady(line string) string {
	for from, to := range map[string]string{
		`_ms=[0-9.e+-]+`:              `_ms=#`,
		`bytes=[1-9]\d*`:              `bytes=#`,
		`\+\d+m?s `:                   ``,
		`provider_request_id=\S+`:     `provider_request_id=#`,
		`127\.0\.0\.1:\d+(->\S+\d+)?`: `ADDRESS`,
	} {
		line = regexp.MustCompile(from).ReplaceAllString(line, to)
	}
	return line
}

// golden compares a text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-update writes it):\n%s\nwant\n%s", path, got, want)
	}
}
