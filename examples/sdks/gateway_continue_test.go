package sdks_test

import (
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail/server/gateway"
)

// A stream that another target goes on with is one answer for the SDKs: the begin that the first had sent, and the second's text behind it.
func TestContinuationThroughTheGateway(t *testing.T) {
	for name, s := range speakers() {
		if s.protocol == gateway.GeminiProtocol {
			continue // there is no way to ask for the rest
		}
		for _, script := range []string{"cut:9", "end:9", "error:9"} {
			t.Run(name+", "+script, func(t *testing.T) {
				f := newFront(t, s.protocol, slowly(t, script), slowly(t, "ok"))
				f.plan.Routes = []gateway.Route{{Continue: true, Targets: []gateway.RouteTarget{{Target: "a"}, {Target: "b", Priority: 1}}}}
				if err := f.gateway.Apply(f.plan); err != nil {
					t.Fatal(err)
				}
				text, err := s.stream(t, f.origin)
				// The simulated provider begins anew, whatever came before, and ends with a full stop.
				if err != nil || !strings.HasPrefix(text, "You asked") || strings.Count(text, "You asked") != 2 || !strings.HasSuffix(text, ".") {
					t.Errorf("%q, %v; want the begin of one answer and another one behind it", text, err)
				}
				count := func() (uint64, uint64) {
					usage := f.gateway.Usage()
					return usage.Targets["a"].Requests, usage.Targets["b"].Requests
				}
				for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
					if _, b := count(); b > 0 { // what is used counts when a call has ended, which its client knows before
						break
					}
				}
				if a, b := count(); a != 1 || b != 1 {
					t.Errorf("%d and %d requests, want one to each target", a, b)
				}
			})
		}
	}
}
