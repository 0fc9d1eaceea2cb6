package trysailtest

// generateStream puts a completion into Gemini's stream: server-sent events, or the
// elements of one JSON array.
type generateStream struct {
	x     *exchange
	c     *completion
	array bool
	begun bool // the array has an element
}

func (s *generateStream) begin(b []byte) []byte { return b }

func (s *generateStream) token(b []byte, text string) []byte {
	return s.element(b, appendJSON(nil, s.c.generated(text, false)))
}

func (s *generateStream) end(b []byte) []byte {
	return s.close(s.element(b, appendJSON(nil, s.c.generated("", true))))
}

func (s *generateStream) fail(b []byte, e *apiError) []byte {
	return s.close(s.element(b, s.x.protocol.encode(e, s.x)))
}

// alive has nothing: Google's SDK takes a comment for a broken stream.
func (s *generateStream) alive(b []byte) []byte { return b }

func (s *generateStream) element(b, data []byte) []byte {
	switch {
	case !s.array:
		return appendFrame(b, "", data)
	case s.begun:
		b = append(b, ",\r\n"...)
	default:
		b = append(b, '[')
	}
	s.begun = true
	return append(b, data...)
}

func (s *generateStream) close(b []byte) []byte {
	if s.array {
		return append(b, ']')
	}
	return b
}
