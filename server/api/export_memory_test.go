package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/monitor"
	"github.com/trysail-go/trysail/server/api"
)

const million = 1_000_000

// full returns a server whose collector holds n events.
func full(t testing.TB, n int) *httptest.Server {
	t.Helper()
	c, err := monitor.New(monitor.Config{MaxEvents: n, MaxPending: 1_000_000})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		c.RecordPresetUsage(monitor.Subject{Preset: "production", Operation: "load", Session: "s-1"})
		if i%10_000 == 0 {
			c.Newest() // files what waits
		}
	}
	if got := c.Counts(); got.Held != n {
		t.Fatalf("the collector holds %d events, want %d", got.Held, n)
	}
	a, err := api.New(api.Config{Orchestrator: newOrchestrator(t, trysail.Config{}), Monitor: c})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(a.Handler())
	t.Cleanup(server.Close)
	return server
}

// export begins an export over a real connection.
func export(t testing.TB, server *httptest.Server, query string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+monitoringBase+"/export"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("export%s: status %d", query, resp.StatusCode)
	}
	return resp
}

// A million events are exported in 32 MiB at most, however slow the reader is. All that was allocated is counted, garbage
// included, so that neither the collector's turns nor the time matter.
func TestExportTakesLittleMemory(t *testing.T) {
	server := full(t, million)
	for name, query := range map[string]string{
		"lines of JSON": "?stream=true", "lines of CSV": "?stream=true&format=csv", "JSON inside JSON": "", "CSV inside JSON": "?format=csv",
	} {
		t.Run(name, func(t *testing.T) {
			var before, now runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			resp := export(t, server, query)
			buffer := make([]byte, 1<<20)
			var peak, size uint64
			for {
				n, err := io.ReadFull(resp.Body, buffer)
				size += uint64(n)
				runtime.ReadMemStats(&now) // stops the world: a slow reader
				peak = max(peak, now.HeapAlloc)
				if err != nil {
					if err != io.EOF && err != io.ErrUnexpectedEOF {
						t.Fatal(err)
					}
					break
				}
			}
			grew, all := int64(peak)-int64(before.HeapAlloc), now.TotalAlloc-before.TotalAlloc
			t.Logf("%d MB; heap grew by at most %d KiB, %d KiB allocated in all", size/1e6, grew>>10, all>>10)
			if size < 50*million {
				t.Errorf("%d bytes for a million events, want at least 50 for each", size)
			}
			if grew > 32<<20 || all > 32<<20 {
				t.Errorf("the heap grew by %d KiB, %d KiB were allocated; want at most 32 MiB", grew>>10, all>>10)
			}
			if strings.Contains(query, "stream") {
				if got := resp.Trailer.Get("X-Record-Count") + " " + resp.Trailer.Get("X-Missed-Count"); got != fmt.Sprint(million, " ", 0) {
					t.Errorf("trailers %s, want all and none missed", got)
				}
			}
		})
	}
}

// Both forms hold the same text, whatever is in it, and each line of a stream is an event.
func TestExportInsideIsTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, c := observed(t, monitor.Config{})
		for i := range 3000 { // more than one piece of 64 KiB
			odd := fmt.Sprintf("%d \"\\ \r\n\t\x00\x1f\x7f ⛵ \u2028 <b>&", i)
			c.RecordPresetUsage(monitor.Subject{Preset: odd, User: "=" + odd, Metadata: map[string]any{"odd": odd}})
		}
		for _, format := range []string{"csv", "json"} {
			inside := decode[struct {
				Data  string `json:"data"`
				Count int    `json:"record_count"`
			}](t, send(a, get(monitoringBase+"/export?format="+format)))
			stream := send(a, get(monitoringBase+"/export?stream=true&format="+format)).Body.String()
			if format == "json" {
				var events, lines []json.RawMessage
				if err := json.Unmarshal([]byte(inside.Data), &events); err != nil {
					t.Fatal(err)
				}
				for line := range strings.Lines(stream) {
					lines = append(lines, json.RawMessage(strings.TrimSuffix(line, "\n")))
				}
				inside.Data, stream = string(bytes.Join(raw(events), nil)), string(bytes.Join(raw(lines), nil))
			}
			if inside.Data != stream || inside.Count != 3000 {
				t.Errorf("%s: the text inside (%d bytes, %d events) is not that of the stream (%d bytes)", format, len(inside.Data), inside.Count, len(stream))
			}
		}
	})
}

func raw(messages []json.RawMessage) [][]byte {
	var all [][]byte
	for _, m := range messages {
		all = append(all, m)
	}
	return all
}

// A reader that stops reading is let go after 30 seconds, and half an export is not taken for a whole one.
func TestExportToAStalledReaderBreaksOff(t *testing.T) {
	follow(t, monitor.Config{}, func(t *testing.T, p *piped, c *monitor.Collector) {
		for range 5000 {
			use(c, "simple")
		}
		one := p.ask(t, monitoringBase+"/export?stream=true", nil)
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			_, err := io.Copy(io.Discard, bufio.NewReader(slowReader{one.resp.Body}))
			if err == nil {
				t.Error("the export broke off, and looks whole")
			}
		}()
		<-gone
	})
}

// A slowReader takes 31 seconds for each read.
type slowReader struct{ io.Reader }

// Read implements [io.Reader].
func (r slowReader) Read(p []byte) (int, error) {
	time.Sleep(31 * time.Second)
	return r.Reader.Read(p)
}

// An export ends with its client: the server does not go on for nobody.
func TestExportEndsWithItsClient(t *testing.T) {
	a, c := observed(t, monitor.Config{})
	use(c, "simple")
	ctx, leave := context.WithCancel(t.Context())
	leave()
	r := httptest.NewRequest(http.MethodGet, monitoringBase+"/export?stream=true", nil).WithContext(ctx)
	r.Header.Set("X-API-Key", key)
	defer func() {
		if v := recover(); v != http.ErrAbortHandler { //nolint:errorlint // a panic has no chain
			t.Errorf("the handler ended with %v, want it to cut the connection", v)
		}
	}()
	a.Handler().ServeHTTP(httptest.NewRecorder(), r)
}

func BenchmarkExport(b *testing.B) {
	server := full(b, million)
	for name, query := range map[string]string{"ndjson": "?stream=true", "csv": "?stream=true&format=csv", "json": ""} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := io.Copy(io.Discard, export(b, server, query).Body); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(million*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
