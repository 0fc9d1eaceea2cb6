package llm_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/llm"
)

// parse feeds stream in pieces of the given size and returns the events as text.
func parse(t *testing.T, stream string, size int) (events []string, whole int64, err error) {
	t.Helper()
	var p llm.Parser
	for piece := range slices.Chunk([]byte(stream), size) {
		if err := p.Feed(bytes.Clone(piece), func(e llm.Event) bool {
			events = append(events, fmt.Sprintf("%s|%s", e.Name, e.Data))
			return true
		}); err != nil {
			return events, p.Whole(), err
		}
	}
	return events, p.Whole(), nil
}

func TestParser(t *testing.T) {
	for name, tc := range map[string]struct {
		stream string
		want   []string
		rest   string // what is not whole
	}{
		"nothing":                   {"", nil, ""},
		"one event":                 {"data: a\n\n", []string{"|a"}, ""},
		"CRLF":                      {"data: a\r\n\r\ndata: b\r\n\r\n", []string{"|a", "|b"}, ""},
		"CR":                        {"data: a\r\rdata: b\r\r", []string{"|a", "|b"}, ""},
		"a name":                    {"event: x\ndata: a\n\n", []string{"x|a"}, ""},
		"the name is for one event": {"event: x\ndata: a\n\ndata: b\n\n", []string{"x|a", "|b"}, ""},
		"several data lines":        {"data: a\ndata: b\ndata\n\n", []string{"|a\nb\n"}, ""},
		"no space after the colon":  {"data:a\n\n", []string{"|a"}, ""},
		"one space only is cut":     {"data:  a\n\n", []string{"| a"}, ""},
		"comments and unknown":      {": ping\nid: 7\nretry: 5\nfoo: 1\ndata: a\n\n", []string{"|a"}, ""},
		"a name without data":       {"event: x\n\ndata: a\n\n", []string{"|a"}, ""},
		"a byte order mark":         {"\xef\xbb\xbfdata: a\n\n", []string{"|a"}, ""},
		"the end cuts an event off": {"data: a\n\ndata: b\n", []string{"|a"}, "data: b\n"},
		"the end cuts a line off":   {"data: a\n\ndata: b", []string{"|a"}, "data: b"},
		"a comment is whole":        {"data: a\n\n: ping\n", []string{"|a"}, ""},
		"empty data":                {"data\n\ndata:\n\n", []string{"|", "|"}, ""},
		"mixed line ends":           {"data: a\r\ndata: b\rdata: c\n\r\ndata: d\n\r", []string{"|a\nb\nc", "|d"}, ""},
		"CR and LF are one end":     {"data: a\r\n\rdata: b\n\r\n", []string{"|a", "|b"}, ""},
		"LF and CR are two":         {"data: a\n\rdata: b\n\r", []string{"|a", "|b"}, ""},
		"a later mark is no mark":   {"data: a\n\n\xef\xbb\xbfdata: b\n\n", []string{"|a"}, ""},
		"a mark inside a value":     {"data: \xef\xbb\xbfa\n\n", []string{"|\xef\xbb\xbfa"}, ""},
		"a mark before a blank":     {"\xef\xbb\xbf\n\ndata: a\n\n", []string{"|a"}, ""},
		"half a mark":               {"\xef\xbbdata: a\n\ndata: b\n\n", []string{"|b"}, ""},
		"NUL in an id":              {"id: a\x00b\ndata: a\nid\n\n", []string{"|a"}, ""},
		"names are exact":           {"Data: a\n data: b\ndata : c\ndatas: d\ndata: e\n\n", []string{"|e"}, ""},
		"the last name counts":      {"event: x\nevent: y\nevent\ndata: a\n\n", []string{"|a"}, ""},
		"bytes that are no UTF-8":   {"data: \xff\xfe\n\n", []string{"|\xff\xfe"}, ""},
		"a colon first":             {":data: a\n\n", nil, ""},
		"NUL and colons inside":     {"data: a:b\x00c\n\n", []string{"|a:b\x00c"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for size := 1; size <= len(tc.stream)+1; size++ {
				got, whole, err := parse(t, tc.stream, size)
				if !slices.Equal(got, tc.want) || tc.stream[whole:] != tc.rest || err != nil {
					t.Errorf("in pieces of %d: %q, rest %q, %v; want %q, %q", size, got, tc.stream[whole:], err, tc.want, tc.rest)
				}
			}
		})
	}
}

func TestParserRefusesEndlessEvents(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for name, piece := range map[string]string{
		"one line":   long,
		"many lines": "data: " + long + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			var p llm.Parser
			for fed := 0; ; fed += len(piece) {
				err := p.Feed([]byte(piece), func(llm.Event) bool { return true })
				if errors.Is(err, llm.ErrLineTooLong) {
					return
				}
				if fed > 2*llm.MaxLine || err != nil {
					t.Fatalf("after %d bytes: %v, want ErrLineTooLong", fed, err)
				}
			}
		})
	}
}

// A line may be as long as MaxLine, and one byte over it is refused, however it comes.
func TestLongestLine(t *testing.T) {
	for name, tc := range map[string]struct {
		stream string
		want   error
	}{
		"data as long as allowed": {"data:" + strings.Repeat("x", llm.MaxLine-5) + "\n\n", nil},
		"longer by one":           {"data:" + strings.Repeat("x", llm.MaxLine-4) + "\n\n", llm.ErrLineTooLong},
		"a long comment":          {":" + strings.Repeat("x", llm.MaxLine) + "\n", llm.ErrLineTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{1 << 20, len(tc.stream)} {
				var p llm.Parser
				var err error
				for piece := range slices.Chunk([]byte(tc.stream), size) {
					if err = p.Feed(piece, func(llm.Event) bool { return true }); err != nil {
						break
					}
				}
				if !errors.Is(err, tc.want) {
					t.Errorf("in pieces of %d: %v, want %v", size, err, tc.want)
				}
			}
		})
	}
}

func FuzzParser(f *testing.F) {
	f.Add("data: a\r\n\r\nevent: x\ndata: b\n\n: c\r\rdata", 3)
	f.Fuzz(func(t *testing.T, stream string, size int) {
		size = max(1, min(size, 1<<16))
		inPieces, whole, err := parse(t, stream, size)
		atOnce, wholeAtOnce, err2 := parse(t, stream, max(1, len(stream)))
		if !slices.Equal(inPieces, atOnce) || whole != wholeAtOnce || (err == nil) != (err2 == nil) {
			t.Errorf("pieces of %d give %q, %d, %v; the whole gives %q, %d, %v", size, inPieces, whole, err, atOnce, wholeAtOnce, err2)
		}
		if whole > int64(len(stream)) {
			t.Errorf("Whole() = %d of %d bytes", whole, len(stream))
		}
		// What is called whole gives the same events without the rest.
		if again, _, _ := parse(t, stream[:whole], max(1, len(stream))); !slices.Equal(again, atOnce) {
			t.Errorf("the first %d bytes give %q, all %d give %q", whole, again, len(stream), atOnce)
		}
	})
}

func ExampleParser() {
	var p llm.Parser
	_ = p.Feed([]byte("event: greeting\ndata: hel"), nil)
	_ = p.Feed([]byte("lo\n\n"), func(e llm.Event) bool {
		fmt.Printf("%s: %s\n", e.Name, e.Data)
		return true
	})
	// Output: greeting: hello
}
