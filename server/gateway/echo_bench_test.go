package gateway_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
)

// events is a transport that has a stream of a thousand events already. They come one by one.
type events struct{}

const (
	eventsOfBench = 1000
	eventOfBench  = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-mini","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}]}` + "\n\n"
	lastOfBench   = `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"
)

func (events) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1, Request: r,
		Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(&oneByOne{}),
	}, nil
}

type oneByOne struct{ n int }

func (o *oneByOne) Read(p []byte) (int, error) {
	switch o.n++; {
	case o.n <= eventsOfBench:
		return copy(p, eventOfBench), nil
	case o.n == eventsOfBench+1:
		return copy(p, lastOfBench), nil
	default:
		return 0, io.EOF
	}
}

// BenchmarkStreamEvents measures a stream without any network, with a key that is looked for and with one that is too short for that.
func BenchmarkStreamEvents(b *testing.B) {
	for name, key := range map[string]string{"looked for": longKey + longKey[8:], "not looked for": "sk-bench"} {
		b.Run(name, func(b *testing.B) {
			orc, err := trysail.New(trysail.Config{})
			if err != nil {
				b.Fatal(err)
			}
			gw, err := gateway.New(gateway.Config{Orchestrator: orc, Transport: events{}, Plan: gateway.SingleTarget(gateway.Target{
				Name: "openai", Protocol: gateway.OpenAIProtocol, BaseURL: "http://127.0.0.1:1/v1", Credentials: []gateway.Credential{{Key: key}},
			})})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/v1/chat/completions", strings.NewReader(streamBody))
				r.Header.Set("Content-Type", "application/json")
				w := discarding{header: http.Header{}}
				gw.ServeHTTP(&w, r)
				if want := eventsOfBench*len(eventOfBench) + len(lastOfBench); w.status != http.StatusOK || w.bytes != want {
					b.Fatalf("status %d, %d bytes, want %d", w.status, w.bytes, want)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*eventsOfBench), "ns/event")
		})
	}
}
