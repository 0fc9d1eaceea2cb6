package gateway_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/trysail-go/trysail/server/gateway"
)

// lost has the look-ups of a name fail the first times, as a resolver would say it, and everything else be dialled. Asking a real
// resolver for a name that is not there takes as long as the machine's does.
func lost(times int64, failure *net.DNSError, asked *atomic.Int64, to string) http.RoundTripper {
	return &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if strings.HasPrefix(addr, "provider.invalid:") {
			if asked.Add(1) <= times {
				return nil, &net.OpError{Op: "dial", Net: network, Err: failure}
			}
			addr = to
		}
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}}
}

// TestNamesThatAreNotFound: that a provider's name is not found does not change soon, so another target is asked at once; a resolver that fails is asked
// again. Clients are told in the form of their protocol, and not where the provider is.
func TestNamesThatAreNotFound(t *testing.T) {
	const always = 1 << 40
	notFound := &net.DNSError{Err: "no such host", Name: "provider.invalid", IsNotFound: true}
	failing := &net.DNSError{Err: "server misbehaving", Name: "provider.invalid", IsTemporary: true}
	for name, tc := range map[string]struct {
		times   int64
		failure *net.DNSError
		targets int
		status  int
		asked   int64  // how often the name is looked up
		by      string // the target that answered
	}{
		"not found, one target":       {always, notFound, 1, 502, 1, "gone"},
		"not found, two targets":      {always, notFound, 2, 200, 1, "a"},
		"failing once, one target":    {1, failing, 1, 200, 2, "gone"},
		"failing, one target":         {always, failing, 1, 502, 3, "gone"},
		"failing always, two targets": {always, failing, 2, 200, 3, "a"},
	} {
		for kind, body := range map[string]string{"plain": plainBody, "stream": streamBody} {
			t.Run(name+", "+kind, func(t *testing.T) {
				var asked atomic.Int64
				f := newFleet(t, []string{"ok"}, func(c *gateway.Config) {
					there := c.Plan.Targets[0]
					c.Transport = lost(tc.times, tc.failure, &asked, strings.TrimSuffix(strings.TrimPrefix(there.BaseURL, "http://"), "/v1"))
					gone := there
					gone.Name, gone.BaseURL = "gone", "http://provider.invalid/v1"
					c.Plan.Targets = []gateway.Target{gone, there}[:tc.targets]
				})
				got := f.chat(body)
				if got.status != tc.status || got.header.Get(gateway.TargetHeader) != tc.by || asked.Load() != tc.asked {
					t.Errorf("status %d from %q after %d look-ups; want %d from %q after %d\n%s",
						got.status, got.header.Get(gateway.TargetHeader), asked.Load(), tc.status, tc.by, tc.asked, got.body)
				}
				if strings.Contains(got.body, "provider.invalid") {
					t.Errorf("the client is told where the provider is: %s", got.body)
				}
				if tc.status == 200 {
					return
				}
				if _, code, _ := got.failure(t); code != "provider_unreachable" {
					t.Errorf("the code is %q, want provider_unreachable: %s", code, got.body)
				}
			})
		}
	}
}
