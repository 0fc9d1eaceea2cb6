package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// The real program asks a target as the file says, and logs as much of a body as the file says.
func TestProbesAndBodiesOfAFile(t *testing.T) {
	var probes atomic.Int64
	asked := make(chan struct{}, 1)
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "GET" || r.URL.Path != "/v1/models" {
			t.Errorf("the provider got %s %s", r.Method, r.URL.Path)
		}
		if probes.Add(1) >= 3 {
			select {
			case asked <- struct{}{}:
			default:
			}
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	t.Cleanup(provider.Close)
	file := write(t, filepath.Join(t.TempDir(), "trysail.yaml"), "gateway:\n  log_body: 16B\n  targets:\n    toy: {protocol: openai, simulated: true}\n"+
		"    dead: {protocol: openai, base_url: "+provider.URL+"/v1, probe: {path: /models, interval: 100ms, timeout: 90ms}}\n")
	s := serve(t, "TRYSAIL_CONFIG="+file, "TRYSAIL_SIMULATE_TOKEN_DELAY=0s")
	<-asked
	s.log.await(t, `"msg":"probe","target":"dead","error":`)
	s.log.await(t, "the log holds what is asked")
	if resp, body := s.send("POST", "/v1/chat/completions", completionBody); resp.StatusCode != 200 {
		t.Errorf("status %d\n%s", resp.StatusCode, body)
	}
	s.log.await(t, `"body":"{`)
	s.log.await(t, "bytes in all)")
}
