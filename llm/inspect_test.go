package llm_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/llm"
)

// frames turns JSON documents into an event stream.
func frames(data ...string) string {
	return "data: " + strings.Join(data, "\n\ndata: ") + "\n\n"
}

const (
	role   = `{"model":"m-1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}`
	token  = `{"model":"m-1","choices":[{"index":0,"delta":{"content":" hi"},"finish_reason":null}]}`
	finish = `{"model":"m-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`
)

func TestChatStreams(t *testing.T) {
	for name, tc := range map[string]struct {
		stream  string
		started bool
		ended   bool
		end     error // matched by errors.Is; errInBand stands for any InBandError
	}{
		"nothing came":                     {"", false, false, llm.ErrTruncated},
		"a role is not content":            {frames(role), false, false, llm.ErrTruncated},
		"keep-alives are not content":      {": keep-alive\n\n: keep-alive\n\n", false, false, llm.ErrTruncated},
		"a token starts it":                {frames(role, token), true, false, llm.ErrTruncated},
		"complete":                         {frames(role, token, finish, "[DONE]"), true, true, nil},
		"complete without the marker":      {frames(role, token, finish), true, true, nil},
		"the marker alone proves nothing":  {frames(role, token, "[DONE]"), true, false, llm.ErrTruncated},
		"complete and empty":               {frames(role, finish, "[DONE]"), true, true, nil},
		"usage after the finish":           {frames(role, token, finish, `{"choices":[],"usage":{"total_tokens":3}}`, "[DONE]"), true, true, nil},
		"an error at once":                 {frames(`{"error":{"type":"server_error","code":"x","message":"busy"}}`), false, false, errInBand},
		"an error that is a string":        {frames(`{"error":"busy"}`), false, false, errInBand},
		"an error after tokens, then DONE": {frames(role, token, `{"error":{"message":"gone","code":500}}`, "[DONE]"), true, false, errInBand},
		"finished with an error":           {frames(role, token, `{"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}`), true, false, errInBand},
		"the word error in a text":         {frames(role, token, strings.Replace(token, " hi", `an \"error\"`, 1), finish), true, true, nil},
		"error null is none":               {frames(strings.Replace(token, `"model"`, `"error":null,"model"`, 1), finish), true, true, nil},
		"a tool call is content":           {frames(role, `{"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}`), true, false, llm.ErrTruncated},
		"no tool calls are none":           {frames(`{"choices":[{"delta":{"tool_calls":[]}}]}`), false, false, llm.ErrTruncated},
		"reasoning is content":             {frames(role, `{"choices":[{"delta":{"reasoning_content":"hm"}}]}`), true, false, llm.ErrTruncated},
		"content that is a list":           {frames(`{"choices":[{"delta":{"content":[{"type":"text","text":"hi"}]}}]}`, finish), true, true, nil},
		"an empty list at the end":         {frames(role, token, `{"choices":[{"delta":{"content":[]},"finish_reason":"stop"}]}`), true, true, nil},
		"the end of a later choice":        {frames(role, token, `{"choices":[{"index":1,"finish_reason":null},{"index":0,"finish_reason":"stop"}]}`), true, true, nil},
		"an event without data":            {"data:\n\n" + frames(role, token, finish), true, true, nil},
		"an error after the end of all":    {frames(role, token, finish, "[DONE]", `{"error":{"message":"late"}}`), true, true, nil},
		"not JSON before the first token":  {frames("<html>"), false, false, llm.ErrNotJSON},
		"one bad event among good ones":    {frames(role, token, `{"error":`, finish), true, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			for size := 1; size <= len(tc.stream)+1; size += 7 {
				i := feed(tc.stream, size, llm.OpenAIChat)
				if p := i.Progress(); p.Started != tc.started || p.Ended != tc.ended || !matches(i.End(), tc.end) {
					t.Errorf("in pieces of %d: started %t, ended %t, End() = %v; want %t, %t, %v",
						size, p.Started, p.Ended, i.End(), tc.started, tc.ended, tc.end)
				}
			}
		})
	}
}

func TestResponsesStreams(t *testing.T) {
	created := `{"type":"response.created","response":{"model":"m-1"}}`
	delta := `{"type":"response.output_text.delta","delta":"hi"}`
	for name, tc := range map[string]struct {
		stream  string
		started bool
		end     error
	}{
		"created is not content": {frames(created), false, llm.ErrTruncated},
		"a delta is":             {frames(created, delta), true, llm.ErrTruncated},
		"completed":              {frames(created, delta, `{"type":"response.completed","response":{}}`), true, nil},
		"incomplete is an end":   {frames(created, delta, `{"type":"response.incomplete","response":{"incomplete_details":{"reason":"max_output_tokens"}}}`), true, nil},
		"failed":                 {frames(created, `{"type":"response.failed","response":{"error":{"code":"server_error","message":"x"}}}`), false, errInBand},
		"a flat error":           {frames(created, `{"type":"error","code":"x","message":"y"}`), false, errInBand},
		"a nested error":         {frames(created, delta, `{"type":"error","error":{"message":"y"}}`), true, errInBand},
		"not JSON":               {frames("oops"), false, llm.ErrNotJSON},
		"named deltas":           {"event: a.delta\n" + frames(delta) + "event: response.output_text.delta\n" + frames(delta), true, llm.ErrTruncated},
	} {
		t.Run(name, func(t *testing.T) {
			i := feed(tc.stream, 11, llm.OpenAIResponses)
			if p := i.Progress(); p.Started != tc.started || !matches(i.End(), tc.end) {
				t.Errorf("started %t, End() = %v; want %t, %v", p.Started, i.End(), tc.started, tc.end)
			}
		})
	}
}

func TestOtherEventsPassAsTheyAre(t *testing.T) {
	i := feed("data: anything\n\n", 4, llm.OtherEvents)
	if !i.Progress().Started || i.End() != nil {
		t.Errorf("started %t, End() = %v; want true, nil", i.Progress().Started, i.End())
	}
}

// allProtocols are those that exist, and one that does not.
func allProtocols() (all []llm.Protocol) {
	for p := llm.OpenAIChat; p <= llm.CohereEvents+1; p++ {
		all = append(all, p)
	}
	return all
}

func FuzzInspector(f *testing.F) {
	f.Add(frames(role, token, finish, "[DONE]"), 5)
	f.Add(frames(`{"error":[]}`, "{", "[DONE]"), 1)
	f.Add(frames(`{"type":"response.output_text.delta","delta":"hi"}`, `{"type":"response.completed","response":{}}`), 3)
	f.Add(named(anStart, anPing, anText, anDelta, anStop), 9)
	f.Add(frames(geText, geStop)+geError, 2)
	f.Add(array(geText, geStop), 7)
	f.Add(" {\"a\":\"\\\\\\\"]\"}", 1)
	f.Add("\xef\xbb\xbf[[\"\\\"]\"],{}] ", 1)
	f.Add(ndjson(olText, olDone), 4)
	f.Add(named(coStart, coText, coEnd), 6)
	f.Fuzz(func(t *testing.T, stream string, size int) {
		size = max(1, min(size, 1<<16))
		for _, protocol := range allProtocols() {
			a, b := feed(stream, size, protocol), feed(stream, max(1, len(stream)), protocol)
			if fmt.Sprint(a.Progress()) != fmt.Sprint(b.Progress()) {
				t.Errorf("%v: pieces of %d give %+v, the whole gives %+v", protocol, size, a.Progress(), b.Progress())
			}
			if a.Progress().Err == nil && a.Whole() != b.Whole() {
				t.Errorf("%v: pieces of %d have %d whole bytes, the whole has %d", protocol, size, a.Whole(), b.Whole())
			}
			endA, endB := fmt.Sprint(a.End()), fmt.Sprint(b.End())
			if endA != endB || fmt.Sprint(a.Progress()) != fmt.Sprint(b.Progress()) {
				t.Errorf("%v: pieces of %d end with %s, the whole with %s", protocol, size, endA, endB)
			}
			if again := fmt.Sprint(a.End()); again != endA || fmt.Sprint(a.Progress()) != fmt.Sprint(b.Progress()) {
				t.Errorf("%v: the second End() = %s and %+v, the first was %s and %+v", protocol, again, a.Progress(), endA, b.Progress())
			}
		}
	})
}

func ExampleInspector() {
	var i llm.Inspector
	_ = i.Feed([]byte(frames(role)))
	fmt.Println(i.Progress().Started)
	_ = i.Feed([]byte(frames(token)))
	fmt.Println(i.Progress().Started, i.End())
	// Output:
	// false
	// true stream ended before it was complete
}

func ExampleInBandError() {
	var i llm.Inspector
	fmt.Println(i.Feed([]byte(frames(`{"error":{"type":"server_error","code":"busy","message":"Try later."}}`))))
	// Output: error inside the stream: Try later. (type "server_error", code "busy")
}

var errInBand = errors.New("any InBandError")

func matches(got, want error) bool {
	if want == errInBand { //nolint:errorlint // a marker of this test
		var e *llm.InBandError
		return errors.As(got, &e)
	}
	return errors.Is(got, want)
}

func feed(stream string, size int, protocol llm.Protocol) *llm.Inspector {
	i := &llm.Inspector{Protocol: protocol}
	for piece := range slices.Chunk([]byte(stream), size) {
		if i.Feed(slices.Clone(piece)) != nil {
			break
		}
	}
	return i
}

// With several answers the first end is not the end of the stream.
func TestEveryChoiceMustEnd(t *testing.T) {
	second := `{"choices":[{"index":1,"delta":{},"finish_reason":"length"}]}`
	i := &llm.Inspector{Choices: 2}
	_ = i.Feed([]byte(frames(role, token, finish)))
	if err := i.End(); !errors.Is(err, llm.ErrTruncated) {
		t.Errorf("after one of two ends: End() = %v, want ErrTruncated", err)
	}
	_ = i.Feed([]byte(frames(second)))
	if err := i.End(); err != nil {
		t.Errorf("after both ends: End() = %v, want nil", err)
	}
}

func TestEmptyDeltasAreNoTokens(t *testing.T) {
	i := feed(frames(role, token, `{"choices":[{"delta":{"content":""}}]}`, `{"choices":[{"delta":{}}]}`, token), 9, llm.OpenAIChat)
	if p := i.Progress(); p.Tokens != 2 || p.Events != 5 {
		t.Errorf("%d tokens in %d events, want 2 in 5", p.Tokens, p.Events)
	}
}

func TestErrorInside(t *testing.T) {
	for name, tc := range map[string]struct {
		body string
		want error
	}{
		"a good answer":         {`{"choices":[{"message":{"content":"an \"error\""}}]}`, nil},
		"error null":            {`{"error":null,"choices":[{}]}`, nil},
		"an error at the top":   {`{"error":{"code":502,"message":"gone"}}`, errInBand},
		"an error of a choice":  {`{"choices":[{"error":{"message":"gone"}}]}`, errInBand},
		"a list with the error": {`[{"error":{}}]`, nil},
		"not JSON":              {`"error"`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := llm.ErrorInside([]byte(tc.body)); !matches(got, tc.want) {
				t.Errorf("ErrorInside(%s) = %v, want %v", tc.body, got, tc.want)
			}
		})
	}
}
