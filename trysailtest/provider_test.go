package trysailtest_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trysail-go/trysail/trysailtest"
)

func TestNewProviderNamesEveryBadField(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg  trysailtest.ProviderConfig
		want []string
	}{
		"a rate above one": {trysailtest.ProviderConfig{FaultRate: 1.5}, []string{"FaultRate is 1.5"}},
		"a negative rate":  {trysailtest.ProviderConfig{FaultRate: -0.1}, []string{"FaultRate is -0.1"}},
		"no number":        {trysailtest.ProviderConfig{FaultRate: math.NaN()}, []string{"FaultRate is NaN"}},
		"all at once": {
			trysailtest.ProviderConfig{FaultRate: 2, Faults: "ok,boom", TokenDelay: -1, FirstTokenDelay: -1},
			[]string{"FaultRate is 2", `Faults: script entry 2 is "boom"`, "TokenDelay is -1ns", "FirstTokenDelay is -1ns"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := trysailtest.NewProvider(tc.cfg)
			if err == nil {
				t.Fatalf("NewProvider(%+v) = %v, want an error", tc.cfg, p)
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error = %q, want %q in it", err, want)
				}
			}
			if _, err := trysailtest.StartProvider(tc.cfg); err == nil {
				t.Error("StartProvider took it")
			}
		})
	}
}

func TestAttempts(t *testing.T) {
	s := start(t, trysailtest.ProviderConfig{})
	c := newClient(t, s.URL)
	const ours, theirs = trysailtest.AttemptHeader, "X-Stainless-Retry-Count"
	for name, tc := range map[string]struct {
		headers []string
		want    int
	}{
		"none told":                 {nil, 1},
		"our header":                {[]string{ours, "2"}, 2},
		"the SDKs' first":           {[]string{theirs, "0"}, 1},
		"the SDKs' third":           {[]string{theirs, "2"}, 3},
		"ours before theirs":        {[]string{ours, "2", theirs, "2"}, 2},
		"theirs if ours is no use":  {[]string{ours, "two", theirs, "1"}, 2},
		"the first if both are not": {[]string{ours, "0", theirs, "-1"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.chat(question, append(tc.headers, trysailtest.SimulateHeader, "501,502,503")...)
			if got.status != 500+tc.want {
				t.Errorf("status = %d, want that of attempt %d", got.status, tc.want)
			}
			seen := s.Requests()
			if last := seen[len(seen)-1]; last.Attempt != tc.want {
				t.Errorf("recorded attempt = %d, want %d", last.Attempt, tc.want)
			}
		})
	}
}

// statuses asks n times and returns what came; a broken answer is 0.
func statuses(c *client, n int) []int {
	got := make([]int, n)
	for i := range got {
		if r := c.chat(question); r.err == nil {
			got[i] = r.status
		}
	}
	return got
}

func TestFaultRateIsRepeatable(t *testing.T) {
	cfg := trysailtest.ProviderConfig{FaultRate: 0.3, Seed: 7}
	first := statuses(newClient(t, start(t, cfg).URL), 300)
	if again := statuses(newClient(t, start(t, cfg).URL), 300); !slices.Equal(first, again) {
		t.Error("the same seed gave other faults")
	}
	counts := map[int]int{}
	for _, status := range first {
		counts[status]++
	}
	if ok := counts[200]; ok < 180 || ok > 240 {
		t.Errorf("%d of 300 answered well at a rate of 0.3", ok)
	}
	for _, status := range []int{0, 429, 500, 503} {
		if counts[status] == 0 {
			t.Errorf("no default fault gave status %d: %v", status, counts)
		}
	}
	cfg.Seed = 8
	if other := statuses(newClient(t, start(t, cfg).URL), 300); slices.Equal(first, other) {
		t.Error("another seed gave the same faults")
	}
}

func TestSetFaultRate(t *testing.T) {
	s := start(t, trysailtest.ProviderConfig{Faults: "503"})
	c := newClient(t, s.URL)
	for _, tc := range []struct {
		rate float64
		want int
	}{{0, 200}, {1, 503}, {0, 200}} {
		if err := s.SetFaultRate(tc.rate); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if got := c.chat(question); got.status != tc.want {
				t.Errorf("status = %d at rate %v, want %d", got.status, tc.rate, tc.want)
			}
		}
	}
	for _, bad := range []float64{-1, 1.01, math.NaN(), math.Inf(1)} {
		if err := s.SetFaultRate(bad); err == nil {
			t.Errorf("SetFaultRate(%v) = nil, want an error", bad)
		}
	}
}

func TestScriptOverridesFaultRate(t *testing.T) {
	c := newClient(t, start(t, trysailtest.ProviderConfig{FaultRate: 1}).URL)
	for range 20 {
		if got := c.simulate("ok", question); got.status != 200 {
			t.Errorf("status = %d, want 200", got.status)
		}
	}
}

func TestRequestsAreRecorded(t *testing.T) {
	s := start(t, trysailtest.ProviderConfig{})
	c := newClient(t, s.URL)
	c.chat(question, "X-Mark", "one")
	c.do(http.MethodGet, "/models", "")
	seen := s.Requests()
	if len(seen) != 2 || s.Total() != 2 {
		t.Fatalf("%d requests, Total() = %d, want 2", len(seen), s.Total())
	}
	first := seen[0]
	if first.Method != "POST" || first.Path != "/v1/chat/completions" || string(first.Body) != question ||
		first.Header.Get("X-Mark") != "one" || first.Attempt != 1 {
		t.Errorf("first = %+v", first)
	}
	first.Header.Set("X-Mark", "changed")
	first.Body[0] = '!'
	if again := s.Requests()[0]; again.Header.Get("X-Mark") != "one" || again.Body[0] != '{' {
		t.Errorf("changing a copy changed the record: %+v", again)
	}
}

func TestRecordIsBounded(t *testing.T) {
	p, err := trysailtest.NewProvider(trysailtest.ProviderConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2345 {
		r := httptest.NewRequest(http.MethodGet, fmt.Sprintf("/v1/%d", i), nil)
		p.ServeHTTP(httptest.NewRecorder(), r)
	}
	big := bytes.Repeat([]byte("x"), 100<<10)
	p.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/v1/big", bytes.NewReader(big)))
	seen := p.Requests()
	if len(seen) != 1000 || p.Total() != 2346 {
		t.Fatalf("%d requests kept of %d, want 1000 of 2346", len(seen), p.Total())
	}
	if seen[0].Path != "/v1/1346" || seen[998].Path != "/v1/2344" || seen[999].Path != "/v1/big" {
		t.Errorf("kept %s, ... %s, %s", seen[0].Path, seen[998].Path, seen[999].Path)
	}
	if len(seen[999].Body) != 64<<10 {
		t.Errorf("kept %d bytes of a body, want 64 KiB", len(seen[999].Body))
	}
}

func TestBrokenConnectionWithoutHijack(t *testing.T) {
	p, err := trysailtest.NewProvider(trysailtest.ProviderConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if got, ok := recover().(error); !ok || !errors.Is(got, http.ErrAbortHandler) {
			t.Errorf("panic = %v, want %v", got, http.ErrAbortHandler)
		}
	}()
	r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(question))
	r.Header.Set(trysailtest.SimulateHeader, "reset")
	p.ServeHTTP(httptest.NewRecorder(), r)
}

// eventually waits until ok holds, but not for ever.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for began := time.Now(); !ok(); runtime.Gosched() {
		if time.Since(began) > 10*time.Second {
			t.Fatalf("%s: not so after 10 s", what)
		}
	}
}

func TestCloseEndsHungRequestsAndGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	s, err := trysailtest.StartProvider(trysailtest.ProviderConfig{})
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, s.URL)
	scripts := []string{"hang", "hang", "stall:2", "first-token:9h", "ok", "reset"}
	replies := make(chan reply, len(scripts))
	for i, script := range scripts {
		body := question
		if i%2 == 0 {
			body = streamed(question)
		}
		go func() { replies <- c.simulate(script, body) }()
	}
	idle, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(s.URL, "http://"), "/v1"))
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	eventually(t, "all requests are in", func() bool { return s.Total() == len(scripts) })
	var closers sync.WaitGroup
	for range 3 {
		closers.Go(func() {
			if err := s.Close(); err != nil {
				t.Errorf("Close() = %v", err)
			}
		})
	}
	closers.Wait()
	failed := 0
	for range scripts {
		if r := <-replies; r.err != nil {
			failed++
		}
	}
	if failed < len(scripts)-1 {
		t.Errorf("%d requests failed, want all but the good one", failed)
	}
	if r := c.chat(question); r.err == nil {
		t.Errorf("the port still answers: %d", r.status)
	}
	c.http.CloseIdleConnections()
	eventually(t, "the goroutines are gone", func() bool { return runtime.NumGoroutine() <= before })
}

func TestConcurrentUse(t *testing.T) {
	s := start(t, trysailtest.ProviderConfig{FaultRate: 0.2, Seed: 3})
	c := newClient(t, s.URL)
	scripts := []string{"", "ok", "500", "cut:3", "reset", "short", "error:2", "garbage", "html", "boom"}
	const workers, each = 16, 20
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := range each {
				body := question
				if (w+i)%2 == 0 {
					body = streamed(question)
				}
				c.simulate(scripts[(w+i)%len(scripts)], body)
				if len(s.Requests()) > s.Total() {
					t.Error("more requests recorded than came in")
				}
				if err := s.SetFaultRate(float64(i) / each); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if s.Total() != workers*each {
		t.Errorf("Total() = %d, want %d", s.Total(), workers*each)
	}
}

func BenchmarkServe(b *testing.B) {
	p, err := trysailtest.NewProvider(trysailtest.ProviderConfig{})
	if err != nil {
		b.Fatal(err)
	}
	for name, body := range map[string]string{"plain": question, "stream": streamed(question)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(body))
				p.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}
