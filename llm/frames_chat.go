package llm

// readChat reads a chunk of OpenAI's chat completions, also of the older completions and of a plain
// completion, and what others make of them:
//
//   - vLLM sends an error and [DONE] after it; older versions a flat error with "object": "error".
//   - TGI sends an error that is a string, with "error_type" beside it. Its own
//     generate_stream ends with "generated_text".
//   - OpenRouter puts an error beside or into the choices, with the finish reason "error".
//   - DeepSeek ends an answer for which it has no capacity with a finish reason of its own.
//   - Ollama swallows errors: a chunk with an empty delta and without a finish reason is all that
//     comes. It tells nothing, so the stream counts as cut off.
func readChat(s *scanner, f *frame) {
	flat := false
	for key := range s.members {
		switch string(key) {
		case "model":
			f.model = s.text()
		case "choices":
			for range s.elements {
				readChoice(s, f)
			}
		case "usage":
			readOpenAIUsage(s, &f.counts)
		case "error":
			f.fail(s.raw())
		case "object":
			flat = string(s.text()) == "error"
		case "message":
			f.message = s.text()
		case "type", "error_type":
			f.kind = s.text()
		case "code":
			f.code = s.raw()
		case "token":
			f.content = s.filled() || f.content
		case "generated_text":
			f.ended = string(s.raw()) != "null" // it is null until then
		case "details":
			readGenerated(s, f)
		default:
			s.skip()
		}
	}
	f.failed = f.failed || flat
}

func readChoice(s *scanner, f *frame) {
	var index int64
	var finish []byte
	for key := range s.members {
		switch string(key) {
		case "index":
			index = max(s.number(), 0)
		case "delta":
			readDelta(s, f)
		case "text":
			f.content = s.filled() || f.content
		case "finish_reason":
			finish = s.text()
		case "error":
			f.fail(s.raw())
		default:
			s.skip()
		}
	}
	switch string(finish) {
	case "":
	case "error":
		f.failed, f.kind, f.message = true, []byte("server_error"), []byte("the provider ended the answer with an error")
	case "insufficient_system_resource":
		f.failed, f.kind, f.code, f.message = true, []byte("server_error"), finish, []byte("the provider ran out of capacity in the middle of the answer")
	default:
		f.finished = finish
		f.ends.add(index)
	}
}

// readDelta looks for output. Its fields are left raw: some models stream lists and objects where
// others stream text.
func readDelta(s *scanner, f *frame) {
	for key := range s.members {
		switch string(key) {
		case "content", "reasoning_content", "reasoning", "reasoning_details", "refusal", "tool_calls", "function_call", "audio":
			f.content = s.filled() || f.content
		default:
			s.skip()
		}
	}
}

// readGenerated reads the details at the end of TGI's generate_stream.
func readGenerated(s *scanner, f *frame) {
	for key := range s.members {
		switch string(key) {
		case "finish_reason":
			f.finished = s.text()
		case "generated_tokens":
			count(s, &f.counts.output)
		case "input_length":
			count(s, &f.counts.input)
		default:
			s.skip()
		}
	}
}
