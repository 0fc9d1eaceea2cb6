package llm

import "bytes"

// readCohere reads an event of Cohere's v2/chat, or a plain answer of it.
func readCohere(s *scanner, f *frame) {
	kind, delta := f.name, cohereDelta{}
	for key := range s.members {
		switch string(key) {
		case "type":
			kind = s.text()
		case "delta":
			delta.read(s, f)
		case "usage":
			readCohereUsage(s, &f.counts)
		case "finish_reason": // of a plain answer
			f.finished = s.text()
		case "message": // an error's text, or the object of a plain answer
			f.message = s.text()
		default:
			s.skip()
		}
	}
	switch string(kind) {
	case "content-delta", "tool-plan-delta", "tool-call-start", "tool-call-delta":
		f.content = delta.output
	case "content-start", "content-end", "tool-call-end", "citation-start", "citation-end":
		f.step = true
	case "message-end":
		f.ended, f.closed = true, true
	case "":
		f.failed = len(f.message) > 0
	default: // message-start, debug
	}
	if bytes.HasPrefix(f.finished, []byte("ERROR")) {
		f.failed, f.kind, f.message = true, f.finished, delta.problem
	}
}

type cohereDelta struct {
	output  bool
	problem []byte
}

func (d *cohereDelta) read(s *scanner, f *frame) {
	for key := range s.members {
		switch string(key) {
		case "message":
			d.readMessage(s)
		case "finish_reason":
			f.finished = s.text()
		case "usage":
			readCohereUsage(s, &f.counts)
		case "error":
			d.problem = s.text()
		default:
			s.skip()
		}
	}
}

func (d *cohereDelta) readMessage(s *scanner) {
	for key := range s.members {
		switch string(key) {
		case "content":
			d.readContent(s)
		case "tool_plan", "tool_calls":
			d.output = s.filled() || d.output
		default:
			s.skip()
		}
	}
}

func (d *cohereDelta) readContent(s *scanner) {
	for key := range s.members {
		switch string(key) {
		case "text", "thinking":
			d.output = s.filled() || d.output
		default:
			s.skip()
		}
	}
}

// readCohereUsage reads the tokens; billed_units beside them are about money.
func readCohereUsage(s *scanner, c *tokenCounts) {
	for key := range s.members {
		if string(key) == "tokens" {
			readOpenAIUsage(s, c) // the names are the same
		} else {
			s.skip()
		}
	}
}
