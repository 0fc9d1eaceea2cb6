package trysailhttp_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/trysailhttp"
)

// A plain server at an address with https is a mistake in the address, whether the client tells it or the transport under it.
func TestPlainServerWhereTLSWasExpected(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.Replace(server.URL, "http:", "https:", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	for who, ask := range map[string]func(*http.Request) (*http.Response, error){
		"the client": (&http.Client{Transport: transport}).Do, "the transport": transport.RoundTrip,
	} {
		resp, err := ask(request)
		if err == nil {
			_ = resp.Body.Close()
			t.Fatalf("%s tells no error", who)
		}
		if class := trysail.Classify(trysailhttp.Mark(err)); class != trysail.ClassPermanent {
			t.Errorf("%s: %v is %s, want permanent", who, err, class)
		}
	}
}
