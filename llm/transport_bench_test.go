package llm_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// memory answers each request alike, and costs little.
type memory struct {
	header http.Header
	body   string
}

// RoundTrip answers.
func (m *memory) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	return &http.Response{
		StatusCode: 200, Header: m.header, ProtoMajor: 1, ContentLength: int64(len(m.body)),
		Body: io.NopCloser(strings.NewReader(m.body)), Request: r,
	}, nil
}

// BenchmarkTransport measures what a transport adds to a request of 4 KiB that is answered at once.
func BenchmarkTransport(b *testing.B) {
	question := []byte(`{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("word ", 800) + `"}]}`)
	stream := delta + strings.Repeat(delta, 98) + ending1
	base := &memory{http.Header{
		"Content-Type": {"application/json"}, "X-Request-Id": {"r"},
		"X-Ratelimit-Limit-Tokens": {"100"}, "X-Ratelimit-Remaining-Tokens": {"99"}, "X-Ratelimit-Reset-Tokens": {"1s"},
	}, good}
	streams := &memory{http.Header{"Content-Type": {events}}, stream}
	orc, err := trysail.New(trysail.Config{})
	if err != nil {
		b.Fatal(err)
	}
	hedging, err := trysail.New(trysail.Config{Default: trysail.Policy{Hedge: trysail.HedgePolicy{After: time.Minute}}})
	if err != nil {
		b.Fatal(err)
	}
	limiter, err := trysail.NewLimiter(trysail.LimiterConfig{Rate: 1e9, Burst: 1e9})
	if err != nil {
		b.Fatal(err)
	}
	op, watch := orc.Operation("x"), func(llm.Exchange) {}
	for _, bc := range []struct {
		name string
		rt   http.RoundTripper
	}{
		{"client alone", base},
		{"transport", &llm.Transport{Operation: op, Base: base}},
		{"observed, tokens", &llm.Transport{Operation: op, Base: base, Observe: watch, Tokens: limiter}},
		{"hedged", &llm.Transport{Operation: hedging.Operation("x"), Base: base}},
		{"client alone, stream of 100", streams},
		{"stream of 100", &llm.Transport{Operation: op, Base: streams, Observe: watch}},
	} {
		b.Run(bc.name, func(b *testing.B) {
			client := &http.Client{Transport: bc.rt}
			b.ReportAllocs()
			for b.Loop() {
				resp, err := client.Post(chatURL, "application/json", bytes.NewReader(question))
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
}
