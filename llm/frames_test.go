package llm_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/llm"
)

// named turns typed JSON documents into an event stream with names.
func named(data ...string) string {
	var b strings.Builder
	for _, d := range data {
		_, kind, _ := strings.Cut(d, `"type":"`)
		kind, _, _ = strings.Cut(kind, `"`)
		fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", kind, d)
	}
	return b.String()
}

// ndjson turns JSON documents into lines.
func ndjson(docs ...string) string { return strings.Join(docs, "\n") + "\n" }

// array turns JSON documents into an array, as Gemini spaces it.
func array(docs ...string) string { return "[" + strings.Join(docs, "\n,\r\n") + "\n]\n" }

// A streamCase is a stream and how it must be taken.
type streamCase struct {
	stream  string
	started bool
	end     error // matched by errors.Is; errInBand stands for any InBandError
	tokens  int
}

func checkStreams(t *testing.T, protocol llm.Protocol, cases map[string]streamCase) {
	t.Helper()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for size := 1; size <= len(tc.stream)+1; size += 1 + size/8 {
				i := feed(tc.stream, size, protocol)
				end := i.End()
				if p := i.Progress(); p.Started != tc.started || p.Tokens != tc.tokens || !matches(end, tc.end) {
					t.Fatalf("in pieces of %d: started %t, %d tokens, End() = %v; want %t, %d, %v",
						size, p.Started, p.Tokens, end, tc.started, tc.tokens, tc.end)
				}
			}
		})
	}
}

const (
	anStart = `{"type":"message_start","message":{"model":"claude-x","usage":{"input_tokens":25,"cache_read_input_tokens":7,"cache_creation_input_tokens":3,"output_tokens":1}}}`
	anBlock = `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`
	anPing  = `{"type":"ping"}`
	anText  = `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}`
	anBlank = `{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":""}}`
	anClose = `{"type":"content_block_stop","index":0}`
	anDelta = `{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":15}}`
	anStop  = `{"type":"message_stop"}`
	anError = `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`
)

func TestAnthropicStreams(t *testing.T) {
	checkStreams(t, llm.AnthropicMessages, map[string]streamCase{
		"complete":                        {named(anStart, anBlock, anPing, anText, anClose, anDelta, anStop), true, nil, 4},
		"complete and empty":              {named(anStart, anDelta, anStop), true, nil, 1},
		"the start is no content":         {named(anStart, anBlock), false, llm.ErrTruncated, 0},
		"pings are no content":            {named(anStart, anPing, anPing), false, llm.ErrTruncated, 0},
		"an empty delta is no content":    {named(anStart, anBlank), false, llm.ErrTruncated, 0},
		"pings are no progress":           {named(anStart, anText, anPing, anPing, anBlank), true, llm.ErrTruncated, 1},
		"a block's start is progress":     {named(anStart, anText, anClose, anBlock), true, llm.ErrTruncated, 3},
		"a stop reason is no end":         {named(anStart, anText, anDelta), true, llm.ErrTruncated, 2},
		"an error at once":                {named(anError), false, errInBand, 0},
		"an error after tokens":           {named(anStart, anText, anError), true, errInBand, 1},
		"the type is in the data":         {frames(anStart, anText, anStop), true, nil, 2},
		"or only in the name":             {"event: message_stop\ndata: {}\n\n", true, nil, 1},
		"the type after the rest":         {frames(`{"delta":{"text":"a"},"type":"content_block_delta"}`, anStop), true, nil, 2},
		"thinking and tool calls count":   {named(`{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"hm"}}`, `{"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{"}}`), true, llm.ErrTruncated, 2},
		"a delta that nobody knows":       {named(`{"type":"content_block_delta","delta":{"type":"new_delta","new":{"x":1}}}`), true, llm.ErrTruncated, 1},
		"nothing follows message_stop":    {named(anText, anStop, anError), true, nil, 2},
		"an error cut off before its end": {named(anText) + "event: error\ndata: " + anError, true, errInBand, 1},
		"an end cut off before its end":   {named(anText) + "data: " + anStop, true, nil, 2},
		"frames of another protocol":      {frames(role, token, finish, "[DONE]"), false, llm.ErrTruncated, 0},
	})
}

const (
	geText  = `{"candidates":[{"content":{"parts":[{"text":"Hello"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":5,"totalTokenCount":6},"modelVersion":"gemini-x"}`
	geBlank = `{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"abc"}]}}]}`
	geStop  = `{"candidates":[{"content":{"parts":[{"text":"."}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":5,"cachedContentTokenCount":2,"candidatesTokenCount":9,"thoughtsTokenCount":30,"toolUsePromptTokenCount":4}}`
	geBlock = `{"promptFeedback":{"blockReason":"SAFETY"}}`
	geError = `{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}`
)

func TestGeminiStreams(t *testing.T) {
	pretty := "{\n  \"error\": {\n    \"code\": 429,\n    \"message\": \"quota: \\\"x\\\"\",\n    \"status\": \"RESOURCE_EXHAUSTED\"\n  }\n}\n"
	checkStreams(t, llm.GeminiEvents, map[string]streamCase{
		"complete":                      {frames(geText, geText, geStop), true, nil, 3},
		"cut off":                       {frames(geText), true, llm.ErrTruncated, 1},
		"an empty part is no content":   {frames(geBlank), false, llm.ErrTruncated, 0},
		"a thought is":                  {frames(`{"candidates":[{"content":{"parts":[{"text":"hm","thought":true}]}}]}`), true, llm.ErrTruncated, 1},
		"a function call is":            {frames(`{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}}]}}]}`), true, llm.ErrTruncated, 1},
		"a blocked prompt is an end":    {frames(geBlock), true, nil, 1},
		"no reason is none":             {frames(`{"promptFeedback":{"blockReason":"BLOCK_REASON_UNSPECIFIED"},"candidates":[{"finishReason":"FINISH_REASON_UNSPECIFIED"}]}`), false, llm.ErrTruncated, 0},
		"an error":                      {frames(geError), false, errInBand, 0},
		"an error after tokens":         {frames(geText, geError), true, errInBand, 1},
		"an error in a list":            {frames("[" + geError + "]"), false, errInBand, 0},
		"an error as it is":             {geError, false, errInBand, 0},
		"as it is after tokens":         {frames(geText) + geError + "\n", true, errInBand, 1},
		"as it is over several lines":   {frames(geText) + pretty, true, errInBand, 1},
		"a list of it as it is":         {"[" + pretty + "]", false, errInBand, 0},
		"CRLF":                          {strings.ReplaceAll(frames(geText, geStop), "\n", "\r\n"), true, nil, 2},
		"a web page":                    {"<html>\n<body>\n", false, llm.ErrTruncated, 0},
		"a reason in each event":        {frames(geStop, geStop, geStop), true, nil, 3},
		"a marker that others send":     {frames(geText, geStop, "[DONE]"), true, nil, 2},
		"JSON that is cut off":          {frames(`{"candidates":[{"content"`), false, llm.ErrNotJSON, 0},
		"cut off JSON after tokens":     {frames(geText, `{"candidates":[{"content"`, geStop), true, nil, 2},
		"nothing":                       {"", false, llm.ErrTruncated, 0},
		"a number instead of an object": {frames("5", `"x"`, "null", "true", "[]", "[1,[2]]"), false, llm.ErrTruncated, 0},
	})
}

func TestGeminiArrays(t *testing.T) {
	checkStreams(t, llm.GeminiArray, map[string]streamCase{
		"complete":                          {array(geText, geText, geStop), true, nil, 3},
		"compact":                           {"[" + geText + "," + geStop + "]", true, nil, 2},
		"a byte order mark":                 {"\xef\xbb\xbf" + array(geStop), true, nil, 1},
		"the bracket is missing":            {"[" + geText + "," + geStop, true, llm.ErrTruncated, 2},
		"the reason is missing":             {array(geText), true, llm.ErrTruncated, 1},
		"cut off in an element":             {"[" + geText + "," + geStop[:40], true, llm.ErrTruncated, 1},
		"brackets and quotes in a text":     {array(strings.Replace(geText, "Hello", `]}\"[{\\`, 1), geStop), true, nil, 2},
		"an error":                          {array(geError), false, errInBand, 0},
		"an error after tokens":             {array(geText, geError), true, errInBand, 1},
		"an object is its only element":     {" " + geError + "\n", false, errInBand, 0},
		"a complete object":                 {geStop, true, nil, 1},
		"an empty array":                    {"[]", false, llm.ErrTruncated, 0},
		"elements that are no objects":      {`[1, "]", null, ` + geStop + "]", true, nil, 1},
		"nothing follows the bracket":       {array(geStop) + geError, true, nil, 1},
		"garbage":                           {"garbage", false, llm.ErrNotJSON, 0},
		"garbage inside":                    {"[{garbage}]", false, llm.ErrNotJSON, 0},
		"an event stream":                   {frames(geText), false, llm.ErrNotJSON, 0},
		"an array in the array":             {"[[" + geText + "]," + geStop + "]", true, nil, 2},
		"brackets that do not match":        {"[{]]", false, llm.ErrNotJSON, 0},
		"a closing bracket of another kind": {"[}", false, llm.ErrTruncated, 0},
	})
}

const (
	olText  = `{"model":"llama-x","message":{"role":"assistant","content":"Hi"},"done":false}`
	olBlank = `{"model":"llama-x","message":{"role":"assistant","content":""},"done":false}`
	olDone  = `{"model":"llama-x","message":{"content":""},"done":true,"done_reason":"stop","prompt_eval_count":11,"eval_count":18,"eval_duration":4709213000}`
	olError = `{"error":"model runner has unexpectedly stopped"}`
)

func TestOllamaStreams(t *testing.T) {
	checkStreams(t, llm.OllamaLines, map[string]streamCase{
		"complete":                   {ndjson(olText, olText, olDone), true, nil, 3},
		"of api/generate":            {ndjson(`{"response":"Hi","done":false}`, `{"response":"","done":true}`), true, nil, 2},
		"CRLF and a byte order mark": {"\xef\xbb\xbf" + olText + "\r\n\r\n" + olDone + "\r\n", true, nil, 2},
		"no line end at the end":     {olText + "\n" + olDone, true, nil, 2},
		"cut off":                    {ndjson(olText), true, llm.ErrTruncated, 1},
		"cut off in a line":          {ndjson(olText) + olDone[:50], true, llm.ErrTruncated, 1},
		"the first line is cut off":  {olText[:30], false, llm.ErrTruncated, 0},
		"empty texts are no content": {ndjson(olBlank, olBlank), false, llm.ErrTruncated, 0},
		"thinking is":                {ndjson(`{"message":{"thinking":"hm","content":""},"done":false}`), true, llm.ErrTruncated, 1},
		"a tool call is":             {ndjson(`{"message":{"content":"","tool_calls":[{"function":{"name":"f"}}]},"done":false}`), true, llm.ErrTruncated, 1},
		"an error":                   {ndjson(olError), false, errInBand, 0},
		"an error without line end":  {olError, false, errInBand, 0},
		"an error after tokens":      {ndjson(olText, olError), true, errInBand, 1},
		"garbage":                    {"garbage\n", false, llm.ErrNotJSON, 0},
		"an event stream":            {frames(token), false, llm.ErrNotJSON, 0},
		"one bad line":               {ndjson(olText, `{"mess`, olDone), true, nil, 2},
		"blank lines":                {"\n\n \n" + ndjson(olDone), true, nil, 1},
		"nothing follows done":       {ndjson(olText, olDone, olError), true, nil, 2},
	})
}

const (
	coStart = `{"type":"message-start","id":"x","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[]}}}`
	coBegin = `{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}`
	coText  = `{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Hi"}}}}`
	coBlank = `{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":""}}}}`
	coEnd   = `{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":3,"output_tokens":4},"tokens":{"input_tokens":66,"output_tokens":4}}}}`
	coError = `{"type":"message-end","delta":{"finish_reason":"ERROR","error":"generation failed"}}`
)

func TestCohereStreams(t *testing.T) {
	checkStreams(t, llm.CohereEvents, map[string]streamCase{
		"complete":                {named(coStart, coBegin, coText, `{"type":"content-end","index":0}`, coEnd), true, nil, 3},
		"with a marker":           {named(coText, coEnd) + frames("[DONE]"), true, nil, 2},
		"complete and empty":      {named(coStart, coEnd), true, nil, 1},
		"cut off":                 {named(coStart, coText), true, llm.ErrTruncated, 1},
		"the start is no content": {named(coStart, coBegin, coBlank), false, llm.ErrTruncated, 0},
		"a tool plan is":          {named(`{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"I will"}}}`), true, llm.ErrTruncated, 1},
		"a tool call is":          {named(`{"type":"tool-call-start","delta":{"message":{"tool_calls":{"function":{"name":"f"}}}}}`), true, llm.ErrTruncated, 1},
		"thinking is":             {named(`{"type":"content-delta","delta":{"message":{"content":{"thinking":"hm"}}}}`), true, llm.ErrTruncated, 1},
		"an error at the end":     {named(coStart, coText, coError), true, errInBand, 1},
		"an error at once":        {named(coError), false, errInBand, 0},
		"an error without a type": {frames(`{"message":"too many requests"}`), false, errInBand, 0},
	})
}

// What others make of chat completions.
func TestChatDialects(t *testing.T) {
	checkStreams(t, llm.OpenAIChat, map[string]streamCase{
		"vLLM: an error, then the marker":             {frames(role, token, `{"error":{"message":"oops","type":"InternalServerError","param":null,"code":500}}`, "[DONE]"), true, errInBand, 1},
		"vLLM: a flat error":                          {frames(`{"object":"error","message":"oops","type":"BadRequestError","param":null,"code":400}`, "[DONE]"), false, errInBand, 0},
		"vLLM: spaces after the colons":               {frames(strings.ReplaceAll(role, `":`, `": `), strings.ReplaceAll(token, `":`, `": `), strings.ReplaceAll(finish, `":`, `": `)), true, nil, 2},
		"TGI: an error that is a string":              {frames(token, `{"error":"Request failed during generation","error_type":"generation"}`), true, errInBand, 1},
		"TGI: its own stream":                         {frames(`{"token":{"id":1,"text":"a"},"generated_text":null,"details":null}`, `{"token":{"id":2,"text":"b"},"generated_text":"ab","details":{"finish_reason":"eos_token","generated_tokens":2}}`), true, nil, 2},
		"OpenRouter: comments, then tokens":           {": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n" + frames(token, finish, "[DONE]"), true, nil, 2},
		"OpenRouter: an error beside the choices":     {frames(token, `{"error":{"code":502,"message":"gone"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}`), true, errInBand, 1},
		"OpenRouter: an error in a choice":            {frames(token, `{"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error","error":{"code":502,"message":"gone"}}]}`), true, errInBand, 1},
		"DeepSeek: keep-alives only":                  {": keep-alive\n\n: keep-alive\n\n", false, llm.ErrTruncated, 0},
		"DeepSeek: no capacity in the middle":         {frames(token, strings.Replace(finish, "stop", "insufficient_system_resource", 1), "[DONE]"), true, errInBand, 1},
		"Ollama: a swallowed error":                   {frames(role, token, `{"id":"x","model":"","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}`), true, llm.ErrTruncated, 1},
		"Ollama: a swallowed error at once":           {frames(`{"id":"x","model":"","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}`), false, llm.ErrTruncated, 0},
		"Azure: a filter's verdict first":             {frames(`{"choices":[],"model":"","prompt_filter_results":[{"prompt_index":0}]}`, token, finish), true, nil, 2},
		"padding is no content":                       {frames(`{"choices":[{"index":0,"delta":{"content":""},"finish_reason":null}],"obfuscation":"aBcD"}`), false, llm.ErrTruncated, 0},
		"Gemini's compatible one: an error in a list": {frames("[" + geError + "]"), false, errInBand, 0},
		"an error as a body":                          {`{"error":{"message":"no such model"}}`, false, errInBand, 0},
		"an error in the event that was cut off":      {frames(token) + `data: {"error":{"message":"gone"}}` + "\n", true, errInBand, 1},
		"a finish in the event that was cut off":      {frames(token) + "data: " + finish + "\n", true, llm.ErrTruncated, 1},
		"a marker that was cut off":                   {frames(token, finish) + "data: [DONE]", true, nil, 2},
		"cut off in a marker":                         {frames(token, finish) + "data: [DO", true, llm.ErrTruncated, 2},
		"escaped keys":                                {frames(`{"choices":[{"delta":{"cont\u0065nt":"x"},"finish_r\u0065ason":"stop"}]}`), true, nil, 1},
		"frames of another protocol":                  {named(anStart, anBlock, anText, anDelta, anStop), false, llm.ErrTruncated, 0},
		"nesting without end":                         {frames(token, strings.Repeat(`{"choices":[`, 5000), finish), true, nil, 2},
	})
}

func TestInBandErrorsTellWhatTheProviderSaid(t *testing.T) {
	for name, tc := range map[string]struct {
		protocol llm.Protocol
		stream   string
		want     llm.InBandError // without Frame
	}{
		"OpenAI":         {llm.OpenAIChat, frames(`{"error":{"type":"server_error","code":"x","message":"a \"b\""}}`), llm.InBandError{Type: "server_error", Code: "x", Message: `a "b"`}},
		"code null":      {llm.OpenAIChat, frames(`{"error":{"type":"server_error","code":null,"message":"m"}}`), llm.InBandError{Type: "server_error", Message: "m"}},
		"vLLM flat":      {llm.OpenAIChat, frames(`{"object":"error","message":"m","type":"BadRequestError","code":400}`), llm.InBandError{Type: "BadRequestError", Code: "400", Message: "m"}},
		"TGI":            {llm.OpenAIChat, frames(`{"error":"m","error_type":"generation"}`), llm.InBandError{Type: "generation", Message: "m"}},
		"DeepSeek":       {llm.OpenAIChat, frames(strings.Replace(finish, "stop", "insufficient_system_resource", 1)), llm.InBandError{Type: "server_error", Code: "insufficient_system_resource", Message: "the provider ran out of capacity in the middle of the answer"}},
		"flat responses": {llm.OpenAIResponses, frames(`{"type":"error","code":"c","message":"m"}`), llm.InBandError{Type: "error", Code: "c", Message: "m"}},
		"failed":         {llm.OpenAIResponses, frames(`{"type":"response.failed","response":{"error":{"code":"rate_limit_exceeded","message":"m"}}}`), llm.InBandError{Type: "response.failed", Code: "rate_limit_exceeded", Message: "m"}},
		"Anthropic":      {llm.AnthropicMessages, named(anError), llm.InBandError{Type: "overloaded_error", Message: "Overloaded"}},
		"Gemini":         {llm.GeminiArray, array(geError), llm.InBandError{Type: "UNAVAILABLE", Code: "503", Message: "The model is overloaded."}},
		"Ollama":         {llm.OllamaLines, ndjson(olError), llm.InBandError{Message: "model runner has unexpectedly stopped"}},
		"Cohere":         {llm.CohereEvents, named(coError), llm.InBandError{Type: "ERROR", Message: "generation failed"}},
	} {
		t.Run(name, func(t *testing.T) {
			i := feed(tc.stream, 7, tc.protocol)
			var got *llm.InBandError
			if !errors.As(i.End(), &got) {
				t.Fatalf("End() = %v, want an InBandError", i.End())
			}
			if got.Type != tc.want.Type || got.Code != tc.want.Code || got.Message != tc.want.Message {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
			if len(got.Frame) == 0 || !strings.Contains(tc.stream, string(got.Frame)) {
				t.Errorf("Frame = %q, want the frame of %q", got.Frame, tc.stream)
			}
		})
	}
}

func TestTheFrameOfAnErrorIsBounded(t *testing.T) {
	i := feed(frames(`{"error":{"message":"`+strings.Repeat("x", 1<<20)+`"}}`), 1<<12, llm.OpenAIChat)
	var got *llm.InBandError
	if !errors.As(i.End(), &got) || len(got.Frame) != 64<<10 {
		t.Errorf("a frame of %d bytes is kept, want 64 KiB", len(got.Frame))
	}
}

// No frame grows without bound, whatever it is cut out of.
func TestEndlessFramesAreRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		protocol llm.Protocol
		begin    string
	}{
		"an event":                {llm.OpenAIChat, "data: "},
		"a line":                  {llm.OllamaLines, `{"response":"`},
		"an element":              {llm.GeminiArray, `[{"text":"`},
		"an object in no array":   {llm.GeminiArray, `{"text":"`},
		"brackets without number": {llm.GeminiArray, "[" + strings.Repeat("[", 1<<20)},
	} {
		t.Run(name, func(t *testing.T) {
			i := llm.Inspector{Protocol: tc.protocol}
			err := i.Feed([]byte(tc.begin))
			more := []byte(strings.Repeat("x", 1<<20))
			fed := 0
			for ; err == nil && fed < 2*llm.MaxLine; fed += len(more) {
				err = i.Feed(more)
			}
			if !errors.Is(err, llm.ErrLineTooLong) || !errors.Is(i.End(), llm.ErrLineTooLong) {
				t.Errorf("after %d bytes: %v, want ErrLineTooLong", fed, err)
			}
		})
	}
}

// What the provider sends between the elements of an array is not kept.
func TestWhatIsBetweenElementsIsNotKept(t *testing.T) {
	i := llm.Inspector{Protocol: llm.GeminiArray}
	_ = i.Feed([]byte("["))
	for range 32 {
		if err := i.Feed([]byte(strings.Repeat(" ,\"x\"", 1<<18))); err != nil {
			t.Fatal(err)
		}
	}
	if err := i.Feed([]byte(geStop + "]")); err != nil || i.End() != nil {
		t.Errorf("Feed() = %v, End() = %v; want none", err, i.End())
	}
}
