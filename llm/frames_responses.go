package llm

import "bytes"

// readResponses reads an event of OpenAI's Responses API, or a plain response. Errors are documented
// as flat, and have been seen nested.
func readResponses(s *scanner, f *frame) {
	kind, output := f.name, false
	for key := range s.members {
		switch string(key) {
		case "type":
			kind = s.text()
		case "delta", "partial_image_b64":
			output = s.filled()
		case "response":
			readResponse(s, f)
		case "error":
			f.fail(s.raw())
		case "code":
			f.code = s.raw()
		case "message":
			f.message = s.text()
		case "model":
			f.model = s.text()
		case "usage":
			readOpenAIUsage(s, &f.counts)
		default:
			s.skip()
		}
	}
	switch string(kind) {
	case "error", "response.failed":
		f.failed, f.kind = true, kind
	case "response.completed", "response.incomplete":
		f.ended, f.closed = true, true
	case "response.created", "response.queued", "response.in_progress", "keepalive":
	default:
		f.content = output && (bytes.HasSuffix(kind, []byte(".delta")) || bytes.HasSuffix(kind, []byte(".partial_image")))
		f.step = !bytes.HasSuffix(kind, []byte(".delta"))
	}
}

func readResponse(s *scanner, f *frame) {
	for key := range s.members {
		switch string(key) {
		case "model":
			f.model = s.text()
		case "error":
			f.fail(s.raw())
		case "incomplete_details":
			f.finished = textMember(s, "reason")
		case "usage":
			readOpenAIUsage(s, &f.counts)
		default:
			s.skip()
		}
	}
}

// textMember reads an object for one of its texts.
func textMember(s *scanner, name string) (text []byte) {
	for key := range s.members {
		if string(key) == name {
			text = s.text()
		} else {
			s.skip()
		}
	}
	return text
}
