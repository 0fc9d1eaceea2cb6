package api_test

import (
	"net/http/httptest"
	"testing"

	"github.com/trysail-go/trysail/server/api"
)

// On the gateway's paths a key may be where any provider's SDK puts it, and nowhere else may one be in the address.
func TestKeysOfTheGateway(t *testing.T) {
	keys, err := api.NewKeys("good")
	if err == nil {
		keys, err = keys.WithReadOnly("reader")
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		target  string
		headers map[string]string
		want    api.Access
	}{
		"Google's header":                       {"/v1beta/models", map[string]string{"X-Goog-Api-Key": "good"}, api.Granted},
		"Google's parameter":                    {"/v1beta/models?alt=sse&key=good", nil, api.Granted},
		"Anthropic's header":                    {"/v1/messages", map[string]string{"X-Api-Key": "good"}, api.Granted},
		"a provider's key beside it":            {"/v1/messages", map[string]string{"Authorization": "Bearer sk-ant", "X-Api-Key": "good"}, api.Granted},
		"beside it the other way round":         {"/v1/messages", map[string]string{"Authorization": "Bearer good", "X-Api-Key": "sk-ant"}, api.Granted},
		"one that may only read":                {"/v1beta/models?key=reader", nil, api.ReadOnly},
		"a wrong one":                           {"/v1beta/models?key=guess", nil, api.Wrong},
		"none":                                  {"/v1beta/models", nil, api.Missing},
		"in the address of the internal API":    {"/internal/health?key=good", nil, api.Missing},
		"Google's header at the internal API":   {"/internal/health", map[string]string{"X-Goog-Api-Key": "good"}, api.Missing},
		"a query that cannot be read":           {"/v1beta/models?key=%zz", nil, api.Missing},
		"the internal API minds the wrong one":  {"/internal/health", map[string]string{"Authorization": "Bearer guess", "X-Api-Key": "good"}, api.Wrong},
		"the gateway takes the one that may go": {"/v1/models", map[string]string{"Authorization": "Bearer reader", "X-Api-Key": "guess"}, api.ReadOnly},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", tc.target, nil)
			for header, value := range tc.headers {
				r.Header.Set(header, value)
			}
			if got := keys.Check(r); got != tc.want {
				t.Errorf("Check = %v, want %v", got, tc.want)
			}
		})
	}
}
