package llm_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A client that asks for gzip by itself gets it as it came over the wire, but what it holds decides.
func TestTransportCompressedErrors(t *testing.T) {
	const quota = `{"error":{"type":"insufficient_quota","code":"insufficient_quota","message":"x"}}`
	long := strings.Repeat(" ", 1<<20)
	for name, tc := range map[string]struct {
		encoding, body string
		attempts       int
		class          trysail.Class
	}{
		"gzip":                  {"gzip", zipped(t, quota), 1, trysail.ClassQuotaExhausted},
		"in capitals":           {" GZIP", zipped(t, quota), 1, trysail.ClassQuotaExhausted},
		"its old name":          {"x-gzip", zipped(t, quota), 1, trysail.ClassQuotaExhausted},
		"identity":              {"identity", quota, 1, trysail.ClassQuotaExhausted},
		"gzip that breaks off":  {"gzip", zipped(t, quota)[:40], 3, trysail.ClassRateLimited},
		"no gzip at all":        {"gzip", quota, 1, trysail.ClassQuotaExhausted},
		"a bomb":                {"gzip", zipped(t, strings.Repeat(long, 2)), 3, trysail.ClassRateLimited},
		"something that is new": {"br", "\x01\x02", 3, trysail.ClassRateLimited},
	} {
		t.Run(name, func(t *testing.T) {
			client, url, rt := serve(t, false, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Encoding", tc.encoding)
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusTooManyRequests)
				_, _ = io.WriteString(w, tc.body)
			})
			var seen llm.Exchange
			rt.Observe = func(e llm.Exchange) { seen = e }
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/chat/completions", strings.NewReader(plain))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept-Encoding", "gzip, br")
			resp, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			read, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if string(read) != tc.body || err != nil || resp.StatusCode != 429 {
				t.Errorf("read %d bytes, %v, status %d; want the %d bytes as they came", len(read), err, resp.StatusCode, len(tc.body))
			}
			if seen.Attempts != tc.attempts || seen.Verdict.Class != tc.class {
				t.Errorf("exchange %+v, want %d attempts and %v", seen, tc.attempts, tc.class)
			}
		})
	}
}

// An error whose body does not come to its end is told by its status, and what came of the body is passed on.
func TestTransportEndlessErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := func(r *http.Request) (*http.Response, error) {
			resp, err := says(500, "", "")(r)
			resp.Body, resp.ContentLength = provider(errors.New("closed"), step{0, `{"error":`}, step{time.Hour, `1}`}), -1
			return resp, err
		}
		var sent atomic.Int64
		f := newFake(t, trysail.Policy{}, func(r *http.Request) (*http.Response, error) {
			sent.Add(1)
			return hangs(r)
		})
		began := time.Now()
		resp, read, err := f.do(t.Context(), http.MethodPost, chatURL, plain)
		if resp == nil || resp.StatusCode != 500 || read != `{"error":` || err == nil {
			t.Errorf("got %v, %q, %v; want what came of the error, and that it is not all", resp, read, err)
		}
		if took := time.Since(began); took != 30*time.Second || sent.Load() != 3 {
			t.Errorf("%d attempts took %v, want 3 of 10 s", sent.Load(), took)
		}
	})
}
