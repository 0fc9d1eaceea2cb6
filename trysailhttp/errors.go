package trysailhttp

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/trysail-go/trysail"
)

// A StatusError stands for an answer with an error status.
type StatusError struct {
	Status int           // such as 503
	After  time.Duration // what the server asked to wait; 0 if nothing
}

// Error names the status.
func (e *StatusError) Error() string {
	return fmt.Sprintf("HTTP status %d %s", e.Status, http.StatusText(e.Status))
}

// HTTPStatusCode lets [trysail.Classify] see the status.
func (e *StatusError) HTTPStatusCode() int { return e.Status }

// RetryAfter lets a retry see the server's minimum wait.
func (e *StatusError) RetryAfter() time.Duration { return e.After }

// FromResponse returns the error that an answer with an error status stands for.
// It carries the server's minimum wait (see [RetryAfter]) and is not retried
// when the header x-should-retry says "false", which is how the servers of
// OpenAI and Anthropic tell their SDKs. It does not touch the body.
func FromResponse(resp *http.Response) error {
	after, _ := RetryAfter(resp.Header, time.Now())
	var err error = &StatusError{Status: resp.StatusCode, After: after}
	if resp.Header.Get("X-Should-Retry") == "false" {
		err = trysail.Committed(err)
	}
	return err
}

// Mark adds what the library's core cannot know about an error of [net/http]:
// a certificate that cannot be trusted, a server that speaks plain HTTP where TLS was
// expected and an unusable address are permanent. Every other error is returned
// as it is; network errors are transient by the core's own rule.
func Mark(err error) error {
	var (
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		host        x509.HostnameError
		invalid     x509.CertificateInvalidError
		escape      url.EscapeError
		badHost     url.InvalidHostError
		record      tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &certificate), errors.As(err, &authority), errors.As(err, &host), errors.As(err, &invalid),
		errors.As(err, &escape), errors.As(err, &badHost), errors.Is(err, http.ErrSchemeMismatch):
		return trysail.Permanent(err)
	case errors.As(err, &record) && string(record.RecordHeader[:]) == "HTTP/":
		return trysail.Permanent(err) // what [http.Client] makes an ErrSchemeMismatch of, as transports tell it
	default:
		return err
	}
}
