package sdks_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
	"github.com/trysail-go/trysail/trysailtest"
)

// A bench is a transport between an SDK and a provider in which every request meets the next entry of a
// script. It makes three attempts, and waits for nothing but what the provider asks for.
type bench struct {
	t         *testing.T
	name      string // of the SDK
	form      string
	provider  *trysailtest.ProviderServer
	op        *trysail.Operation
	transport *llm.Transport
	retries   int // the SDK's own

	mu   sync.Mutex // guards seen
	seen []llm.Exchange
}

func newBench(t *testing.T, name, form, script string) *bench {
	t.Helper()
	orc, err := trysail.New(trysail.Config{Default: trysail.Policy{
		Retry:   trysail.RetryPolicy{Attempts: 3, Backoff: trysail.BackoffNone, NoJitter: true},
		Breaker: trysail.BreakerPolicy{FailureThreshold: 2},
	}})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, name: name, form: form, provider: start(t, script), op: orc.Operation("answer")}
	b.transport = &llm.Transport{
		Operation: b.op, Base: newHTTP().Transport,
		Observe: func(e llm.Exchange) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.seen = append(b.seen, e)
		},
	}
	return b
}

// ask asks the question.
func (b *bench) ask(ctx context.Context) (text string, err error) {
	b.t.Helper()
	c := caller{http: &http.Client{Transport: b.transport}, provider: b.provider, retries: b.retries}
	return sdks()[b.name].forms[b.form](ctx, c)
}

// limit makes an attempt fail that shows nothing for d.
func (b *bench) limit(d time.Duration) {
	b.transport.Base.(*http.Transport).ResponseHeaderTimeout = d
	b.transport.FirstToken = d
}

// exchanges returns what the transport has seen.
func (b *bench) exchanges() []llm.Exchange {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.seen)
}

// wantRequests checks how many requests the provider has had.
func (b *bench) wantRequests(want int) {
	b.t.Helper()
	if got := b.provider.Total(); got != want {
		b.t.Errorf("the provider had %d requests, want %d", got, want)
	}
}

// wantFailures checks how many failures in a row the breaker has counted.
func (b *bench) wantFailures(want int) {
	b.t.Helper()
	if got := b.op.Breaker().Snapshot().Failures; got != want {
		b.t.Errorf("the breaker counted %d failures, want %d", got, want)
	}
}

// startSlow starts a provider whose tokens come one by one, so that the first is passed on before the next.
func startSlow(t *testing.T, script string) *trysailtest.ProviderServer {
	t.Helper()
	provider, err := trysailtest.StartProvider(trysailtest.ProviderConfig{TokenDelay: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = provider.Close() })
	if err := provider.Script("", script); err != nil {
		t.Fatal(err)
	}
	return provider
}

// wholeText returns the whole answer to the question, which is the same from every provider.
func wholeText(t *testing.T) string {
	t.Helper()
	text, err := newBench(t, "openai-chat", "plain", "ok").ask(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return text
}
