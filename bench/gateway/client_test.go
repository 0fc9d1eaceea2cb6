package gateway

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// A client is one kept-alive connection. It writes and reads in the goroutine that asks, so that it takes little of the
// processors that it shares with what is measured.
type client struct {
	conn   net.Conn
	reader *bufio.Reader
	buffer []byte
	read   int // how much of the answer is in buffer
}

// patience is how long an answer may take before the measurement fails.
const patience = 20 * time.Second

func dial(address string) (*client, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, reader: bufio.NewReaderSize(conn, 32<<10), buffer: make([]byte, 64<<10)}, nil
}

func (c *client) close() { _ = c.conn.Close() }

// request returns the bytes of a request with this body.
func request(address, body string, headers ...string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST /v1/chat/completions HTTP/1.1\r\nHost: %s\r\nUser-Agent: OpenAI/Python 2.8.1\r\nAccept: application/json\r\n", address)
	b.WriteString("Authorization: Bearer sk-client\r\nContent-Type: application/json\r\nX-Stainless-Lang: python\r\nX-Stainless-Retry-Count: 0\r\n")
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return b.Bytes()
}

// ask sends a request and checks that the answer is want. It returns when the first bytes of it had come, first many.
func (c *client) ask(request []byte, want string, first int) (time.Time, error) {
	body, err := c.begin(request)
	if err != nil {
		return time.Time{}, err
	}
	return c.finish(body, want, first)
}

// begin sends a request and reads the head of the answer.
func (c *client) begin(request []byte) (io.ReadCloser, error) {
	c.read = 0
	_ = c.conn.SetDeadline(time.Now().Add(patience))
	if _, err := c.conn.Write(request); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
		return nil, errors.Join(fmt.Errorf("status %d: %s", resp.StatusCode, text), resp.Body.Close())
	}
	return resp.Body, nil
}

// finish reads the rest of a body and checks that the whole is want. It returns when the first bytes had come.
func (c *client) finish(body io.ReadCloser, want string, first int) (at time.Time, err error) {
	if at, err = c.fill(body, min(first, len(want))); err != nil {
		return at, err
	}
	if _, err := c.fill(body, len(c.buffer)); !errors.Is(err, io.EOF) {
		return at, fmt.Errorf("%w after %d bytes, want the end after %d", err, c.read, len(want))
	}
	if got := string(c.buffer[:c.read]); got != want {
		return at, fmt.Errorf("the answer is not the provider's: %d bytes, want %d; it ends %.100q", len(got), len(want), got[max(len(got)-100, 0):])
	}
	return at, body.Close()
}

// fill reads until so much of an answer has come, and says when that was.
func (c *client) fill(body io.Reader, size int) (time.Time, error) {
	for c.read < size {
		n, err := body.Read(c.buffer[c.read:])
		c.read += n
		if err != nil && c.read < size {
			return time.Time{}, err
		}
	}
	return time.Now(), nil
}
