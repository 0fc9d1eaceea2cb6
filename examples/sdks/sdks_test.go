// Package sdks_test asks the simulated provider by the providers' own SDKs, each of
// which reads what a client is to understand: text, usage, ends and errors.
package sdks_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/trysail-go/trysail/trysailtest"
)

const (
	question = "Why do boats float?"
	begin    = "You asked: “Why do boats float?”."
)

// start starts a provider in which every request meets the script.
func start(t *testing.T, script string) *trysailtest.ProviderServer {
	t.Helper()
	provider, err := trysailtest.StartProvider(trysailtest.ProviderConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = provider.Close() })
	if err := provider.Script("", script); err != nil {
		t.Fatal(err)
	}
	return provider
}

// newHTTP returns a client without keep-alive, so that no test leaves a connection.
func newHTTP() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
}
