package trysailtest

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// A ProviderServer is a [Provider] on a socket of its own. Create it with
// [StartProvider].
type ProviderServer struct {
	*Provider

	// URL is what an OpenAI SDK wants as its base URL, such as
	// "http://127.0.0.1:41234/v1".
	URL string

	// Origin is URL without its path. It is what Anthropic's and Google's SDKs want.
	Origin string

	server *http.Server
	served chan error     // gets the result of Serve
	conns  sync.WaitGroup // the connections that the server holds
	close  func() error
}

// StartProvider starts a provider on a free port of 127.0.0.1. The caller closes it.
func StartProvider(cfg ProviderConfig) (*ProviderServer, error) {
	p, err := NewProvider(cfg)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start simulated provider: %w", err)
	}
	origin := "http://" + listener.Addr().String()
	s := &ProviderServer{Provider: p, URL: origin + "/v1", Origin: origin, served: make(chan error, 1)}
	s.server = &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second, ConnState: s.track}
	s.close = sync.OnceValue(s.shut)
	go func() { s.served <- s.server.Serve(listener) }()
	return s, nil
}

// Close closes the port and every connection, also those of hung requests, and waits
// until all goroutines of the server have ended. It may be called more than once.
func (s *ProviderServer) Close() error { return s.close() }

func (s *ProviderServer) shut() error {
	errs := []error{s.Provider.Close(), s.server.Close()}
	if err := <-s.served; !errors.Is(err, http.ErrServerClosed) {
		errs = append(errs, err)
	}
	// A connection that was accepted while the first Close ran may have escaped it.
	// Now that nothing accepts any more, none can escape the second.
	errs = append(errs, s.server.Close())
	s.conns.Wait()
	s.running.Wait()
	return errors.Join(errs...)
}

// track counts the connections: [http.Server.Close] does not wait for them.
func (s *ProviderServer) track(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.conns.Add(1)
	case http.StateClosed, http.StateHijacked: // a hijacked one ends with its request
		s.conns.Done()
	default:
	}
}
