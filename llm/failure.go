package llm

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/trysailhttp"
)

// A ResponseError is an error that knows the answer which it stands for. It may have two more
// methods, ResponseHeader() http.Header and ResponseBody() []byte, with which the
// verdict is as exact as that of [Classify]. Wrap what your own client returns in
// one; AWS' errors are ResponseErrors already.
type ResponseError interface {
	error
	HTTPStatusCode() int
}

// ClassifyError judges the error of a call, without knowing any SDK. ctx is the
// caller's own context, not that of an attempt: when it has ended, the verdict is
// canceled whatever the error says, because net/http returns the context's
// cause and nothing else tells the two time-outs apart.
//
// Of the rest, the first that knows something decides: a verdict that the error was
// marked with, the answer that it carries (a [ResponseError], or DumpResponse as the errors of
// OpenAI's and Anthropic's SDKs have it), the code that a method tells, an
// [InBandError], the JSON object or the status in its text (as in that of genai.APIError, which
// has no methods), and the kind of a network error. What nothing is known about is transient.
// The verdict on a nil error is that of a success.
func ClassifyError(ctx context.Context, provider Provider, err error) Verdict {
	switch {
	case err == nil:
		return Verdict{}
	case ctx.Err() != nil:
		return Verdict{Class: trysail.ClassCanceled, Failed: true, Scope: ScopeCaller, Reason: "caller"}
	}
	if v, ok := verdictIn(err); ok {
		return v
	}
	var own *trysail.Error
	if errors.As(err, &own) && own.Err != nil {
		// Another operation has retried already, or refused.
		v := judgeError(provider, own.Err).Committed()
		v.Class = own.Class
		if own.RetryAfter > v.Delay {
			v.Delay, v.HasDelay = own.RetryAfter, true
		}
		return v
	}
	return judgeError(provider, err)
}

func judgeError(provider Provider, err error) Verdict {
	var inside *InBandError
	if errors.As(err, &inside) && len(inside.Frame) > 0 {
		return inside.judge(Response{Provider: provider})
	}
	wait, waits := waitOf(err)
	resp, rep, ok := answerIn(err)
	if !ok {
		v := networkVerdict(err)
		v.Delay, v.HasDelay = wait, waits
		return v
	}
	resp.Provider = provider
	if waits && !rep.hasHint {
		rep.hint, rep.hasHint = wait, true // what the answer's body says will count before it
	}
	return rep.judge(&resp)
}

// waitOf returns the wait that an error tells by a method, as those of trysailhttp do.
func waitOf(err error) (time.Duration, bool) {
	var waiter interface{ RetryAfter() time.Duration }
	if !errors.As(err, &waiter) || waiter.RetryAfter() <= 0 {
		return 0, false
	}
	return min(waiter.RetryAfter(), longestWait), true
}

// networkVerdict judges an error without an answer. The network's own kinds
// were measured with net/http of Go 1.26.8.
func networkVerdict(err error) Verdict {
	network := func(reason string) Verdict {
		return Verdict{
			Class: trysail.ClassTransient, Failed: true, Retryable: true, Once: mayHaveArrived(err),
			Scope: ScopeNetwork, Reason: reason,
		}
	}
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return Verdict{Class: trysail.ClassPermanent, Failed: true, Scope: ScopeTarget, Reason: "no such host"}
	case trysail.Classify(trysailhttp.Mark(err)) == trysail.ClassPermanent:
		return Verdict{Class: trysail.ClassPermanent, Failed: true, Scope: ScopeTarget, Reason: "unusable address or certificate"}
	case tooMuch(err):
		return Verdict{Class: trysail.ClassRateLimited, Failed: true, Retryable: true, Scope: ScopeTarget, Reason: "ENHANCE_YOUR_CALM"}
	case errors.Is(err, ErrTruncated):
		return network("truncated")
	case errors.Is(err, ErrNotJSON): // a proxy's page, or an answer that was cut: a bad answer, whoever gave it
		return Verdict{Class: trysail.ClassTransient, Failed: true, Retryable: true, Once: true, Scope: ScopeTarget, Reason: "not JSON"}
	case timedOut(err):
		return network("timeout")
	case errors.Is(err, context.Canceled):
		// The caller is there: a hedge or an attempt was given up.
		return Verdict{Class: trysail.ClassCanceled, Failed: true, Scope: ScopeCaller, Reason: "canceled"}
	case onTheWay(err):
		return network("network")
	}
	class := trysail.Classify(err)
	return Verdict{Class: class, Failed: true, Retryable: mayRetry(class), Scope: ScopeTarget, Reason: "unknown"}
}

// mayHaveArrived reports whether the provider may have had the whole request when the connection broke, so
// that it may have answered it, and billed it. It has not when the connection was never made, when the request could
// not be written, and when an HTTP/2 server refuses the stream.
func mayHaveArrived(err error) bool {
	var (
		dns    *net.DNSError
		op     *net.OpError
		stream streamError
	)
	switch {
	case errors.As(err, &dns), errors.As(err, &op) && op.Op != "read":
		return false
	case errors.As(err, &stream):
		return stream.Code != refusedStream
	default:
		return !strings.Contains(err.Error(), "TLS handshake")
	}
}

func timedOut(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// onTheWay reports whether an error is one of the network.
func onTheWay(err error) bool {
	var (
		number  syscall.Errno
		network net.Error
		alert   tls.AlertError
		record  tls.RecordHeaderError
		stream  streamError
	)
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.As(err, &number) || errors.As(err, &network) || errors.As(err, &alert) || errors.As(err, &record) ||
		errors.As(err, &stream) || strings.Contains(err.Error(), "http2: ")
}

// streamError is how a stream of HTTP/2 ended. net/http's own type is not
// exported, but copies itself into a struct with these very fields when it is
// looked for with [errors.As] (net/http/h2_error.go).
type streamError struct {
	StreamID uint32
	Code     uint32 // RFC 9113, 7
	Cause    error
}

func (e streamError) Error() string { return "stream of HTTP/2 ended" }

// How an HTTP/2 peer ends a stream (RFC 9113, 7).
const (
	refusedStream   = 7  // before having looked at it
	enhanceYourCalm = 11 // because it is sent too much
)

// tooMuch reports whether the peer ended the stream or the connection because
// it was sent too much.
func tooMuch(err error) bool {
	var stream streamError
	if errors.As(err, &stream) {
		return stream.Code == enhanceYourCalm
	}
	text := err.Error()
	return strings.Contains(text, "server sent GOAWAY") && strings.Contains(text, "ErrCode=ENHANCE_YOUR_CALM")
}
