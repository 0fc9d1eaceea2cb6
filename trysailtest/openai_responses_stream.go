package trysailtest

import (
	"cmp"
	"strconv"
)

// responsesStream puts a completion into the Responses API's events.
type responsesStream struct {
	x    *exchange
	c    *completion
	item string // the id of the message
	seq  int    // the next event's number
}

// responsesEvent holds what some event needs beside its type and number.
type responsesEvent struct {
	Type           string        `json:"type"`
	SequenceNumber int           `json:"sequence_number"`
	Response       *response     `json:"response,omitempty"`
	ItemID         string        `json:"item_id,omitempty"`
	OutputIndex    *int          `json:"output_index,omitempty"`
	ContentIndex   *int          `json:"content_index,omitempty"`
	Item           *responseItem `json:"item,omitempty"`
	Part           any           `json:"part,omitempty"`
	Text           string        `json:"text,omitempty"`
	Refusal        string        `json:"refusal,omitempty"`
	Logprobs       []struct{}    `json:"logprobs,omitzero"`
}

func (s *responsesStream) begin(b []byte) []byte {
	b = s.event(b, responsesEvent{Type: "response.created", Response: s.c.response("in_progress")})
	b = s.event(b, responsesEvent{Type: "response.in_progress", Response: s.c.response("in_progress")})
	item := responseItem{s.item, "message", "in_progress", "assistant", []any{}}
	b = s.event(b, responsesEvent{Type: "response.output_item.added", OutputIndex: new(int), Item: &item})
	return s.event(b, s.inPart(responsesEvent{Type: "response.content_part.added", Part: s.c.responsePart("")}))
}

// token is put together by hand: see [streamForm].
func (s *responsesStream) token(b []byte, text string) []byte {
	kind := s.kind() + ".delta"
	b = append(append(b, "event: "...), kind...)
	b = append(append(b, "\ndata: {\"type\":\""...), kind...)
	b = append(b, `","sequence_number":`...)
	b = strconv.AppendInt(b, int64(s.seq), 10)
	b = append(append(b, `,"item_id":"`...), s.item...)
	b = appendQuoted(append(b, `","output_index":0,"content_index":0,"delta":`...), text)
	s.seq++
	if s.c.finish != finishRefused {
		b = append(b, `,"logprobs":[]`...)
	}
	return append(b, "}\n\n"...)
}

func (s *responsesStream) end(b []byte) []byte {
	done := responsesEvent{Type: s.kind() + ".done"}
	if s.c.finish == finishRefused {
		done.Refusal = s.c.text
	} else {
		done.Text, done.Logprobs = s.c.text, []struct{}{}
	}
	b = s.event(b, s.inPart(done))
	b = s.event(b, s.inPart(responsesEvent{Type: "response.content_part.done", Part: s.c.responsePart(s.c.text)}))
	item, status := s.c.responseItem(s.item), s.c.responseStatus()
	b = s.event(b, responsesEvent{Type: "response.output_item.done", OutputIndex: new(int), Item: &item})
	return s.event(b, responsesEvent{Type: "response." + status, Response: s.c.response(status, item)})
}

// kind returns the beginning of the types of events that carry text.
func (s *responsesStream) kind() string {
	if s.c.finish == finishRefused {
		return "response.refusal"
	}
	return "response.output_text"
}

// fail tells an error: flat as documented, nested as seen live, or by the response
// that failed.
func (s *responsesStream) fail(b []byte, e *apiError) []byte {
	code := cmp.Or(e.code, "server_error")
	if s.x.fault.Form == formFailed {
		failed := s.c.response("failed")
		failed.Error = &responseError{code, e.message}
		return s.event(b, responsesEvent{Type: "response.failed", Response: failed})
	}
	type fields struct {
		Type    string  `json:"type"`
		Code    string  `json:"code"`
		Message string  `json:"message"`
		Param   *string `json:"param"`
	}
	flat := struct {
		fields
		SequenceNumber int `json:"sequence_number"`
	}{fields{"error", code, e.message, orNull(e.param)}, s.seq}
	if s.x.fault.Form != formNested {
		return appendFrame(b, "error", appendJSON(nil, flat))
	}
	flat.Type = cmp.Or(e.kind, "server_error")
	return appendFrame(b, "error", appendJSON(nil, struct {
		Type           string `json:"type"`
		SequenceNumber int    `json:"sequence_number"`
		Error          fields `json:"error"`
	}{"error", s.seq, flat.fields}))
}

func (s *responsesStream) alive(b []byte) []byte { return append(b, aliveComment...) }

// inPart says that an event is of the message's only part.
func (s *responsesStream) inPart(e responsesEvent) responsesEvent {
	e.ItemID, e.OutputIndex, e.ContentIndex = s.item, new(int), new(int)
	return e
}

// event appends an event under the next number.
func (s *responsesStream) event(b []byte, e responsesEvent) []byte {
	e.SequenceNumber = s.seq
	s.seq++
	return appendFrame(b, e.Type, appendJSON(nil, e))
}
