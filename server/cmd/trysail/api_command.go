package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/trysail-go/trysail/server/api"
)

// apiBase is what the paths of most routes begin with.
const apiBase = api.Base

// apiCmd holds the commands about the internal API.
type apiCmd struct {
	List apiListCmd `cmd:"" default:"withargs" help:"List the routes, all or those with a word in them."`
	Get  apiGetCmd  `cmd:"" help:"Ask a server for a path."`
	Post apiPostCmd `cmd:"" help:"Send a server something."`
}

type apiListCmd struct {
	Word string `arg:"" optional:"" help:"Only routes with this word in path, module or summary."`
	output
}

// Help is shown by "trysail api --help".
func (apiListCmd) Help() string {
	return `The routes are those of this program; no server is asked. KEY says which key a server with keys wants.
A + marks what is an extension of the specification.

Exit code: 0, 1 if the answer cannot be written, 3 if no route has the word.`
}

// Run lists the routes.
func (c *apiListCmd) Run(p *program) error {
	routes := []api.Route{}
	for _, route := range api.Routes() {
		if text := strings.ToLower(route.Path + " " + route.Module + " " + route.Summary); strings.Contains(text, strings.ToLower(c.Word)) {
			routes = append(routes, route)
		}
	}
	err := c.print(p, routes, func(s *page) {
		if len(routes) == 0 {
			s.line("no route has %q in it; trysail api lists all", harmless(c.Word))
			return
		}
		rows := make([][]string, len(routes))
		for i, route := range routes {
			path := strings.TrimPrefix(route.Path, apiBase)
			if route.Extension {
				path += " +"
			}
			rows[i] = []string{route.Method, path, route.Access, route.Summary}
		}
		s.table([]string{"METHOD", "PATH", "KEY", "SUMMARY"}, rows)
		s.line("")
		s.line("%d routes under %s. Call one with trysail api get PATH or post PATH; all fields are described by trysail api get /internal/openapi.json.", len(routes), apiBase)
	})
	if err == nil && len(routes) == 0 {
		err = answerNo{}
	}
	return err
}

// apiCall is what get and post have in common.
type apiCall struct {
	Path   string   `arg:"" help:"The path, with or without /internal/resilience."`
	Query  []string `short:"q" sep:"none" placeholder:"NAME=VALUE" help:"A parameter of the query; may be given several times."`
	Output string   `short:"o" default:"json" enum:"json,yaml,raw" placeholder:"FORMAT" help:"json with indents, yaml, or raw: the answer as it comes (${default}). What is no JSON is always raw."`
	connection
}

// exitCodesOfClients is the last word of the help of all commands that ask a server.
const exitCodesOfClients = `Exit code: 0, 1 if the server cannot be reached, fails or is too busy, 2 for a wrong command line and for what the server refuses as
wrong: a missing key, an unknown name, a value out of range.`

type apiGetCmd struct{ apiCall }

// Help is shown by "trysail api get --help".
func (apiGetCmd) Help() string {
	return `trysail api get /circuit-breakers
trysail api get /monitoring/alerts -q level=error
trysail api get /events                            # follows the events until it is stopped

` + exitCodesOfClients
}

// Run asks for a path.
func (c *apiGetCmd) Run(p *program) error { return c.run(p, http.MethodGet, nil) }

type apiPostCmd struct {
	apiCall
	Data string `short:"d" placeholder:"JSON|@FILE|-" help:"The body: JSON, a file that holds it, or - for the standard input. Default: none."`
}

// Help is shown by "trysail api post --help".
func (apiPostCmd) Help() string {
	return `trysail api post /circuit-breakers/chat/reset
trysail api post /config/validate -d '{"configuration": {"retry_attempts": 3}}'

` + exitCodesOfClients + ` 3 if a configuration was to be checked and is not valid.`
}

// Run sends something.
func (c *apiPostCmd) Run(p *program) error {
	body, err := c.body(p)
	if err != nil {
		return err
	}
	return c.run(p, http.MethodPost, body)
}

// body returns what --data says.
func (c *apiPostCmd) body(p *program) ([]byte, error) {
	name, isFile := strings.CutPrefix(c.Data, "@")
	switch {
	case c.Data == "":
		return nil, nil
	case c.Data == "-":
		isFile, name = true, "-"
	case !isFile && !json.Valid([]byte(c.Data)):
		if _, err := os.Stat(c.Data); err == nil {
			return nil, usageError{fmt.Errorf("data is %q, which is no JSON but a file: want -d @%s", c.Data, c.Data)}
		}
	}
	if !isFile {
		return []byte(c.Data), nil
	}
	text, shown, err := p.readAll(name)
	if err == nil && len(text) == 0 {
		err = usageError{fmt.Errorf("%s is empty, want JSON", shown)}
	}
	return text, err
}

// run asks the server and writes its answer.
func (c *apiCall) run(p *program, method string, body []byte) error {
	r, err := c.request(method, body)
	if err != nil {
		return usageError{err}
	}
	cl, err := c.open(p, defaultTimeout)
	if err != nil {
		return err
	}
	if strings.HasPrefix(r.path, apiBase+"/performance/") && c.Timeout == 0 {
		cl.timeout = measureTimeout
	}
	resp, err := cl.do(p.ctx, r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if c.Output == "raw" || !isJSON(resp.Header) {
		_, err := io.Copy(answerTo{p.stdout}, resp.Body)
		if errors.Is(err, errInterrupted) && strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
			return nil // it has no other end
		}
		return err //nolint:wrapcheck // heard has explained it, or it is about the output
	}
	text, err := wholeJSON(r, resp)
	if err != nil {
		return err
	}
	if err := (output{Output: c.Output}).print(p, json.RawMessage(text), nil); err != nil {
		return err
	}
	return validity(r, text)
}

// validity is [answerNo] when something was to be checked and is not valid.
func validity(r request, text []byte) error {
	var checked struct {
		Valid *bool `json:"is_valid"`
	}
	if r.method == http.MethodPost && json.Unmarshal(text, &checked) == nil && checked.Valid != nil && !*checked.Valid {
		return answerNo{}
	}
	return nil
}

// escapeRest escapes what no URL may hold, and leaves what is escaped already: url.Parse would forget that of a path in which
// anything else is not.
func escapeRest(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c > ' ' && c < 0x7f && !strings.ContainsRune("\"<>\\^`{|}", rune(c)) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// request makes a request of the flags.
func (c *apiCall) request(method string, body []byte) (request, error) {
	r := request{method: method, body: body}
	if strings.Contains(c.Path, "://") {
		return r, fmt.Errorf("path is %q, want only the path; --server names the server", c.Path)
	}
	u, err := url.Parse("/" + escapeRest(strings.TrimLeft(c.Path, "/")))
	switch {
	case err != nil:
		return r, fmt.Errorf("path is %q, want one such as /circuit-breakers; a %% is written %%25", c.Path)
	case u.Fragment != "":
		return r, fmt.Errorf("path is %q: a # is written %%23", c.Path)
	case strings.ContainsFunc(c.Path, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return r, fmt.Errorf("path is %q, want no control characters", c.Path)
	}
	r.path, r.query = u.EscapedPath(), u.Query()
	if !strings.HasPrefix(r.path, "/internal/") && r.path != livePath && r.path != readyPath {
		r.path = apiBase + r.path
	}
	for _, parameter := range c.Query {
		name, value, ok := strings.Cut(parameter, "=")
		if !ok || name == "" {
			return r, fmt.Errorf("query has %q, want NAME=VALUE", parameter)
		}
		r.query.Add(name, value)
	}
	return r, nil
}
