package llm_test

import (
	"bytes"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// sane fails when a verdict promises what none may.
func sane(t *testing.T, v llm.Verdict) {
	t.Helper()
	switch {
	case v.Delay < 0, v.Delay > 366*24*time.Hour, !v.HasDelay && v.Delay != 0:
		t.Errorf("verdict %+v has a wait out of range", v)
	case v.Class > trysail.ClassBadAnswer, !v.Failed && (v.Class != 0 || v.Retryable || v.Scope != "" || v.Reason != ""):
		t.Errorf("verdict %+v is of no class", v)
	case v.Failed && (v.Scope == "" || v.Reason == ""):
		t.Errorf("verdict %+v says neither scope nor reason", v)
	case v.Retryable && v.Class != trysail.ClassTransient && v.Class != trysail.ClassRateLimited && v.Class != trysail.ClassOverloaded:
		t.Errorf("verdict %+v retries what cannot help", v)
	case len(v.Reason) > 64, len(v.RequestID) > 1<<16:
		t.Errorf("verdict %+v is too long for a label", v)
	}
}

func FuzzClassify(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(string(v.Provider), v.Status, v.Headers["retry-after"], v.Event, []byte(v.Body), v.Kind == "stream")
	}
	f.Add("", 0, "1e400", "", []byte(`{"error":{"error":{"error":{"error":{"error":`), true)
	f.Add("gemini", 429, "", "", []byte(`[[[[[[[[[[[[[[[[[[{"error":"\u00`), false)
	f.Fuzz(func(t *testing.T, provider string, status int, after, event string, body []byte, stream bool) {
		h := http.Header{"Retry-After": {after}, "X-Ratelimit-Reset": {after}, "X-Amzn-Errortype": {event}}
		r := llm.Response{Provider: llm.Provider(provider), Status: status, Header: h, Body: body, Stream: stream, Event: event}
		before := bytes.Clone(body)
		v := llm.Classify(r)
		sane(t, v)
		if !bytes.Equal(body, before) {
			t.Error("Classify changed the body")
		}
		sane(t, llm.ClassifyError(t.Context(), r.Provider, errors.New(string(body))))
	})
}

// FuzzWaits reads the headers and the words that tell a wait.
func FuzzWaits(f *testing.F) {
	for _, seed := range []string{"6m0s", "7m3.36s", "45 seconds", "12ms", "-1", "0", "1e400", "1795435215000", "1795435215", "2024-03-26T20:00:00Z", "NaN", "..", "1.2.3s", "9999999999999999999h"} {
		f.Add(seed, "Sun, 01 Mar 2026 12:00:00 GMT")
	}
	f.Fuzz(func(t *testing.T, wait, date string) {
		h := http.Header{
			"Date": {date}, "X-Ratelimit-Remaining-Tokens": {"0"}, "X-Ratelimit-Reset-Tokens": {wait},
			"Anthropic-Ratelimit-Requests-Remaining": {"0"}, "Anthropic-Ratelimit-Requests-Reset": {wait},
		}
		sane(t, llm.Classify(llm.Response{Status: 429, Header: h}))
		sane(t, llm.Classify(llm.Response{Status: 429, Body: []byte(openAI("", "", "Please try again in "+wait))}))
		sane(t, llm.Classify(llm.Response{Status: 429, Body: []byte(google(429, "", "", `{"retryDelay":"`+wait+`"}`))}))
		sane(t, llm.Classify(llm.Response{Status: 503, Body: []byte(`{"error":"x","estimated_time":` + wait + `}`)}))
	})
}

// Hostile bodies cost no more than their first 64 KiB: neither time nor memory grow with
// the rest, nor does anything recurse with the nesting.
func TestHostileBodies(t *testing.T) {
	const size = 8 << 20
	for name, body := range map[string]string{
		"nested objects":    strings.Repeat(`{"error":`, size/9),
		"nested arrays":     strings.Repeat(`[`, size),
		"open and unknown":  strings.Repeat(`{"a":[`, size/6),
		"many keys":         `{"error":{` + strings.Repeat(`"code":"x",`, size/11),
		"escapes":           `{"error":{"message":"` + strings.Repeat(`\\\"`, size/4),
		"quotes":            strings.Repeat(`"`, size),
		"a long message":    `{"error":{"message":"` + strings.Repeat(`try again in `, size/13),
		"colons and commas": strings.Repeat(`,:`, size/2),
		"zero bytes":        strings.Repeat("\x00", size),
	} {
		t.Run(name, func(t *testing.T) {
			r := llm.Response{Status: 429, Body: []byte(body)}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			sane(t, llm.Classify(r))
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 64<<10 || took > time.Second {
				t.Errorf("Classify took %v and %d bytes, want less than 64 KiB", took, used)
			}
		})
	}
}
