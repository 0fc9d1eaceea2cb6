package trysailtest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/trysail-go/trysail/trysailtest"
)

func ExampleParseScript() {
	script, err := trysailtest.ParseScript("500, 429:1.5, OK")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(script)
	fmt.Println(script.At(2), "waits", script.At(2).After)
	fmt.Println(script.At(9))

	_, err = trysailtest.ParseScript("500, cut:soon")
	fmt.Println(err)
	// Output:
	// 500,429:1.5,ok
	// 429:1.5 waits 1.5s
	// ok
	// script entry 2 is "cut:soon", want cut:N with N from 0 to 1000000 tokens
}

// A client that retries sees one failure, and the test sees both attempts.
func ExampleStartProvider() {
	provider, err := trysailtest.StartProvider(trysailtest.ProviderConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer provider.Close()

	client := &http.Client{Timeout: 10 * time.Second}
	for _, attempt := range []string{"1", "2"} {
		r, err := http.NewRequest(http.MethodPost, provider.URL+"/chat/completions",
			strings.NewReader(`{"model":"m","messages":[{"role":"user","content":"hello"}]}`))
		if err != nil {
			fmt.Println(err)
			return
		}
		r.Header.Set(trysailtest.SimulateHeader, "503:2,ok")
		r.Header.Set(trysailtest.AttemptHeader, attempt)
		resp, err := client.Do(r)
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
		fmt.Printf("status %d, Retry-After %q\n", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	fmt.Println(provider.Total(), "requests, the last for", provider.Requests()[1].Path)
	// Output:
	// status 503, Retry-After "2"
	// status 200, Retry-After ""
	// 2 requests, the last for /v1/chat/completions
}

// A provider is a handler, so a test that needs no socket can do without.
func ExampleNewProvider() {
	provider, err := trysailtest.NewProvider(trysailtest.ProviderConfig{FaultRate: 1, Faults: "429:1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	w := httptest.NewRecorder()
	provider.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/models", nil))
	body, err := io.ReadAll(w.Body)
	fmt.Println(w.Code, string(body), err)
	// Output:
	// 429 {"error":{"message":"Rate limit reached on tokens per min (TPM). Please try again in 1s.","type":"tokens","param":null,"code":"rate_limit_exceeded"}} <nil>
}
