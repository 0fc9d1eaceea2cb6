package sse_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tmaxmax/go-sse"

	"github.com/trysail-go/trysail/llm"
)

// theirs returns the events that go-sse finds. It also reports events that have a name or an id
// and no data, which the standard does not know; they look like those with empty data, so
// both are left out here.
func theirs(t *testing.T, stream string) (events []string) {
	t.Helper()
	for e, err := range sse.Read(strings.NewReader(stream), &sse.ReadConfig{MaxEventSize: llm.MaxLine}) {
		if err != nil {
			t.Fatalf("go-sse: %v", err)
		}
		if e.Data != "" {
			events = append(events, fmt.Sprintf("%q %q", e.Type, e.Data))
		}
	}
	return events
}

func ours(t *testing.T, stream string, size int) (events []string) {
	t.Helper()
	var p llm.Parser
	for piece := range slices.Chunk([]byte(stream), max(size, 1)) {
		if err := p.Feed(slices.Clone(piece), func(e llm.Event) bool {
			if len(e.Data) > 0 {
				events = append(events, fmt.Sprintf("%q %q", e.Name, e.Data))
			}
			return true
		}); err != nil {
			t.Fatalf("llm: %v", err)
		}
	}
	return events
}

func FuzzAgreement(f *testing.F) {
	for _, stream := range []string{
		"data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: d\n\r\n\r",
		"\xef\xbb\xbfdata: a\n\n",
		"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n",
		"event: x\ndata: a\ndata: b\ndata\n\ndata: c\n\n",
		"event: x\n\ndata: a\n\n",
		"event: x\nevent\ndata: a\n\n",
		": comment\n: another\nid: 7\x00\nretry: x\ndata:a\n\n",
		"data:  two spaces\n\ndata:\n\ndata\n\n",
		"Data: a\n data: b\ndata : c\nfoo\ndata: d\n\n",
		"data: cut off\n",
		"data: cut off",
		"data: a\n\ndata: \xff\xfe:b\x00\n\n",
		"id: 1\n\nid\n\n: x\n\nretry: 10\n\n\n\n",
	} {
		f.Add(stream, 3)
	}
	f.Fuzz(func(t *testing.T, stream string, size int) {
		want := theirs(t, stream)
		for _, size := range []int{size, 1, len(stream)} {
			if got := ours(t, stream, size); !slices.Equal(got, want) {
				t.Errorf("%q in pieces of %d\n got %q\nwant %q", stream, size, got, want)
			}
		}
	})
}
