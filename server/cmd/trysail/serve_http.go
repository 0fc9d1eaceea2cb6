package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/trysail-go/trysail/server/api"
)

// Limits of connections. Those of HTTP/2 are about one connection each: what requests may do is the same in both versions.
const (
	headerTime = 5 * time.Second // to send a request's header; the first frames of HTTP/2 have 2 s
	idleTime   = 2 * time.Minute // without a request; the header of one that does not come to its end does not count as one
	headerSize = 64 << 10

	// streamsAtOnce is how many requests a client may have under way over one connection. With more it waits, or opens another. Streams of
	// tokens take long, so that a proxy with one connection needs many; what they may hold altogether is bounded by the operations.
	streamsAtOnce = 250

	// A client that has gone without a word is noticed by its silence, also while streams to it are waiting for a provider.
	pingAfter   = 30 * time.Second
	pingTimeout = 15 * time.Second
)

// httpServer returns the server of everything. requests is the context of all requests.
//
// It speaks HTTP/1.1 and, with clients that begin with it, HTTP/2 without TLS ("prior knowledge", RFC 9113, 3.3), which proxies and
// service meshes take inside a cluster. TLS is theirs.
func (srv *server) httpServer(requests context.Context, handler http.Handler) *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		BaseContext:       func(net.Listener) context.Context { return requests },
		Handler:           api.BodyTimeout(noRedirects(probes(handler, &srv.ready)), srv.settings.ClientTimeout),
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    headerSize,
		Protocols:         &protocols,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: streamsAtOnce,
			SendPingTimeout:      pingAfter,
			PingTimeout:          pingTimeout,
			WriteByteTimeout:     srv.settings.ClientTimeout, // requests have it one by one; a connection that takes nothing stalls them all
		},
		ErrorLog: slog.NewLogLogger(srv.log.Handler(), slog.LevelDebug),
	}
}
