package api_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/api"
)

func TestSubjectOfARequest(t *testing.T) {
	const limit = 200
	for name, tc := range map[string]struct {
		session, user []string
		bad           []string // headers that the problem names; none lets the request in
	}{
		"nothing":                           {},
		"both":                              {[]string{"s-1"}, []string{"Ada, team ⛵ of 5"}, nil},
		"empty, as templates send it":       {[]string{""}, []string{""}, nil},
		"200 characters":                    {[]string{strings.Repeat("x", limit)}, []string{strings.Repeat("Ü", limit)}, nil},
		"201 characters":                    {[]string{strings.Repeat("x", limit+1)}, []string{strings.Repeat("Ü", limit+1)}, []string{"X-Session-ID", "X-User-Context"}},
		"a megabyte":                        {[]string{strings.Repeat("x", 1<<20)}, nil, []string{"X-Session-ID"}},
		"a session with a space":            {[]string{"a b"}, nil, []string{"X-Session-ID"}},
		"a session beyond ASCII":            {[]string{"ü"}, nil, []string{"X-Session-ID"}},
		"ends of lines":                     {[]string{"a\r\nSet-Cookie: b"}, []string{"a\nb"}, []string{"X-Session-ID", "X-User-Context"}},
		"a zero and an escape":              {[]string{"a\x00"}, []string{"\x1b[31mred"}, []string{"X-Session-ID", "X-User-Context"}},
		"text that turns its direction":     {nil, []string{"a\u202eb"}, []string{"X-User-Context"}},
		"not UTF-8":                         {[]string{"\xff"}, []string{"\xff"}, []string{"X-Session-ID", "X-User-Context"}},
		"twice":                             {[]string{"a", "a"}, []string{"b", "c"}, []string{"X-Session-ID", "X-User-Context"}},
		"a formula is a name as any other":  {[]string{"=1+1"}, []string{"=cmd|' /C calc'!A0"}, nil},
		"one good and one that is too long": {[]string{"s-1"}, []string{strings.Repeat("x", limit+1)}, []string{"X-User-Context"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t, newOrchestrator(t, trysail.Config{}))
			a.Mount("/who", func(ctx context.Context) (any, error) {
				s := api.SubjectOf(ctx)
				return []string{s.Session, s.User}, nil
			})
			r := httptest.NewRequest("GET", "/who", nil)
			r.Header["X-Session-Id"], r.Header["X-User-Context"] = tc.session, tc.user
			w := httptest.NewRecorder()
			a.Handler().ServeHTTP(w, r)
			if len(tc.bad) == 0 {
				want := []string{strings.Join(tc.session, ""), strings.Join(tc.user, "")}
				if got := decode[[]string](t, w); w.Code != 200 || got[0] != want[0] || got[1] != want[1] {
					t.Errorf("answer %d, session and user %q, want 200 and %q", w.Code, got, want)
				}
				return
			}
			p := checkProblem(t, w, 422, "VALIDATION_ERROR")
			var named []string
			for _, f := range p.Errors {
				named = append(named, strings.TrimPrefix(f.Location, "header."))
				if !strings.Contains(f.Message, "1 to 200") {
					t.Errorf("message %q, want the limit in it", f.Message)
				}
			}
			if got, want := strings.Join(named, " "), strings.Join(tc.bad, " "); got != want {
				t.Errorf("bad headers %s, want %s", got, want)
			}
			if strings.Contains(w.Body.String(), "Set-Cookie") || strings.Contains(w.Body.String(), "red") || w.Header().Get("Set-Cookie") != "" {
				t.Errorf("the answer repeats what was sent: %v %s", w.Header(), w.Body)
			}
		})
	}
}

// A wrong key is told of before a wrong header: without a key nobody learns what the API wants.
func TestKeyComesBeforeSubject(t *testing.T) {
	ask := get(base+"/metrics").with("X-API-Key", "guess").with("X-Session-ID", "a b")
	checkProblem(t, send(newAPI(t, newOrchestrator(t, trysail.Config{})), ask), 401, "AUTHENTICATION_ERROR")
}
