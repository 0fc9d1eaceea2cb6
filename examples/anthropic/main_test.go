package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"

	"github.com/trysail-go/trysail/trysailtest"
)

func TestRun(t *testing.T) {
	t.Setenv("RESILIENCE_PRESET", "development") // one wait of 1 to 3 s
	for name, tc := range map[string]struct {
		script string
		want   string // in the output
		status int    // of the SDK's error
		text   string // of the error
	}{
		"a good answer":          {"ok", "(1 call, 0 retries)", 0, ""},
		"an error is retried":    {"500, ok", "(1 call, 1 retries)", 0, ""},
		"a bad key is not":       {"auth", "(1 call, 0 retries)", 401, "the provider answered 401"},
		"the provider's own 503": {"503", "(1 call, 1 retries)", 503, "the provider answered 503"},
	} {
		t.Run(name, func(t *testing.T) {
			provider, err := trysailtest.StartProvider(trysailtest.ProviderConfig{})
			if err != nil {
				t.Fatal(err)
			}
			defer provider.Close()
			if err := provider.Script("", tc.script); err != nil {
				t.Fatal(err)
			}
			t.Setenv("ANTHROPIC_BASE_URL", provider.Origin)
			t.Setenv("ANTHROPIC_API_KEY", "any")
			var out bytes.Buffer
			err = run(t.Context(), "Is the wind fair?", &out)
			var failed *anthropic.Error
			if tc.status == 0 && err != nil || tc.status != 0 && (!errors.As(err, &failed) || failed.StatusCode != tc.status) {
				t.Errorf("err = %v, want status %d", err, tc.status)
			}
			if err != nil && !strings.HasPrefix(err.Error(), tc.text) {
				t.Errorf("err = %v, want %q at its begin", err, tc.text)
			}
			if !strings.Contains(out.String(), tc.want) {
				t.Errorf("printed %q, want %q in it", out.String(), tc.want)
			}
		})
	}
}
