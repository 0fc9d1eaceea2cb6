package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"

	"github.com/trysail-go/trysail/server/api"
)

// explain says what to do about a request that got no answer, or only a part of one.
func (c *client) explain(ctx context.Context, r request, err error) error {
	what := r.method + " " + r.path
	dns, noName := errors.AsType[*net.DNSError](err)
	_, badCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case errors.Is(context.Cause(ctx), errSilent):
		return fmt.Errorf("%s: the server said nothing for %v (--timeout)", what, c.timeout)
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", what, errInterrupted)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no server answers at %s: start one with trysail serve, or name another with --server or TRYSAIL_SERVER", c.server)
	case noName:
		return fmt.Errorf("cannot find %s (--server, TRYSAIL_SERVER): %s", c.server.Hostname(), dns.Err)
	case badCertificate, errors.As(err, new(x509.UnknownAuthorityError)):
		return fmt.Errorf("%s cannot be trusted (SSL_CERT_FILE names a file of further authorities): %w", c.server, err)
	case errors.As(err, new(tls.RecordHeaderError)) || strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return fmt.Errorf("%s speaks no TLS: try http instead of https (--server, TRYSAIL_SERVER)", c.server)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: the server broke off, and the answer is not complete", what)
	default:
		return fmt.Errorf("%s: %w", what, err)
	}
}

// errInterrupted is why a command ends that was told to.
var errInterrupted = errors.New("interrupted")

// A refusedError is an answer that is not a good one.
type refusedError struct {
	request request
	status  string // such as "404 Not Found"
	code    int
	detail  string
	faults  []api.Fault
	hints   []string
	id      string // of the request, "" if the server named none
	ours    bool   // a Trysail server answers like that
}

// Error implements error. It has several lines.
func (e *refusedError) Error() string {
	text := fmt.Sprintf("%s %s: %s", e.request.method, e.request.path, e.status)
	if e.detail != "" {
		text += ": " + e.detail
	}
	for _, fault := range e.faults {
		text += fmt.Sprintf("\n  %s: %s", fault.Location, fault.Message)
		if fault.Value != nil {
			text += ": " + valueText(fault.Value)
		}
	}
	for _, hint := range e.hints {
		text += "\n  " + hint
	}
	if e.id != "" {
		text += "\n  request id: " + e.id
	}
	return harmlessLines(text)
}

// wrong reports whether it is the command that has to change, and not the server.
func (e *refusedError) wrong() bool {
	return e.code >= 400 && e.code < 500 && !slices.Contains([]int{http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests}, e.code)
}

// valueText is a value as people read it: a list with commas.
func valueText(value any) string {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	words := make([]string, len(list))
	for i, v := range list {
		word, plain := v.(string)
		if !plain {
			text, _ := json.Marshal(v) // it came from JSON
			word = string(text)
		}
		words[i] = word
	}
	return strings.Join(words, ", ")
}

// maxProblem bounds what is read of an answer that is not a good one.
const maxProblem = 1 << 20

// refusal reads an answer that is not a good one.
func (c *client) refusal(r request, resp *http.Response) error {
	e := &refusedError{request: r, status: resp.Status, code: resp.StatusCode, id: resp.Header.Get("X-Request-Id"), ours: ours(resp)}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxProblem)) // as far as it comes
	var problem api.Problem
	if isJSON(resp.Header) && json.Unmarshal(body, &problem) == nil {
		e.detail, e.faults = problem.Detail, problem.Errors
		e.hints = append(e.hints, problem.Suggestions...)
	} else if first, _, _ := strings.Cut(strings.TrimSpace(string(body)), "\n"); !strings.HasPrefix(first, "<") {
		e.detail = first
	}
	e.hints = append(e.hints, c.hints(resp)...)
	if e.wrong() {
		return usageError{e}
	}
	return e
}

// hints say what may help, beyond what the server says.
func (c *client) hints(resp *http.Response) (hints []string) {
	key := "the key came from " + c.key.from
	if c.key.text == "" {
		key = "no key was sent: set TRYSAIL_API_KEY or API_KEY, or name its file with --api-key-file"
	}
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		hints = append(hints, key)
	case http.StatusMethodNotAllowed:
		hints = append(hints, "it takes "+resp.Header.Get("Allow"))
	case http.StatusServiceUnavailable:
		if wait := resp.Header.Get("Retry-After"); wait != "" {
			hints = append(hints, "try again in "+wait+" s")
		}
	}
	if to := resp.Header.Get("Location"); resp.StatusCode < 400 && to != "" {
		hints = append(hints, "it points to "+to+": if that is the server, name it with --server")
	}
	if !ours(resp) {
		hints = append(hints, "no Trysail server answers like that: see --server and TRYSAIL_SERVER")
	}
	return hints
}

// ours reports whether a Trysail server answers like that: with a problem, or as a probe.
func ours(resp *http.Response) bool {
	h := resp.Header
	return strings.HasPrefix(h.Get("Content-Type"), "application/problem+json") || h.Get("Content-Type") == probeType && h.Get("Cache-Control") == "no-store"
}

// isJSON reports whether an answer is JSON of any kind.
func isJSON(header http.Header) bool {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return kind == "application/json" || strings.HasSuffix(kind, "+json")
}
