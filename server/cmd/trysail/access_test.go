package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/config"
)

func TestReadOnlyKeysOfTheProgram(t *testing.T) {
	for name, tc := range map[string]struct {
		env  map[string]string
		want string // in the error; "" is none
	}{
		"a reader and an admin": {map[string]string{"API_KEY": "admin", "READ_ONLY_API_KEYS": "reader, reader-2"}, ""},
		"readers only":          {map[string]string{"READ_ONLY_API_KEYS": "reader"}, "set API_KEY too"},
		"one key in both":       {map[string]string{"API_KEY": "admin", "READ_ONLY_API_KEYS": "admin"}, "give each key one role"},
	} {
		t.Run(name, func(t *testing.T) {
			lookup := func(name string) (string, bool) { v, ok := tc.env[name]; return v, ok }
			keys, err := (&configuration{}).keys(config.Environ(lookup))
			if tc.want != "" {
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("keys fails with %v, want %q", err, tc.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest("POST", "/v1/chat/completions", nil)
			r.Header.Set("X-API-Key", "reader-2")
			if got := gatewayAccess(keys, true)(r); !strings.Contains(got.Denied, "may only read") {
				t.Errorf("the gateway tells a reader %q, want that it may only read", got.Denied)
			}
			r.Header.Set("X-API-Key", "admin")
			if got := gatewayAccess(keys, true)(r); got.Denied != "" {
				t.Errorf("the gateway denies the admin: %q", got.Denied)
			}
		})
	}
}

// Keys can be guessed under another host's name and on the gateway's paths, too: all guesses of an address count together.
func TestWrongKeysUnderOtherNamesCount(t *testing.T) {
	s := serve(t, "API_KEY=secret")
	guess := []string{"Host", "evil.example", "X-API-Key", "guess-hunter2"}
	ask := func(path string, headers []string, want int) *http.Response {
		t.Helper()
		resp, body := s.send("GET", path, "", headers...)
		if resp.StatusCode != want || strings.Contains(resp.Header.Get("Content-Type"), "problem+json") == (want == 200) {
			t.Errorf("%s with %q: status %d %s, want %d\n%s", path, headers, resp.StatusCode, resp.Header.Get("Content-Type"), want, body)
		}
		return resp
	}
	ask("/v1/models", []string{"Host", "evil.example"}, 403) // without a key it is no guess
	for _, path := range []string{"/v1/models", "/internal/resilience/metrics", "/nothing", "/v1beta/models", "/internal/docs"} {
		ask(path, guess, 403)
	}
	for range 5 {
		ask("/internal/resilience/metrics", guess[2:], 401)
	}
	if got := ask("/v1/models", guess, 429).Header.Get("Retry-After"); got == "" {
		t.Error("429 has no Retry-After")
	}
	ask("/internal/resilience/metrics", guess[2:], 429)
	ask("/v1/models", []string{"Host", "proxy.example", "X-API-Key", "secret"}, 200)
	ask("/v1/models", []string{"Host", "evil.example"}, 403)
	s.log.await(t, `"in_the_last_minute":10`)
	log := s.log.String()
	if n := strings.Count(log, `"msg":"wrong API key"`); n != 10 {
		t.Errorf("%d wrong keys in the log, want 10:\n%s", n, log)
	}
	if strings.Contains(log, "hunter2") || !strings.Contains(log, `"host":"evil.example"`) {
		t.Errorf("the log holds a key, or not the host:\n%s", log)
	}
}

func TestTrustedProxies(t *testing.T) {
	networks, err := networksOf([]string{"10.1.2.3/8", "2001:db8::1", "192.0.2.1"})
	if err != nil || len(networks) != 3 || networks[0].String() != "10.0.0.0/8" || networks[1].String() != "2001:db8::1/128" || networks[2].String() != "192.0.2.1/32" {
		t.Errorf("networksOf = %v, %v", networks, err)
	}
	for _, bad := range []string{"", "proxy.example.com", "10.0.0.0/33", "10.0.0"} {
		if _, err := networksOf([]string{bad}); err == nil || !strings.Contains(err.Error(), "want networks or addresses") {
			t.Errorf("networksOf(%q) fails with %v, want what would be right", bad, err)
		}
	}
}
