package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/wire"
)

// A Config sets up a [Gateway].
type Config struct {
	// Orchestrator holds the operations. Required.
	Orchestrator *trysail.Orchestrator

	// Plan says where requests go: at least to one target. Required. See [Gateway.Apply].
	Plan Plan

	// Access decides who may use the gateway. It is not asked about requests with one of the plan's Keys. Nil: everyone.
	Access func(*http.Request) Access

	// WrongKey hears of each request that is refused with a key in it, and returns how long its sender must wait before another guess, 0 if
	// he need not: with more the answer is 429. A good key is never kept waiting. Nil: guesses are not counted.
	WrongKey func(*http.Request) time.Duration

	// OwnKey reports whether a text is one of this server's keys. No header that holds one
	// is passed on. Nil: there are none.
	OwnKey func(string) bool

	// Limits bound sizes and times.
	Limits Limits

	// Transport makes the attempts. Default: one made for many concurrent
	// calls to one provider.
	Transport http.RoundTripper

	// Logger gets a line per request. Nil: nothing is logged.
	Logger *slog.Logger

	// LogBody is how many bytes of each request's body the log holds, 0 to 65536. Default 0: none. With more the log holds prompts,
	// and whatever secrets there are in them; New warns of it.
	LogBody int
}

// mostLogBody bounds LogBody.
const mostLogBody = 64 << 10

// Access is what is known about the sender of a request.
type Access struct {
	Denied string // why not, in a sentence for the client; empty when the request may go on

	// Trusted says that the sender has a key of this server for which no limits hold: where a plan has Keys, the request needs none of them.
	Trusted bool
}

// Limits bound what a request may take. Zero fields take their defaults.
type Limits struct {
	Body       int64         // bytes of a request. Default 32 MiB
	Answer     int64         // bytes of an answer that are held back until it is complete. Default 16 MiB
	Operations int           // operations that requests may create. Default 1000
	Connect    time.Duration // until a connection stands. Default 5 s
	FirstToken time.Duration // until the first token of a stream. Default 60 s
	Plain      time.Duration // until a plain answer is complete. Default 5 min
	Idle       time.Duration // between tokens; keep-alives do not count. Default 30 s
	Total      time.Duration // for everything, waits included. Default 10 min, at most 59 min
	Client     time.Duration // for the client to send its body, and to take a piece of the answer. Default 30 s
}

func (l Limits) withDefaults() Limits {
	l.Body = cmp.Or(l.Body, 32<<20)
	l.Answer = cmp.Or(l.Answer, 16<<20)
	l.Operations = cmp.Or(l.Operations, 1000)
	l.Connect = cmp.Or(l.Connect, 5*time.Second)
	l.FirstToken = cmp.Or(l.FirstToken, time.Minute)
	l.Plain = cmp.Or(l.Plain, 5*time.Minute)
	l.Idle = cmp.Or(l.Idle, 30*time.Second)
	l.Total = cmp.Or(l.Total, 10*time.Minute)
	l.Client = cmp.Or(l.Client, 30*time.Second)
	return l
}

func (l Limits) check() error {
	var errs []error
	for _, f := range []struct {
		name string
		size int64
	}{{"Body", l.Body}, {"Answer", l.Answer}, {"Operations", int64(l.Operations)}} {
		if f.size < 1 {
			errs = append(errs, fmt.Errorf("Limits.%s is %d, want at least 1", f.name, f.size))
		}
	}
	for _, f := range []struct {
		name string
		time time.Duration
	}{
		{"Connect", l.Connect},
		{"FirstToken", l.FirstToken},
		{"Plain", l.Plain},
		{"Idle", l.Idle},
		{"Total", l.Total},
		{"Client", l.Client},
	} {
		if f.time <= 0 || f.time > 59*time.Minute {
			errs = append(errs, fmt.Errorf("Limits.%s is %v, want more than 0s and at most 59m", f.name, f.time))
		}
	}
	return errors.Join(errs...)
}

// CheckBaseURL says why no provider of OpenAI's protocol can be at an address. It connects to nothing.
func CheckBaseURL(address string) error {
	_, err := parseBaseURL(address, OpenAIProtocol)
	return err
}

func parseBaseURL(address string, p Protocol) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(address, "/"))
	switch {
	case err != nil:
		return nil, fmt.Errorf("BaseURL is no address, want something like %s", p.exampleURL()) // it may hold a password
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, fmt.Errorf("BaseURL is %q, want something like %s", u.Redacted(), p.exampleURL())
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return nil, fmt.Errorf("BaseURL %q has user, query or fragment, want scheme, host and path only", u.Redacted())
	case p != OpenAIProtocol && (strings.HasSuffix(u.Path, "/v1") || strings.HasSuffix(u.Path, "/v1beta")):
		return nil, fmt.Errorf("BaseURL is %q, want it without the version, such as %s: requests bring theirs", u.Redacted(), p.exampleURL())
	default:
		return u, nil
	}
}

// newTransport returns a transport for many concurrent calls to one host.
// Compression is left alone: what the client did not ask for is not undone.
func newTransport(l Limits) http.RoundTripper {
	return wire.New(&http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: l.Connect, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   l.Connect,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          1024,
		MaxIdleConnsPerHost:   1024,
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
		DisableCompression:    true,
		ReadBufferSize:        16 << 10, // many events of a stream at once, when they come fast
	})
}
