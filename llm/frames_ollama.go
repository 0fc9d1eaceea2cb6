package llm

// readOllama reads a line of Ollama's api/chat or api/generate, or a plain answer of them.
func readOllama(s *scanner, f *frame) {
	for key := range s.members {
		switch string(key) {
		case "model":
			f.model = s.text()
		case "message":
			readOllamaMessage(s, f)
		case "response", "thinking":
			f.content = s.filled() || f.content
		case "done":
			if string(s.raw()) == "true" {
				f.ended, f.closed = true, true
			}
		case "done_reason":
			f.finished = s.text()
		case "prompt_eval_count":
			count(s, &f.counts.input)
		case "eval_count":
			count(s, &f.counts.output)
		case "error":
			f.fail(s.raw())
		default:
			s.skip()
		}
	}
}

func readOllamaMessage(s *scanner, f *frame) {
	for key := range s.members {
		switch string(key) {
		case "content", "thinking", "tool_calls", "images":
			f.content = s.filled() || f.content
		default:
			s.skip()
		}
	}
}
