package gateway_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
	"github.com/trysail-go/trysail/trysailtest"
)

func itoa(n int) string { return strconv.Itoa(n) }

// 20 MB go through both ways unchanged, plain; so does an event of 1.5 MB.
func TestLargeBodies(t *testing.T) {
	const large = 20_000_000
	answer := `{"choices":[{"index":0,"message":{"content":"` + strings.Repeat("abcdefgh", large/8) + `"}}]}`
	event := strings.Replace(heldBegin, "Ahoy", strings.Repeat("Ahoy ", 300_000), 1)
	sums := make(chan [sha256.Size]byte, 2)
	f := newStorm(t, trysail.Policy{}, []string{"ok"}, serving(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sums <- sha256.Sum256(body)
		if bytes.Contains(body[:100], []byte("stream")) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, event+heldEnd)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	}))
	question := strings.Replace(plainBody, "Is the wind fair?", strings.Repeat("is it fair? ", large/12), 1)
	got := f.chat(question)
	if got.status != 200 || got.err != nil || got.body != answer {
		t.Errorf("plain: status %d, %v, %d bytes; want the provider's %d", got.status, got.err, len(got.body), len(answer))
	}
	if sum := <-sums; sum != sha256.Sum256([]byte(question)) {
		t.Error("the question has changed on its way")
	}
	got = f.chat(streamBody)
	if got.status != 200 || got.err != nil || got.body != event+heldEnd {
		t.Errorf("stream: status %d, %v, %d bytes; want the provider's %d", got.status, got.err, len(got.body), len(event+heldEnd))
	}
}

// A piecemeal transport answers by a stream that comes in two pieces.
type piecemeal struct {
	stream []byte
	kind   string
	at     *atomic.Int64
}

func (p piecemeal) RoundTrip(*http.Request) (*http.Response, error) {
	at := p.at.Load()
	body := io.MultiReader(bytes.NewReader(p.stream[:at]), bytes.NewReader(p.stream[at:]))
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {p.kind}}, Body: io.NopCloser(body), ContentLength: -1,
	}, nil
}

// Wherever the network splits a stream, the client gets the same bytes.
func TestStreamsSplitAnywhere(t *testing.T) {
	for name, m := range manners() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			provider, err := trysailtest.NewProvider(trysailtest.ProviderConfig{})
			if err != nil {
				t.Fatal(err)
			}
			stream := recorded(provider, m.streamPath, m.streamBody)
			// The begin and the end are where something changes; between them one token is like another.
			whole := piecemeal{[]byte(stream), m.contentType, &atomic.Int64{}}
			f := matrixFault{}.fleetWith(t, m, []string{"ok"}, gateway.Limits{}, func(c *gateway.Config) { c.Transport = whole })
			for at := range len(stream) {
				if at > 900 && at < len(stream)-700 {
					continue
				}
				whole.at.Store(int64(at))
				if got := f.post(m.streamPath, m.streamBody); got.status != 200 || got.err != nil || got.body != stream {
					t.Fatalf("split at %d, %.20q: status %d, %v\n%.300s", at, stream[max(0, at-10):min(len(stream), at+10)], got.status, got.err, got.body)
				}
			}
		})
	}
}

// A thousand streams at once need what a thousand connections need, and nothing of it stays.
func TestThousandStreams(t *testing.T) {
	const streams = 1000
	release, begun := make(chan struct{}), make(chan struct{}, streams)
	f := newStorm(t, trysail.Policy{}, []string{"ok"}, serving(t, heldStream(begun, release)))
	f.client.Timeout = 2 * time.Minute
	goroutines, heap := runtime.NumGoroutine(), heapInUse()
	results := make(chan reply, streams)
	for range streams {
		go func() { results <- f.chat(streamBody) }()
	}
	for range streams {
		<-begun
	}
	// Of each stream the client has 3 goroutines (one asks, two serve its connection), the provider 2, and the gateway may have 5.
	if n := runtime.NumGoroutine() - goroutines; n > 10*streams+100 {
		t.Errorf("%d goroutines for %d streams", n, streams)
	}
	if used := heapInUse() - heap; used > 300<<20 {
		t.Errorf("client, gateway and provider hold %d MiB for %d streams", used>>20, streams)
	}
	close(release)
	for range streams {
		if got := <-results; got.status != 200 || got.err != nil || got.body != heldText {
			t.Fatalf("status %d, %v: %s", got.status, got.err, got.body)
		}
	}
	if m := f.metrics("chat"); m.Succeeded != streams {
		t.Errorf("%d calls succeeded, want %d", m.Succeeded, streams)
	}
}

func heapInUse() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapInuse + stats.StackInuse) //nolint:gosec // it is no exabyte
}

// To a provider that speaks HTTP/2 the same holds: retries, resets, streams, and streams that break.
func TestHTTP2ToTheProvider(t *testing.T) {
	provider, err := trysailtest.NewProvider(trysailtest.ProviderConfig{TokenDelay: 4 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	var older atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			older.Add(1)
		}
		provider.ServeHTTP(w, r)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer func() {
		_ = provider.Close()
		server.Close()
	}()
	transport := server.Client().Transport
	r := newRig(t, func(c *gateway.Config) {
		c.Plan = planOf(server.URL + "/v1")
		c.Transport = transport
	})
	m := manners()["openai"]
	for script, want := range map[string]struct{ status, attempts int }{
		"ok": {200, 1}, "500,ok": {200, 2}, "reset,ok": {200, 2}, "reset": {502, 2}, "cut:0,ok": {200, 2}, "401": {401, 1},
	} {
		for _, streamed := range []bool{false, true} {
			body := map[bool]string{false: plainBody, true: streamBody}[streamed]
			got := r.ask(body, script)
			if got.status != want.status || got.header.Get(gateway.AttemptsHeader) != itoa(want.attempts) || got.err != nil {
				t.Errorf("%s, stream %t: status %d after %s attempts, %v; want %d after %d\n%.200s", script, streamed, got.status,
					got.header.Get(gateway.AttemptsHeader), got.err, want.status, want.attempts, got.body)
				continue
			}
			if text, _, err := m.heard(streamed, got.body); want.status == 200 && (text != m.fair(t) || err != nil) {
				t.Errorf("%s, stream %t: %q, %v", script, streamed, text, err)
			}
		}
	}
	if got := r.ask(streamBody, "cut:9"); got.status != 200 || got.err == nil || !strings.Contains(got.body, "stream_interrupted") {
		t.Errorf("a cut: status %d, %v: %s", got.status, got.err, got.body)
	}
	if older.Load() > 0 {
		t.Errorf("%d requests were not HTTP/2", older.Load())
	}
}
