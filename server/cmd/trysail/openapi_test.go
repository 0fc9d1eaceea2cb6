package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	adminKey  = "key-of-the-document"
	viewerKey = "key-that-may-only-read"
)

// A client of the document asks a server what the document allows, and what it does not.
type documentClient struct {
	*maker
	server *served
	from   int // every request comes from another address, so that none is one too many
}

// documented starts the program, reads its document and has the names of the document's examples known to it.
func documented(t *testing.T) *documentClient {
	t.Helper()
	file := write(t, filepath.Join(t.TempDir(), "trysail.yaml"), "gateway: {targets: {openai: {protocol: openai, simulated: true}}}\n")
	s := serve(t, "TRYSAIL_CONFIG="+file, "API_KEY="+adminKey, "READ_ONLY_API_KEYS="+viewerKey, "TRYSAIL_TRUSTED_PROXIES=127.0.0.1",
		"TRYSAIL_SIMULATE_TOKEN_DELAY=0s", "RESILIENCE_PRESET=development")
	resp, document := s.send("GET", "/internal/openapi.json", "")
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d: %s", resp.StatusCode, document)
	}
	c := &documentClient{maker: &maker{t: t, promise: readPromise(t, document)}, server: s}
	for _, name := range []string{"summarize", "chat"} {
		s.send("POST", "/v1/chat/completions", completionBody, "X-Trysail-Operation", name, "X-Trysail-Simulate", "500,ok")
	}
	return c
}

// operations are those of the document, in an order that is the same in every run. What removes things comes last.
func (p *promise) operations() []*promisedOperation {
	var all []*promisedOperation
	for _, path := range slices.Sorted(maps.Keys(p.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(p.Paths[path])) {
			all = append(all, p.Paths[path][method])
		}
	}
	return all
}

// seeded makes the random part of a test depend on its operation only.
func (c *documentClient) seeded(op *promisedOperation) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(op.ID))
	c.rand = rand.New(rand.NewPCG(h.Sum64(), 38))
}

// ask sends a request as it was drafted.
func (c *documentClient) ask(d *drafted, key string) answered {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	content := d.content(c.t)
	req, err := http.NewRequestWithContext(ctx, d.op.method, c.server.url+d.target(), strings.NewReader(content))
	if err != nil {
		c.t.Fatal(err)
	}
	if content != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("X-API-Key", key)
	}
	for name, value := range d.header {
		req.Header.Set(name, value)
	}
	c.from++
	req.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", c.from>>16, c.from>>8&255, c.from&255))
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		c.t.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	defer resp.Body.Close()
	var body []byte
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		body, err = readSome(resp.Body) // it has no end
	} else {
		body, err = io.ReadAll(resp.Body)
	}
	if err != nil {
		c.t.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	return answered{resp.StatusCode, resp.Header, string(body)}
}

// readSome reads what comes first.
func readSome(r io.Reader) ([]byte, error) {
	b := make([]byte, 4096)
	n, err := r.Read(b)
	if n > 0 || errors.Is(err, io.EOF) {
		err = nil
	}
	return b[:n], err
}

// expect asks and compares the answer with the document, and its status with those that are wanted.
func (c *documentClient) expect(t *testing.T, why string, d *drafted, key string, wanted func(status int) bool) int {
	t.Helper()
	got := c.ask(d, key)
	show := func(text string) string { return text[:min(len(text), 300)] }
	request := fmt.Sprintf("%s: %s %s %v %s", why, d.op.method, show(d.target()), d.header, show(d.content(t)))
	if err := c.promise.check(d.op, got); err != nil {
		t.Errorf("%s\nanswer %d is not what the document promises: %v\n%s", request, got.status, err, show(got.body))
	}
	if !wanted(got.status) {
		t.Errorf("%s\nstatus %d is not what the document has one expect\n%s", request, got.status, show(got.body))
	}
	return got.status
}

// TestServerKeepsThePromisesOfItsDocument asks the program for every operation of its own OpenAPI document, with requests
// that are made of nothing but the document: the examples, values at the bounds and at random, and requests that are wrong
// in one way each. Every answer has to be one that the document describes.
func TestServerKeepsThePromisesOfItsDocument(t *testing.T) {
	c := documented(t)
	operations := c.promise.operations()
	if len(operations) < 38 {
		t.Fatalf("the document has %d operations, want at least 38", len(operations))
	}
	for _, op := range operations {
		t.Run("examples/"+op.ID, func(t *testing.T) {
			c.t = t
			c.seeded(op)
			c.expect(t, "the examples", c.draft(op, true), adminKey, func(status int) bool { return status == http.StatusOK })
		})
	}
	for _, op := range operations {
		t.Run("any/"+op.ID, func(t *testing.T) {
			c.t = t
			c.seeded(op)
			for range 12 {
				c.expect(t, "good", c.draft(op, false), adminKey, isHeeded)
			}
		})
	}
	for _, op := range operations {
		t.Run("wrong/"+op.ID, func(t *testing.T) {
			c.t = t
			c.seeded(op)
			for _, bad := range c.spoil(op) {
				c.expect(t, bad.why, bad.request, adminKey, func(status int) bool { return slices.Contains(bad.statuses, status) })
			}
			c.checkKeys(t, op)
		})
	}
}

// isHeeded reports whether a status says nothing against the form of a request.
func isHeeded(status int) bool {
	return slices.Contains([]int{
		http.StatusOK, http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable,
	}, status)
}

// checkKeys asks without a key, with a wrong one, and with one that may only read.
func (c *documentClient) checkKeys(t *testing.T, op *promisedOperation) {
	t.Helper()
	free := slices.ContainsFunc(op.Security, func(s map[string][]string) bool { return len(s) == 0 })
	c.expect(t, "without a key", c.draft(op, true), "", func(status int) bool {
		return (status == http.StatusUnauthorized) != free
	})
	c.expect(t, "with a wrong key", c.draft(op, true), "guess", func(status int) bool { return status == http.StatusUnauthorized })
	_, changes := op.Responses["403"]
	c.expect(t, "with a key that may only read", c.draft(op, true), viewerKey, func(status int) bool {
		return (status == http.StatusForbidden) == changes
	})
}

// TestWhatTheDocumentDoesNotSayIsNoticed alters the document and holds a good answer against it.
func TestWhatTheDocumentDoesNotSayIsNoticed(t *testing.T) {
	c := documented(t)
	document := c.server.document()
	for name, change := range map[string][2]string{
		"a status":              {`"responses":{"200":`, `"responses":{"299":`},
		"a media type":          {`"application/json"`, `"application/cbor"`},
		"a required member":     {`"required":["`, `"required":["no_such_member","`},
		"the type of a member":  {`"type":"string"`, `"type":"boolean"`},
		"a header":              {`"headers":{"X-Request-ID"`, `"headers":{"X-No-Such-Header"`},
		"the form of a header":  {`"pattern":"^[!-~]+$"`, `"pattern":"^[A-C]$"`},
		"a member that is gone": {`"status":{`, `"no_status":{`},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(document, change[0]) {
				t.Fatalf("the document has no %s", change[0])
			}
			altered := readPromise(t, strings.ReplaceAll(document, change[0], change[1]))
			health := &drafted{op: c.promise.Paths["/internal/resilience/health"]["get"]}
			got := c.ask(health, adminKey)
			if err := c.promise.check(health.op, got); err != nil {
				t.Fatalf("against the document as it is: %v", err)
			}
			if altered.check(altered.Paths[health.op.path]["get"], got) == nil {
				t.Error("not noticed")
			}
		})
	}
}

func (s *served) document() string {
	s.t.Helper()
	_, document := s.send("GET", "/internal/openapi.json", "")
	return document
}

// TestProgramShowsItsDocument asks for what describes the API, as a browser does: without a key.
func TestProgramShowsItsDocument(t *testing.T) {
	s := serve(t, "API_KEY=secret")
	for path, want := range map[string]string{"/internal/docs": "docs/page.js", "/internal/docs/page.js": "openapi.json", "/internal/openapi.json": `"openapi":"3.1`} {
		if resp, body := s.send("GET", path, ""); resp.StatusCode != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: status %d, want 200 with %s", path, resp.StatusCode, want)
		}
	}
}
