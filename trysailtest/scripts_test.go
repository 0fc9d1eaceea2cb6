package trysailtest_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/trysail-go/trysail/trysailtest"
)

func TestScriptForAPath(t *testing.T) {
	const ask = `{"max_tokens":9,"messages":[{"role":"user","content":"hi"}],"contents":[{"parts":[{"text":"hi"}]}]}`
	for name, tc := range map[string]struct {
		scripts [][2]string // pattern and script, as they are set
		path    string
		want    []int
	}{
		"each request gets the next entry":   {[][2]string{{"/v1/messages", "500, 503, ok"}}, "/v1/messages", []int{500, 503, 200, 200}},
		"other paths are left alone":         {[][2]string{{"/v1/messages", "500"}}, "/v1/chat/completions", []int{200}},
		"a star stands for a part":           {[][2]string{{"/v1beta/models/*", "503,ok"}}, "/v1beta/models/m:generateContent", []int{503, 200}},
		"a blank pattern is every path":      {[][2]string{{"", "500"}}, "/v1beta/models/m:generateContent", []int{500, 500}},
		"the one set last counts":            {[][2]string{{"", "500"}, {"/v1/messages", "529"}}, "/v1/messages", []int{529, 529}},
		"setting it again begins anew":       {[][2]string{{"", "500,ok"}, {"", "503,ok"}}, "/v1/messages", []int{503, 200}},
		"a blank script removes it":          {[][2]string{{"", "500"}, {"", " "}}, "/v1/messages", []int{200}},
		"what was removed uncovers the next": {[][2]string{{"", "500"}, {"/v1/*", "503"}, {"/v1/*", ""}}, "/v1/messages", []int{500}},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, trysailtest.ProviderConfig{})
			for _, script := range tc.scripts {
				if err := s.Script(script[0], script[1]); err != nil {
					t.Fatal(err)
				}
			}
			c := newClient(t, s.URL)
			var got []int
			for range tc.want {
				got = append(got, c.doRaw(tc.path, ask).status)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("statuses = %v, want %v", got, tc.want)
			}
			if seen := s.Requests(); len(tc.want) > 2 && seen[2].Attempt != 3 {
				t.Errorf("recorded attempt = %d, want the script's count, 3", seen[2].Attempt)
			}
		})
	}
}

func TestScriptOfARequestGoesFirst(t *testing.T) {
	s := start(t, trysailtest.ProviderConfig{FaultRate: 1})
	if err := s.Script("/v1/chat/completions", "503,ok"); err != nil {
		t.Fatal(err)
	}
	c := newClient(t, s.URL)
	if got := c.simulate("529", question).status; got != 529 {
		t.Errorf("status = %d, want the request's own 529", got)
	}
	if got := statuses(c, 3); !slices.Equal(got, []int{503, 200, 200}) {
		t.Errorf("statuses = %v, want the path's script and never chance", got)
	}
}

func TestScriptRefuses(t *testing.T) {
	s := start(t, trysailtest.ProviderConfig{})
	for name, tc := range map[string]struct{ pattern, script, want string }{
		"a bad pattern": {"/v1/[", "ok", `script for "/v1/[": syntax error in pattern`},
		"a bad script":  {"/v1/messages", "ok,boom", `script for "/v1/messages": script entry 2 is "boom"`},
	} {
		t.Run(name, func(t *testing.T) {
			if err := s.Script(tc.pattern, tc.script); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Script(%q, %q) = %v, want %q", tc.pattern, tc.script, err, tc.want)
			}
		})
	}
}

func TestScriptCountsConcurrentRequests(t *testing.T) {
	s := start(t, trysailtest.ProviderConfig{})
	if err := s.Script("", strings.Repeat("500,", 20)+"ok"); err != nil {
		t.Fatal(err)
	}
	c := newClient(t, s.URL)
	var mu sync.Mutex
	failed := 0
	var group sync.WaitGroup
	for range 60 {
		group.Go(func() {
			if c.chat(question).status == 500 {
				mu.Lock()
				defer mu.Unlock()
				failed++
			}
		})
	}
	group.Wait()
	if failed != 20 {
		t.Errorf("%d of 60 requests failed, want 20", failed)
	}
}
