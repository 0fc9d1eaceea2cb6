package main

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// A program that is told to stop does not wait for those who follow its events: they are told, and their streams end.
func TestFollowersDoNotKeepTheProgram(t *testing.T) {
	s := serve(t, "API_KEY=secret", "TRYSAIL_SHUTDOWN_TIMEOUT=10m")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/internal/resilience/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-API-Key", "secret")
	req.Header.Set("Last-Event-ID", "0")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body := bufio.NewReader(resp.Body)
	for line := ""; !strings.Contains(line, `"metric_type":"config_load"`); { // the program's own start is what happened first
		if line, err = body.ReadString('\n'); err != nil {
			t.Fatalf("%v\n%s", err, s.log)
		}
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(body)
	if err != nil || !strings.Contains(string(rest), "event: stopping") {
		t.Errorf("the rest of the stream is %q, %v; want an event stopping", rest, err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the program ended with %v, want success\n%s", err, s.log)
	}
}
