package gateway_test

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
)

// A kind of stream is a protocol with what the tests send in it.
type continued struct {
	protocol gateway.Protocol
	path     string
	request  string
	begin    string // of the answer: "Ahoy, sai"
	rest     string // what another one sends as the rest: "lor!"
	whole    string // what the client gets; NAME is who goes on
	failure  string // an error in the stream
	asked    string // the messages that the other one gets
}

func chunk(id, delta, finish string) string {
	return `data: {"id":"` + id + `","object":"chat.completion.chunk","created":17,"model":"m-` + id + `","choices":[{"index":0,"delta":` + delta + `,"finish_reason":` + finish + "}]}\n\n"
}

func event(kind, more string) string {
	return "event: " + kind + "\ndata: {\"type\":\"" + kind + "\"" + more + "}\n\n"
}

func textDelta(index, text string) string {
	return event("content_block_delta", `,"index":`+index+`,"delta":{"type":"text_delta","text":"`+text+`"}`)
}

func chatStream() continued {
	begin := ": hi\n\n" + chunk("one", `{"role":"assistant","content":""}`, "null") + chunk("one", `{"content":"Ahoy, "}`, "null") + chunk("one", `{"content":"sai"}`, "null")
	done := "data: [DONE]\n\n"
	return continued{
		protocol: gateway.OpenAIProtocol, path: "/v1/chat/completions", begin: begin,
		request: `{"model":"m","stream":true,"max_tokens":100,"messages":[{"role":"user","content":"Greet <me> & them."}]}`,
		rest: chunk("two", `{"role":"assistant","content":""}`, "null") + chunk("two", `{"role":"assistant","content":"lor"}`, "null") + ": ping\n\n" + chunk("two", `{"content":"!"}`, "null") + chunk("two", `{}`, `"stop"`) +
			`data: {"id":"two","choices":[],"usage":{"prompt_tokens":30,"completion_tokens":2,"total_tokens":32}}` + "\n\n" + done,
		whole: begin + ": trysail continued on NAME\n\n" +
			`data: {"choices":[{"delta":{"content":"lor"},"finish_reason":null,"index":0}],"created":17,"id":"one","model":"m-one","object":"chat.completion.chunk"}` + "\n\n: ping\n\n" +
			`data: {"choices":[{"delta":{"content":"!"},"finish_reason":null,"index":0}],"created":17,"id":"one","model":"m-one","object":"chat.completion.chunk"}` + "\n\n" +
			`data: {"choices":[{"delta":{},"finish_reason":"stop","index":0}],"created":17,"id":"one","model":"m-one","object":"chat.completion.chunk"}` + "\n\n" +
			`data: {"choices":[],"created":17,"id":"one","model":"m-one","usage":{"completion_tokens":4,"prompt_tokens":30,"total_tokens":34}}` + "\n\n" + done,
		failure: "data: {\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\",\"code\":\"overloaded\"}}\n\n",
		asked:   `[{"role":"user","content":"Greet <me> & them."},{"role":"assistant","content":"Ahoy, sai"},{"role":"user","content":"Your last message was cut off`,
	}
}

func messageStream() continued {
	begin := event("message_start", `,"message":{"id":"one","role":"assistant","model":"m","content":[],"usage":{"input_tokens":9,"output_tokens":1}}`) +
		event("content_block_start", `,"index":0,"content_block":{"type":"text","text":""}`) + event("ping", "") + textDelta("0", "Ahoy,") + textDelta("0", " ")
	end := func(tokens string) string {
		return `{"delta":{"stop_reason":"end_turn","stop_sequence":null},"type":"message_delta","usage":{"output_tokens":` + tokens + `}}`
	}
	return continued{
		protocol: gateway.AnthropicProtocol, path: "/v1/messages", begin: begin,
		request: `{"model":"m","stream":true,"max_tokens":100,"messages":[{"role":"user","content":"Greet <me> & them."}]}`,
		rest: event("message_start", `,"message":{"id":"two","role":"assistant","model":"m","content":[],"usage":{"input_tokens":12,"output_tokens":1}}`) +
			event("content_block_start", `,"index":0,"content_block":{"type":"text","text":""}`) + textDelta("0", " ") + textDelta("0", " sailor") + textDelta("0", " !") + event("content_block_stop", `,"index":0`) +
			"event: message_delta\ndata: " + end("3") + "\n\n" + event("message_stop", ""),
		whole: begin + ": trysail continued on NAME\n\n" +
			"event: content_block_delta\ndata: " + `{"delta":{"text":"sailor","type":"text_delta"},"index":0,"type":"content_block_delta"}` + "\n\n" +
			"event: content_block_delta\ndata: " + `{"delta":{"type":"text_delta","text":" !"},"index":0,"type":"content_block_delta"}` + "\n\n" +
			"event: content_block_stop\ndata: " + `{"index":0,"type":"content_block_stop"}` + "\n\n" +
			"event: message_delta\ndata: " + end("5") + "\n\n" + "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
		failure: "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"overloaded\"}}\n\n",
		asked:   `[{"role":"user","content":"Greet <me> & them."},{"role":"assistant","content":"Ahoy,"}]`,
	}
}

// streams sends a stream, and breaks off if it is to.
func streams(text string, cut bool) does { return streamsThen(text, "", cut) }

// streamsThen sends more when what came first has arrived.
func streamsThen(text, more string, cut bool) does {
	return func(_ *lane, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, text)
		_ = http.NewResponseController(w).Flush()
		if cut || more != "" {
			time.Sleep(50 * time.Millisecond)
		}
		_, _ = io.WriteString(w, more)
		if cut {
			_ = http.NewResponseController(w).Flush()
			time.Sleep(20 * time.Millisecond)
			panic(http.ErrAbortHandler)
		}
	}
}

// dribbles sends a stream in pieces of a few bytes.
func dribbles(text string, cut bool) does {
	return func(_ *lane, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for piece := range slices.Chunk([]byte(text), 3) {
			_, _ = w.Write(piece)
			_ = http.NewResponseController(w).Flush()
		}
		if cut {
			time.Sleep(50 * time.Millisecond)
			panic(http.ErrAbortHandler)
		}
	}
}

// newContinued starts a gateway whose route goes on with what breaks off.
func newContinued(t *testing.T, k continued, change func(*gateway.Config), what ...does) (*fleet, []*lane) {
	t.Helper()
	return newHedged(t, func(c *gateway.Config) {
		c.Plan.Routes[0].Hedge, c.Plan.Routes[0].Continue = gateway.Hedge{}, true
		for i := range c.Plan.Targets {
			if c.Plan.Targets[i].Protocol = k.protocol; k.protocol == gateway.AnthropicProtocol {
				c.Plan.Targets[i].BaseURL = strings.TrimSuffix(c.Plan.Targets[i].BaseURL, "/v1")
			}
		}
		if change != nil {
			change(c)
		}
	}, what...)
}

// A text that breaks off is gone on with, in the form of the client's stream: whatever broke it.
func TestContinue(t *testing.T) {
	for protocol, k := range map[string]continued{"chat": chatStream(), "messages": messageStream()} {
		for name, first := range map[string]does{
			"a trickle": dribbles(k.begin, true),
			"cut":       streams(k.begin, true),
			"an end":    streams(k.begin, false),
			"an error":  streamsThen(k.begin, k.failure, false),
			"half":      streamsThen(k.begin, k.rest[:60], true),
			"a silence": func(l *lane, w http.ResponseWriter, r *http.Request) { streams(k.begin, false)(l, w, r); l.sees(r) },
		} {
			t.Run(protocol+", "+name, func(t *testing.T) {
				var book logbook
				f, lanes := newContinued(t, k, func(c *gateway.Config) {
					book.keep(c)
					c.Limits.Idle = 300 * time.Millisecond
				}, first, func(l *lane, w http.ResponseWriter, r *http.Request) {
					if rest := streams(k.rest, false); name != "a trickle" {
						rest(l, w, r)
						return
					}
					dribbles(k.rest[:len(k.rest)-2], false)(l, w, r) // without the last line end
				})
				got := f.do(t.Context(), http.MethodPost, k.path, k.request, gateway.RequestIDHeader, "one")
				if want := strings.ReplaceAll(k.whole, "NAME", "b"); got.status != 200 || got.err != nil || got.body != want {
					t.Errorf("status %d, %v:\n%s\nwant\n%s", got.status, got.err, got.body, want)
				}
				var asked struct {
					Messages  json.RawMessage `json:"messages"`
					MaxTokens int             `json:"max_tokens"`
					Model     string          `json:"model"`
				}
				if err := json.Unmarshal([]byte(<-lanes[1].got), &asked); err != nil || !strings.HasPrefix(string(asked.Messages), k.asked) || asked.MaxTokens != 98 || asked.Model != "m" {
					t.Errorf("the other target was asked for %d tokens with %s (%v), want 98 with %s", asked.MaxTokens, asked.Messages, err, k.asked)
				}
				line := book.line(t, "one")
				if !regexp.MustCompile(`outcome=ok .*target=b fallback=a trail="a:\S+ b:ok" continued=b .*stream=complete`).MatchString(steady(line)) {
					t.Errorf("the line is %s", line)
				}
				f.stop()
				if a, b := f.breaker("a"), f.breaker("b"); a.WindowFailures != 1 || b.WindowFailures != 0 {
					t.Errorf("the breakers count %d and %d failures, want one of the first", a.WindowFailures, b.WindowFailures)
				}
			})
		}
	}
}

// What cannot be gone on with ends with an error event, as without.
func TestNoContinuation(t *testing.T) {
	chat, message := chatStream(), messageStream()
	with := func(k continued, member string) continued {
		k.request = strings.Replace(k.request, `{"model"`, `{`+member+`,"model"`, 1)
		return k
	}
	off := func(c *gateway.Config) { c.Plan.Routes[0].Continue = false }
	tool := chunk("one", `{"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":""}}]}`, "null")
	for name, tc := range map[string]struct {
		k       continued
		begin   string // default: that of the kind
		change  func(*gateway.Config)
		headers []string
	}{
		"the route does not say so":           {k: chat, change: off},
		"the route does not say so, messages": {k: message, change: off},
		"tools":                               {k: with(chat, `"tools":[{"type":"function"}]`)},
		"a schema":                            {k: with(chat, `"response_format":{"type":"json_object"}`)},
		"log probabilities":                   {k: with(chat, `"logprobs":true`)},
		"a member that nobody knows":          {k: with(chat, `"x_new":1`)},
		"thinking":                            {k: with(message, `"thinking":{"type":"enabled","budget_tokens":1024}`)},
		"tools, messages":                     {k: with(message, `"tools":[{"name":"f"}]`)},
		"the client has begun the answer": {k: func() continued {
			k := message
			k.request = strings.Replace(k.request, `]}`, `,{"role":"assistant","content":"Ahoy"}]}`, 1)
			return k
		}()},
		"a call of a tool":                  {k: chat, begin: chat.begin + tool},
		"reasoning":                         {k: chat, begin: chunk("one", `{"reasoning_content":"hm"}`, "null") + chat.begin},
		"a second answer":                   {k: chat, begin: chat.begin + strings.Replace(chunk("one", `{"content":"x"}`, "null"), `"index":0`, `"index":1`, 1)},
		"a block that is no text":           {k: message, begin: strings.Replace(message.begin, `"type":"text","text":""`, `"type":"thinking","thinking":""`, 1)},
		"a second block":                    {k: message, begin: message.begin + event("content_block_stop", `,"index":0`) + event("content_block_start", `,"index":1,"content_block":{"type":"text","text":""}`) + textDelta("1", "x")},
		"nothing but white space":           {k: chat, begin: chunk("one", `{"content":" \n"}`, "null")},
		"the limit of tokens is used up":    {k: func() continued { k := chat; k.request = strings.Replace(k.request, "100", "2", 1); return k }()},
		"the request is not to be repeated": {k: chat, headers: []string{gateway.RetriesHeader, "0"}},
		"nobody takes calls": {k: chat, change: func(c *gateway.Config) {
			c.Plan.Routes[0].Targets = c.Plan.Routes[0].Targets[:1]
			c.Plan.Targets[0].Limits.Requests = 1
		}},
		"lines that end in a carriage return": {k: chat, begin: strings.ReplaceAll(chat.begin, "\n", "\r")},
	} {
		t.Run(name, func(t *testing.T) {
			begin := tc.begin
			if begin == "" {
				begin = tc.k.begin
			}
			f, lanes := newContinued(t, tc.k, tc.change, streams(begin, true), streams(tc.k.rest, false))
			got := f.do(t.Context(), http.MethodPost, tc.k.path, tc.k.request, tc.headers...)
			rest, found := strings.CutPrefix(got.body, begin)
			if got.status != 200 || !found || !strings.Contains(rest, "broke off") || got.err == nil {
				t.Errorf("status %d, %v:\n%s\nwant the begin, an error event, and a cut", got.status, got.err, got.body)
			}
			if len(lanes[1].got) != 0 || len(lanes[0].got) != 1 {
				t.Errorf("%d and %d requests, want one alone", len(lanes[0].got), len(lanes[1].got))
			}
		})
	}
}

// Where the other target cannot go on either the client is told so, once: by the provider's own event if there was one.
func TestContinuationFails(t *testing.T) {
	for protocol, k := range map[string]continued{"chat": chatStream(), "messages": messageStream()} {
		tool := chunk("two", `{"tool_calls":[{"index":0}]}`, "null")
		if k.protocol == gateway.AnthropicProtocol {
			tool = event("message_start", `,"message":{"usage":{}}`) + event("content_block_start", `,"index":0,"content_block":{"type":"tool_use","id":"x","name":"f","input":{}}`)
		}
		for name, tc := range map[string]struct {
			first, second does
			want          string // in what follows the begin
			asked         int    // requests to the second
		}{
			"it refuses the request":        {streams(k.begin, true), fails(400, `{"error":{"message":"no prefill"}}`), "broke off", 1},
			"its own error is passed on":    {streamsThen(k.begin, k.failure, false), fails(400, `{"error":{"message":"no prefill"}}`), "overloaded", 1},
			"it sends no stream":            {streams(k.begin, true), fails(200, `{}`), "broke off", 1},
			"it fails before its text":      {streams(k.begin, true), streams(k.failure, false), "broke off", 1},
			"it breaks off as well":         {streams(k.begin, true), streams(k.rest[:len(k.rest)*2/3], true), "broke off", 1},
			"it wants to call a tool":       {streams(k.begin, true), streams(tool, false), "broke off", 1},
			"it ends without a single word": {streams(k.begin, true), streams("", false), "broke off", 1},
		} {
			t.Run(protocol+", "+name, func(t *testing.T) {
				f, lanes := newContinued(t, k, nil, tc.first, tc.second)
				got := f.do(t.Context(), http.MethodPost, k.path, k.request)
				rest, found := strings.CutPrefix(got.body, k.begin)
				errors := strings.Count(rest, `data: {"error"`)
				if k.protocol == gateway.AnthropicProtocol {
					errors = strings.Count(rest, "event: error")
				}
				if got.status != 200 || !found || got.err == nil || !strings.Contains(rest, tc.want) || errors != 1 {
					t.Errorf("status %d, %v:\n%s\nwant the begin and one error event", got.status, got.err, got.body)
				}
				if len(lanes[1].got) != tc.asked {
					t.Errorf("%d requests to the other target, want %d", len(lanes[1].got), tc.asked)
				}
			})
		}
	}
}

// The only target of a route is asked once more, and no third time.
func TestContinueAtTheSameTarget(t *testing.T) {
	for protocol, k := range map[string]continued{"chat": chatStream(), "messages": messageStream()} {
		t.Run(protocol, func(t *testing.T) {
			do := make(chan does, 4)
			f, lanes := newContinued(t, k, func(c *gateway.Config) { c.Plan.Routes[0].Targets = c.Plan.Routes[0].Targets[:1] },
				func(l *lane, w http.ResponseWriter, r *http.Request) { (<-do)(l, w, r) })
			do <- streams(k.begin, true)
			do <- streams(k.rest, false)
			if got := f.do(t.Context(), http.MethodPost, k.path, k.request); got.body != strings.ReplaceAll(k.whole, "NAME", "a") || got.err != nil {
				t.Errorf("%v:\n%s", got.err, got.body)
			}
			do <- streams(k.begin, true)
			do <- streams(k.failure, false)
			do <- streams(k.rest, false)
			if got := f.do(t.Context(), http.MethodPost, k.path, k.request); got.err == nil || len(lanes[0].got) != 4 {
				t.Errorf("%d requests, want 4: %v\n%s", len(lanes[0].got), got.err, got.body)
			}
		})
	}
}

// A client that leaves while the rest is waited for ends it.
func TestClientLeavesAContinuation(t *testing.T) {
	k := chatStream()
	f, lanes := newContinued(t, k, nil, streams(k.begin, true), hangs)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.url+k.path, strings.NewReader(k.request))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := f.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	<-lanes[1].got
	_ = resp.Body.Close()
	select {
	case <-lanes[1].left:
	case <-time.After(10 * time.Second):
		t.Error("the other target is still asked")
	}
	f.stop()
	op, _ := f.orchestrator.Lookup(gateway.DefaultOperation)
	if m := op.Metrics(); m.Canceled != 1 || op.Breaker().State() != trysail.Closed {
		t.Errorf("%d cancelled calls, want one", m.Canceled)
	}
}

// There is no way to have Gemini go on.
func TestContinueNeedsAProtocol(t *testing.T) {
	f := newFleet(t, []string{"ok"}, nil)
	plan := f.plan
	plan.Targets = append(slices.Clone(plan.Targets), gateway.Target{Name: "g", Protocol: gateway.GeminiProtocol})
	plan.Routes = []gateway.Route{{Name: "r", Continue: true, Targets: []gateway.RouteTarget{{Target: "g"}}}}
	if err := f.gateway.Apply(plan); err == nil || !strings.Contains(err.Error(), `route "r": Continue is set, but its targets speak gemini, want openai or anthropic`) {
		t.Errorf("Apply() = %v", err)
	}
}
