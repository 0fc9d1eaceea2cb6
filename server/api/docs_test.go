package api_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trysail-go/trysail"
)

const (
	docs    = "/internal/docs"
	uiFiles = "docs/swagger-ui"
)

// noKey is a request without a key.
func noKey(target string) request { return request{method: http.MethodGet, target: target} }

func TestDocumentationPage(t *testing.T) {
	a := newAPI(t, newOrchestrator(t, trysail.Config{}))
	for target, kind := range map[string]string{
		docs:                           "text/html; charset=utf-8",
		docs + "/page.js":              "text/javascript; charset=utf-8",
		docs + "/page.css":             "text/css; charset=utf-8",
		docs + "/icon.svg":             "image/svg+xml",
		docs + "/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
		docs + "/swagger-ui.css":       "text/css; charset=utf-8",
		docs + "/LICENSE":              "text/plain; charset=utf-8",
		docs + "/NOTICE":               "text/plain; charset=utf-8",
		docs + "/swagger-ui-bundle.js.LICENSE.txt": "text/plain; charset=utf-8",
	} {
		t.Run(target, func(t *testing.T) {
			w := send(a, noKey(target))
			for name, want := range map[string]string{
				"Content-Type": kind, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
				"Content-Encoding": "", "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; " +
					"img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
			} {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s = %q, want %q", name, got, want)
				}
			}
			if w.Code != 200 || w.Body.Len() == 0 {
				t.Errorf("status %d with %d bytes, want 200 with some", w.Code, w.Body.Len())
			}
			again := send(a, noKey(target).with("If-None-Match", w.Header().Get("ETag")))
			if again.Code != http.StatusNotModified || again.Body.Len() > 0 {
				t.Errorf("what the client has: status %d with %d bytes, want 304 without any", again.Code, again.Body.Len())
			}
			if other := send(a, noKey(target).with("If-None-Match", `"another"`)); other.Code != 200 {
				t.Errorf("another version: status %d, want 200", other.Code)
			}
		})
	}
}

// TestPageHasNothingInline sees what the policy would have browsers refuse.
func TestPageHasNothingInline(t *testing.T) {
	page := send(newAPI(t, newOrchestrator(t, trysail.Config{})), noKey(docs)).Body.String()
	for _, inline := range []string{"<style", "style=", "<script>", "onload=", "onclick=", "http:", "https:", "//"} {
		if strings.Contains(page, inline) {
			t.Errorf("the page has %s in it", inline)
		}
	}
}

func TestDocumentationIsCompressedForThoseWhoTakeIt(t *testing.T) {
	a := newAPI(t, newOrchestrator(t, trysail.Config{}))
	plain := send(a, noKey(docs+"/swagger-ui.css"))
	for accepted, compressed := range map[string]bool{
		"gzip": true, "gzip, deflate, br": true, "br, GZIP;q=0.5": true, "*": true, "identity;q=0, *;q=0.1": true,
		"": false, "br": false, "gzip;q=0": false, "gzip;q=0.0, *": false, "*;q=0": false, "gzip;q=none": false, "gzipped": false,
	} {
		t.Run(accepted, func(t *testing.T) {
			w := send(a, noKey(docs+"/swagger-ui.css").with("Accept-Encoding", accepted))
			if got := w.Header().Get("Content-Encoding") == "gzip"; got != compressed || w.Header().Get("Vary") != "Accept-Encoding" {
				t.Fatalf("compressed %v with Vary %q, want %v with Accept-Encoding", got, w.Header().Get("Vary"), compressed)
			}
			if !compressed {
				if !bytes.Equal(w.Body.Bytes(), plain.Body.Bytes()) || w.Header().Get("ETag") != plain.Header().Get("ETag") {
					t.Error("not the same as without the header")
				}
				return
			}
			if got := gunzip(t, w.Body); !bytes.Equal(got, plain.Body.Bytes()) {
				t.Errorf("%d bytes, want the %d of the plain file", len(got), plain.Body.Len())
			}
			if w.Header().Get("ETag") == plain.Header().Get("ETag") {
				t.Error("it has the ETag of the plain file")
			}
		})
	}
}

func gunzip(t *testing.T, r io.Reader) []byte {
	t.Helper()
	z, err := gzip.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestAccessToTheDocumentation is as that to the document: a key may be missing, but not wrong.
func TestAccessToTheDocumentation(t *testing.T) {
	a := newAPI(t, newOrchestrator(t, trysail.Config{}))
	for _, target := range []string{docs, docs + "/page.js", "/internal/openapi.json"} {
		if w := send(a, get(target)); w.Code != 200 {
			t.Errorf("%s with a key: status %d, want 200", target, w.Code)
		}
		checkProblem(t, send(a, noKey(target).with("X-API-Key", "guess")), http.StatusUnauthorized, "AUTHENTICATION_ERROR")
		checkProblem(t, send(a, post(target, "{}")), http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED")
	}
	for _, target := range []string{docs + "/", docs + "/index.html", docs + "/SHA256SUMS", docs + "/swagger-ui", docs + "/swagger-ui.css.gz", docs + "/%2e%2e/docs.go"} {
		checkProblem(t, send(a, noKey(target)), http.StatusNotFound, "NOT_FOUND")
	}
	r := noKey(docs)
	r.method = http.MethodHead
	if w := send(a, r); w.Code != 200 || w.Body.Len() > 0 {
		t.Errorf("HEAD: status %d with %d bytes, want 200 without any", w.Code, w.Body.Len())
	}
}

// TestFilesOfSwaggerUIAreThoseOfThePackage compares them with the checksums that scripts/vendor-swagger.sh took of the npm package.
func TestFilesOfSwaggerUIAreThoseOfThePackage(t *testing.T) {
	sums, err := os.ReadFile(filepath.Join(uiFiles, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for line := range strings.Lines(string(sums)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		want[name] = sum
	}
	for _, name := range []string{"LICENSE", "NOTICE", "swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt", "swagger-ui.css"} {
		if want[name] == "" {
			t.Errorf("SHA256SUMS lacks %s", name)
		}
	}
	entries, err := os.ReadDir(uiFiles)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Name() == "SHA256SUMS" {
			continue
		}
		content, err := os.ReadFile(filepath.Join(uiFiles, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		name, compressed := strings.CutSuffix(entry.Name(), ".gz")
		if compressed {
			content = gunzip(t, bytes.NewReader(content))
		}
		if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != want[name] {
			t.Errorf("%s has the checksum %x, want %q", entry.Name(), sum, want[name])
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("files of SHA256SUMS that are not there: %v", want)
	}
}
