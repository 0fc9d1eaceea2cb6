package api

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// docsPath is where the page is that shows the OpenAPI document. Like the document it is not in the table.
const docsPath = "/internal/docs"

// docsFiles are the page and what it needs. What is under swagger-ui is that of the npm package; see scripts/vendor-swagger.sh.
//
//go:embed docs
var docsFiles embed.FS

// docsPolicy has browsers load and ask nothing but this server, and run and style the page by its files only. Images in the style sheet are data.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// docsType is the media type of a file by the end of its name. Licenses have none.
func docsType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	default:
		return "text/plain; charset=utf-8"
	}
}

// A docsFile is a file of the page.
type docsFile struct {
	contentType string
	plain       func() ([]byte, error)
	gzipped     []byte // nil if it is kept as it is
	tag         string // changes with the content
}

// documentation puts the page on the mux.
func (a *API) documentation() error {
	for _, dir := range []string{"docs", "docs/swagger-ui"} {
		entries, err := docsFiles.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			if entry.IsDir() || entry.Name() == "SHA256SUMS" {
				continue
			}
			content, err := docsFiles.ReadFile(dir + "/" + entry.Name())
			if err != nil {
				return err
			}
			name := strings.TrimSuffix(entry.Name(), ".gz")
			file := newDocsFile(name, content, name != entry.Name())
			at := docsPath + "/" + name
			if name == "index.html" {
				at = docsPath
			}
			a.mux.HandleFunc("GET "+at, func(w http.ResponseWriter, r *http.Request) {
				if a.admit(w, r, guard{access: optional, reads: true}) {
					a.serveDocs(w, r, file)
				}
			})
		}
	}
	return nil
}

func newDocsFile(name string, content []byte, compressed bool) *docsFile {
	sum := sha256.Sum256(content)
	f := &docsFile{contentType: docsType(name), tag: hex.EncodeToString(sum[:8])}
	if !compressed {
		f.plain = func() ([]byte, error) { return content, nil }
		return f
	}
	f.gzipped = content
	f.plain = sync.OnceValues(func() ([]byte, error) { return unzip(content) }) // hardly anybody asks for it
	return f
}

func unzip(content []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// serveDocs answers a file of the page. Browsers keep it and ask whether it is still the same, so that a new version is seen at once.
func (a *API) serveDocs(w http.ResponseWriter, r *http.Request, f *docsFile) {
	h := w.Header()
	content, tag := f.gzipped, f.tag+"-gzip"
	if f.gzipped != nil {
		h.Set("Vary", "Accept-Encoding")
	}
	if f.gzipped == nil || !takesGzip(r.Header.Values("Accept-Encoding")) {
		plain, err := f.plain()
		if err != nil {
			panic(fmt.Errorf("decompress a file of the documentation: %w", err)) // rescue answers for it
		}
		content, tag = plain, f.tag
	} else {
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Type", f.contentType)
	h.Set("Content-Security-Policy", docsPolicy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", strconv.Quote(tag))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// takesGzip reports whether a client takes what is compressed (RFC 9110, 12.5.3).
func takesGzip(accepted []string) bool {
	others := false
	for coding := range strings.SplitSeq(strings.Join(accepted, ","), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		_, q, weighted := strings.Cut(weight, "=")
		share, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
		takes := !weighted || err == nil && share > 0
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip":
			return takes
		case "*":
			others = takes
		}
	}
	return others
}
