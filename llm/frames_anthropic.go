package llm

// readAnthropic reads an event of Anthropic's Messages API, or a plain message.
func readAnthropic(s *scanner, f *frame) {
	kind, output := f.name, false
	f.counts.inputWithoutCache = true
	for key := range s.members {
		switch string(key) {
		case "type":
			kind = s.text()
		case "message":
			readMessage(s, f)
		case "delta":
			output = readAnthropicDelta(s, f)
		case "usage":
			readAnthropicUsage(s, &f.counts)
		case "error":
			f.fail(s.raw())
		case "model": // this and the next are of a plain message
			f.model = s.text()
		case "stop_reason":
			f.finished = s.text()
		default:
			s.skip()
		}
	}
	switch string(kind) {
	case "content_block_delta":
		f.content = output
	case "content_block_start", "content_block_stop", "message_delta":
		f.step = true
	case "message_stop":
		f.ended, f.closed = true, true
	case "error":
		f.failed = true
	default: // message_start, and ping, which may come at any time
	}
}

// readMessage reads the message that message_start holds.
func readMessage(s *scanner, f *frame) {
	for key := range s.members {
		switch string(key) {
		case "model":
			f.model = s.text()
		case "usage":
			readAnthropicUsage(s, &f.counts)
		default:
			s.skip()
		}
	}
}

// readAnthropicDelta reports whether a delta holds output. Its field is named after its type,
// and there have been new types every year.
func readAnthropicDelta(s *scanner, f *frame) (output bool) {
	for key := range s.members {
		switch string(key) {
		case "type":
			s.skip()
		case "stop_reason":
			f.finished = s.text()
		default:
			output = s.filled() || output
		}
	}
	return output
}

// readAnthropicUsage reads a usage. That of message_delta replaces that of message_start, but may
// leave out what has not changed.
func readAnthropicUsage(s *scanner, c *tokenCounts) {
	for key := range s.members {
		switch string(key) {
		case "input_tokens":
			count(s, &c.input)
		case "output_tokens":
			count(s, &c.output)
		case "cache_read_input_tokens":
			count(s, &c.cacheRead)
		case "cache_creation_input_tokens":
			count(s, &c.cacheWrite)
		default:
			s.skip()
		}
	}
}
