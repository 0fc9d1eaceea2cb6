package llm_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
	"github.com/trysail-go/trysail/trysailtest"
)

// The client goes to an SDK, such as OpenAI's by option.WithHTTPClient. Here the provider is simulated: it
// answers the first attempt with an error inside a good answer's stream.
func ExampleTransport() {
	orc, err := trysail.New(trysail.Config{Default: trysail.Policy{Retry: trysail.RetryPolicy{Backoff: trysail.BackoffNone}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	provider, err := trysailtest.StartProvider(trysailtest.ProviderConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer provider.Close()
	client := &http.Client{Transport: &llm.Transport{
		Operation:     orc.Operation("chat"),
		AttemptHeader: "X-Trysail-Attempt",
		Observe: func(e llm.Exchange) {
			fmt.Println(e.Operation, e.Model, "attempts:", e.Attempts, "error:", e.Err)
		},
	}}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, provider.URL+"/chat/completions",
		strings.NewReader(`{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	req.Header.Set("X-Trysail-Simulate", "error:0, ok")
	resp, err := client.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	fmt.Println(resp.StatusCode, err)
	// Output:
	// chat m attempts: 2 error: <nil>
	// 200 <nil>
}
