package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/trysail-go/trysail/config"
)

// address is the flags of the commands that ask a server.
type address struct {
	Server  string        `env:"TRYSAIL_SERVER" placeholder:"URL" help:"The server. Default: where TRYSAIL_ADDR has serve listen, or http://127.0.0.1:8000."`
	Timeout time.Duration `placeholder:"TIME" help:"How long the server may say nothing. Default: 30s, and 10m where it has to measure first."`
	envFileFlag
}

// connection is the flags of the commands that may need a key.
type connection struct {
	address
	APIKeyFile   string `name:"api-key-file" env:"TRYSAIL_API_KEY_FILE" placeholder:"FILE" help:"File that holds the API key. Default: what TRYSAIL_API_KEY or API_KEY says; in the env file only for a server on this machine."`
	InsecureHTTP bool   `name:"insecure-http" help:"Send the API key in the clear to another machine."`
}

// An apiKey is a key, and where it is from.
type apiKey struct{ text, from string }

const (
	defaultAddr    = "127.0.0.1:8000" // of serve
	defaultTimeout = 30 * time.Second
	measureTimeout = 10 * time.Minute // of what takes as long as its iterations do
)

// open returns a client for the server, with its key.
func (c *connection) open(p *program, patience time.Duration) (*client, error) {
	server, env, err := c.locate(p)
	if err != nil {
		return nil, usageError{err}
	}
	key, err := c.key(p, env, loopback(server.Hostname()))
	if err != nil {
		return nil, usageError{err}
	}
	if key.text != "" && server.Scheme == "http" && !loopback(server.Hostname()) && !c.InsecureHTTP {
		return nil, usageError{fmt.Errorf("the API key (%s) would go to %s in the clear: use https, or a tunnel to localhost, or say --insecure-http", key.from, server)}
	}
	return c.client(p, server, key, patience)
}

// A question is a request, and where its answer goes.
type question struct {
	request
	patience time.Duration // 0: defaultTimeout
	answer   any           // what the answer is read into
	table    func(*page)   // how it shows answer
}

// ask sends a request and prints the answer: as the server wrote it, or as a table.
func (c *connection) ask(p *program, o output, q question) error {
	cl, err := c.open(p, cmp.Or(q.patience, defaultTimeout))
	if err != nil {
		return err
	}
	text, err := cl.read(p.ctx, q.request)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, q.answer); err != nil {
		return fmt.Errorf("%s %s: the answer is not what this version of trysail knows; trysail api shows it as it is: %w", q.method, q.path, err)
	}
	return o.print(p, json.RawMessage(text), q.table)
}

// client returns a client for a command that the first signal ends. The second one ends the program, whatever it waits for.
func (a *address) client(p *program, server *url.URL, key apiKey, patience time.Duration) (*client, error) {
	if a.Timeout < 0 {
		return nil, usageError{fmt.Errorf("timeout is %v, want more than 0s", a.Timeout)}
	}
	context.AfterFunc(p.ctx, p.stop)
	return newClient(server, key, cmp.Or(a.Timeout, patience)), nil
}

// locate returns the server's address, and what the environment and the env file say.
func (a *address) locate(p *program) (*url.URL, *config.Sources, error) {
	file, err := readEnvFile(a.EnvFile)
	if err != nil {
		return nil, nil, err
	}
	env := &config.Sources{Lookup: p.lookup, EnvFile: file}
	if a.Server != "" {
		server, err := serverURL(a.Server)
		return server, env, err
	}
	addr, set := env.Variable("TRYSAIL_ADDR")
	if !set || addr == "" {
		addr = defaultAddr
	}
	if err := checkAddress(addr); err != nil {
		return nil, nil, err
	}
	return &url.URL{Scheme: "http", Host: reachable(addr)}, env, nil
}

// serverURL reads the address of a server. The scheme may be missing.
func serverURL(text string) (*url.URL, error) {
	full := text
	if !strings.Contains(full, "://") {
		full = "http://" + full
	}
	u, err := url.Parse(full)
	switch {
	case err != nil:
		return nil, fmt.Errorf("server is %q: want a URL such as http://127.0.0.1:8000 (--server, TRYSAIL_SERVER)", text)
	case u.User != nil:
		return nil, errors.New("server holds a user name or a password: a key belongs in TRYSAIL_API_KEY or in the file of --api-key-file")
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "", u.RawQuery != "", u.Fragment != "":
		return nil, fmt.Errorf("server is %q: want a URL such as http://127.0.0.1:8000 (--server, TRYSAIL_SERVER)", text)
	}
	u.Path = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), strings.TrimSuffix(apiBase, "/"))
	u.RawPath = ""
	return u, nil
}

// reachable turns an address to listen on into one to connect to: every address has this machine's among them.
func reachable(addr string) string {
	host, port, _ := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// maxKeyFile bounds the file of a key, so that one of another kind is not read whole.
const maxKeyFile = 4096

// key finds the API key. The env file belongs to what is served here: its key goes to no other machine.
func (c *connection) key(p *program, env *config.Sources, here bool) (apiKey, error) {
	if c.APIKeyFile != "" {
		return keyInFile(p, c.APIKeyFile)
	}
	for _, name := range []string{"TRYSAIL_API_KEY", "API_KEY"} {
		lookup := p.lookup
		if here {
			lookup = env.Variable
		}
		value, _ := lookup(name)
		if value = strings.TrimSpace(value); value != "" {
			return checkKey(apiKey{value, name})
		}
	}
	return apiKey{}, nil
}

func keyInFile(p *program, name string) (apiKey, error) {
	in, shown, err := p.open(name)
	if err != nil {
		return apiKey{}, err
	}
	defer func() { _ = in.Close() }()
	text, err := io.ReadAll(io.LimitReader(in, maxKeyFile+1))
	if err != nil {
		return apiKey{}, fmt.Errorf("read %s: %w", shown, err)
	}
	key := strings.TrimSpace(string(text))
	switch {
	case key == "":
		return apiKey{}, fmt.Errorf("%s is empty, want an API key", shown)
	case len(text) > maxKeyFile:
		return apiKey{}, fmt.Errorf("%s has more than %d bytes, want an API key and nothing else", shown, maxKeyFile)
	}
	return checkKey(apiKey{key, shown})
}

// checkKey refuses what no header can carry. The key itself stays out of the message.
func checkKey(key apiKey) (apiKey, error) {
	for _, r := range key.text {
		if r <= ' ' || r > '~' {
			return apiKey{}, fmt.Errorf("the API key in %s holds a space, a line break or a character that is not ASCII, want one key and nothing else", key.from)
		}
	}
	return key, nil
}
