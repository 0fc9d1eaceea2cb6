package main

import (
	"errors"
	"fmt"
	"net/http"
)

// healthCmd asks what orchestrators ask, from where there is no other program to ask with.
type healthCmd struct {
	Live bool `help:"Ask only whether the program runs, not whether it can serve."`
	address
}

// Help is shown by "trysail health --help".
func (healthCmd) Help() string {
	return `For HEALTHCHECK in a Dockerfile and for scripts. No key is needed or sent. Open breakers and providers that are down do not count:
trysail breakers shows them.

Exit code: 0, 1 if the server cannot be reached or is none, 2 for a wrong command line, 3 if it says that it cannot serve.`
}

// Run asks the server.
func (c *healthCmd) Run(p *program) error {
	server, _, err := c.locate(p)
	if err != nil {
		return usageError{err}
	}
	cl, err := c.client(p, server, apiKey{}, defaultTimeout)
	if err != nil {
		return err
	}
	r, word := request{method: http.MethodGet, path: readyPath}, "ready"
	if c.Live {
		r.path, word = livePath, "alive"
	}
	resp, err := cl.do(p.ctx, r)
	refused, isRefused := errors.AsType[*refusedError](err)
	switch {
	case isRefused && refused.code == http.StatusServiceUnavailable && refused.ours:
		word = "not " + word + ": " + harmless(refused.detail)
		err = answerNo{}
	case isRefused:
		return refused
	case err != nil:
		return err
	default:
		_ = resp.Body.Close()
	}
	if _, failed := fmt.Fprintln(answerTo{p.stdout}, word); failed != nil {
		return failed
	}
	return err
}
