package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/api"
)

func Example() {
	orc, err := trysail.New(trysail.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	orc.Operation("summarize")
	keys, err := api.KeysFromList("sesame", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	a, err := api.New(api.Config{Orchestrator: orc, Keys: keys})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := httptest.NewRequest(http.MethodPost, "/internal/resilience/circuit-breakers/summarize/reset", nil)
	r.Header.Set("Authorization", "Bearer sesame")
	w := httptest.NewRecorder()
	a.Handler().ServeHTTP(w, r)
	fmt.Println(w.Code)
	// Output: 200
}

func ExampleKeys_Check() {
	keys, err := api.NewKeys("sesame")
	if err != nil {
		fmt.Println(err)
		return
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	fmt.Println(keys.Check(r))
	r.Header.Set("X-API-Key", "sesame")
	fmt.Println(keys.Check(r))
	// Output:
	// missing
	// granted
}

func ExampleWriteProblem() {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	w := httptest.NewRecorder()
	api.WriteProblem(w, r, api.Problem{
		Status: http.StatusForbidden,
		Detail: "This host is not served",
		Errors: []api.Fault{{Location: "header.Host", Message: "wanted localhost"}},
	})
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	// Output: 403 application/problem+json
}
