package bench

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
)

// The variables by which the test binary is told to be a server.
const (
	roleVariable     = "TRYSAIL_BENCH_ROLE"
	upstreamVariable = "TRYSAIL_BENCH_UPSTREAM"
)

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := serveRole(role, os.Getenv(upstreamVariable)); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, role, err)
		os.Exit(1)
	}
}

// serveRole serves until standard input ends.
func serveRole(role, upstream string) error {
	handler, err := roleHandler(role, upstream)
	if err != nil {
		return err
	}
	ln, err := listenLocally()
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(os.Stdout, ln.Addr()); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = ln.Close()
	}()
	_ = http.Serve(ln, handler) // ends with the listener
	return nil
}

func roleHandler(role, upstream string) (http.Handler, error) {
	target, err := url.Parse(upstream)
	if err != nil {
		return nil, err
	}
	switch role {
	case "provider":
		return http.HandlerFunc(provide), nil
	case "reverse-proxy":
		// The body is small and comes whole, so the proxy's trap with early
		// answers (no EnableFullDuplex) does not strike here.
		proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
		proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 1024, DisableCompression: true}
		return proxy, nil
	case "trysail":
		orc, err := trysail.New(trysail.Config{})
		if err != nil {
			return nil, err
		}
		return gateway.New(gateway.Config{
			Orchestrator: orc,
			Plan: gateway.SingleTarget(gateway.Target{
				Name: "openai", Protocol: gateway.OpenAIProtocol, BaseURL: upstream + "/v1", Credentials: []gateway.Credential{{Key: "sk-bench"}},
			}),
			Logger: slog.New(slog.NewJSONHandler(nowhere{}, nil)),
		})
	default:
		return nil, fmt.Errorf("unknown role %q", role)
	}
}

func provide(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(completion)))
	_, _ = w.Write(completion)
}

// nowhere takes log lines that are written in full: that work is part of the row.
type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
