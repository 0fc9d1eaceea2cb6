package gateway

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"testing"
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

// serveRole serves until standard input ends. Its first line of output is its address.
func serveRole(role, upstream string) error {
	handler, err := roleHandler(role, upstream)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
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
	transport := &http.Transport{MaxIdleConnsPerHost: 1024, DisableCompression: true}
	switch role {
	case "provider":
		return newProvider(), nil
	case "reverse-proxy":
		return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: transport}, nil
	case "reverse-proxy+duplex":
		// Without EnableFullDuplex, ReverseProxy cuts streams whose first bytes come before net/http has seen the end of the request.
		proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: transport}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).EnableFullDuplex()
			proxy.ServeHTTP(w, r)
		}), nil
	case "forwarder":
		return forwarder{target, transport}, nil
	default:
		return nil, fmt.Errorf("role is %q, want provider, reverse-proxy, reverse-proxy+duplex or forwarder", role)
	}
}

// A forwarder is the least that one would write by hand: it reads the request whole, and an answer that is no stream, too.
type forwarder struct {
	target    *url.URL
	transport http.RoundTripper
}

// ServeHTTP implements [http.Handler].
func (f forwarder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	out, err := http.NewRequestWithContext(r.Context(), r.Method, f.target.JoinPath(r.URL.Path).String(), bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	out.Header = r.Header.Clone()
	resp, err := f.transport.RoundTrip(out)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	for name, values := range resp.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(resp.StatusCode)
	if resp.Header.Get("Content-Type") != "text/event-stream" {
		answer, _ := io.ReadAll(resp.Body) // one that broke off is shorter than its Content-Length, which the client sees
		_, _ = w.Write(answer)
		return
	}
	buffer := make([]byte, 16<<10)
	for {
		n, err := resp.Body.Read(buffer)
		if _, lost := w.Write(buffer[:n]); lost != nil || err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
	}
}
