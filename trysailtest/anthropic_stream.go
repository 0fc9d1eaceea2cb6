package trysailtest

// messageStream puts a completion into Anthropic's events (docs.claude.com, "Streaming
// Messages").
type messageStream struct {
	x *exchange
	c *completion
}

func (s *messageStream) begin(b []byte) []byte {
	b = appendFrame(b, "message_start", appendJSON(nil, struct {
		Type    string   `json:"type"`
		Message *message `json:"message"`
	}{"message_start", s.c.messageStart(1)}))
	if !s.hasBlock() {
		return s.alive(b)
	}
	b = append(b, "event: content_block_start\n"+
		`data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`+"\n\n"...)
	return s.alive(b)
}

// hasBlock reports whether the answer has content: a refusal has none.
func (s *messageStream) hasBlock() bool { return s.c.finish != finishRefused }

func (s *messageStream) token(b []byte, text string) []byte {
	b = append(b, "event: content_block_delta\n"+
		`data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":`...)
	return append(appendQuoted(b, text), "}}\n\n"...)
}

func (s *messageStream) end(b []byte) []byte {
	if s.hasBlock() {
		b = append(b, "event: content_block_stop\n"+`data: {"type":"content_block_stop","index":0}`+"\n\n"...)
	}
	type delta struct {
		StopReason   string       `json:"stop_reason"`
		StopSequence *string      `json:"stop_sequence"`
		StopDetails  *stopDetails `json:"stop_details"`
	}
	b = appendFrame(b, "message_delta", appendJSON(nil, struct {
		Type  string         `json:"type"`
		Delta delta          `json:"delta"`
		Usage map[string]int `json:"usage"`
	}{"message_delta", delta{s.c.stopReason(), nil, s.c.stopDetails()}, map[string]int{
		"input_tokens": s.c.prompt, "output_tokens": s.c.tokens,
	}}))
	return append(b, "event: message_stop\n"+`data: {"type":"message_stop"}`+"\n\n"...)
}

func (s *messageStream) fail(b []byte, e *apiError) []byte {
	return appendFrame(b, "error", s.x.protocol.encode(e, s.x))
}

func (s *messageStream) alive(b []byte) []byte {
	return append(b, "event: ping\n"+`data: {"type":"ping"}`+"\n\n"...)
}
