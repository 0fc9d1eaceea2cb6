package gateway_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/trysail-go/trysail/server/gateway"
)

// Guesses are counted by whoever runs the gateway, and only guesses: neither good keys nor requests without one.
func TestGuessesAreCounted(t *testing.T) {
	guesses := 0
	f := newFleet(t, []string{"ok"}, func(c *gateway.Config) {
		keyed(gateway.ClientKey{})(c)
		c.WrongKey = func(*http.Request) time.Duration {
			if guesses++; guesses > 2 {
				return time.Minute
			}
			return 0
		}
	})
	for i, want := range []int{401, 401, 429} {
		got := f.chat(plainBody, "Authorization", "Bearer guess")
		_, code, _ := got.failure(t)
		if got.status != want || (want == 429) != (got.header.Get("Retry-After") == "60" && code == "too_many_wrong_keys") {
			t.Errorf("guess %d: status %d, %q, Retry-After %q, want %d", i, got.status, code, got.header.Get("Retry-After"), want)
		}
	}
	if got := f.chat(plainBody); got.status != 401 {
		t.Errorf("no key: status %d, want 401", got.status)
	}
	if got := f.chat(plainBody, "Authorization", teamKey); got.status != 200 {
		t.Errorf("a good key after wrong ones: status %d, want 200", got.status)
	}
	if guesses != 3 {
		t.Errorf("%d guesses were counted, want 3", guesses)
	}
}
