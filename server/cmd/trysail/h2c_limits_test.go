package main

import (
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// Frames of HTTP/2, RFC 9113, section 6.
const (
	preface      = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	frameHeaders = 1
	frameSetting = 4
	framePing    = 6
	frameMore    = 9
	endStream    = 1
	endHeaders   = 4

	// GET http://a/ in HPACK: indexed :method, :scheme and :path, and :authority as a literal.
	plainHeader = "\x82\x86\x84\x41\x01a"
)

func frame(kind, flags byte, stream uint32, payload string) string {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	head = append(head, flags)
	head = binary.BigEndian.AppendUint32(head, stream)
	return string(head) + payload
}

// one is a listener with one connection.
type one chan net.Conn

// Accept implements [net.Listener].
func (l one) Accept() (net.Conn, error) {
	if conn, open := <-l; open {
		return conn, nil
	}
	return nil, net.ErrClosed
}

// Close implements [net.Listener].
func (l one) Close() error {
	close(l)
	return nil
}

// Addr implements [net.Listener].
func (l one) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// settingsIn reads frames until the connection ends, answers no ping, and returns the server's first settings.
func settingsIn(conn net.Conn) map[uint16]uint32 {
	settings := map[uint16]uint32{}
	for head := make([]byte, 9); ; {
		if _, err := io.ReadFull(conn, head); err != nil {
			return settings
		}
		payload := make([]byte, binary.BigEndian.Uint32(head)>>8)
		if _, err := io.ReadFull(conn, payload); err != nil {
			return settings
		}
		for ; head[3] == frameSetting && len(payload) >= 6; payload = payload[6:] {
			settings[binary.BigEndian.Uint16(payload)] = binary.BigEndian.Uint32(payload[2:])
		}
	}
}

// Who begins a connection and does not go on, or never ends a header, loses it. So does who leaves in silence during a request.
func TestConnectionsOfHTTP2HaveLimits(t *testing.T) {
	settings := preface + frame(frameSetting, 0, 0, "")
	for name, tc := range map[string]struct {
		sends    string
		dribbles string // once a second
		most     time.Duration
		running  bool // a request
	}{
		"nothing":                    {"", "", headerTime, false},
		"half of the beginning":      {preface[:10], "", headerTime, false},
		"no settings":                {preface, "", 10 * time.Second, false},
		"no request":                 {settings, "", idleTime + time.Second, false},
		"a header that never ends":   {settings + frame(frameHeaders, endStream, 1, "\x82"), frame(frameMore, 0, 1, ""), idleTime + time.Second, false},
		"pings only":                 {settings, frame(framePing, 0, 0, "01234567"), idleTime + time.Second, false},
		"silence during the request": {settings + frame(frameHeaders, endStream|endHeaders, 1, plainHeader), "", pingAfter + pingTimeout + time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				left := make(chan struct{}, 1)
				handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					<-r.Context().Done()
					left <- struct{}{}
				})
				srv := &server{settings: &serveCmd{ClientTimeout: 30 * time.Second}, log: slog.New(slog.DiscardHandler)}
				served, listener := srv.httpServer(t.Context(), handler), make(one)
				ended := make(chan error, 1)
				go func() { ended <- served.Serve(listener) }()
				near, far := net.Pipe()
				listener <- far
				begin := time.Now()
				sent := make(chan struct{})
				go func() {
					defer close(sent)
					_, err := io.WriteString(near, tc.sends)
					for err == nil && tc.dribbles != "" {
						time.Sleep(time.Second)
						_, err = io.WriteString(near, tc.dribbles)
					}
				}()
				got := settingsIn(near)
				if took := time.Since(begin); took > tc.most {
					t.Errorf("the connection is closed after %v, want at most %v", took, tc.most)
				}
				if tc.running {
					<-left
				}
				if len(tc.sends) > len(preface) && got[3] != streamsAtOnce { // SETTINGS_MAX_CONCURRENT_STREAMS
					t.Errorf("settings %v, want %d streams at once", got, streamsAtOnce)
				}
				_ = near.Close()
				<-sent
				_ = served.Close()
				if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
					t.Errorf("the server ended with %v", err)
				}
			})
		})
	}
}
