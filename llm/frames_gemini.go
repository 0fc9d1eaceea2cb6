package llm

// readGemini reads a GenerateContentResponse of Gemini or Vertex AI: a whole answer, an event or an
// element of a stream have the same shape.
func readGemini(s *scanner, f *frame) {
	for key := range s.members {
		switch string(key) {
		case "candidates":
			for range s.elements {
				readCandidate(s, f)
			}
		case "promptFeedback": // with a reason there will be no candidates
			if reason := textMember(s, "blockReason"); len(reason) > 0 && string(reason) != "BLOCK_REASON_UNSPECIFIED" {
				f.finished, f.ended, f.blocked = reason, true, true
			}
		case "usageMetadata":
			readGeminiUsage(s, &f.counts)
		case "modelVersion":
			f.model = s.text()
		case "error":
			f.fail(s.raw())
		default:
			s.skip()
		}
	}
}

func readCandidate(s *scanner, f *frame) {
	var index int64
	var finish []byte
	for key := range s.members {
		switch string(key) {
		case "index": // left out when it is 0
			index = max(s.number(), 0)
		case "content":
			readContent(s, f)
		case "finishReason":
			finish = s.text()
		default:
			s.skip()
		}
	}
	if len(finish) > 0 && string(finish) != "FINISH_REASON_UNSPECIFIED" {
		f.finished = finish
		f.ends.add(index)
	}
}

func readContent(s *scanner, f *frame) {
	for key := range s.members {
		if string(key) != "parts" {
			s.skip()
			continue
		}
		for range s.elements {
			f.content = readPart(s) || f.content
		}
	}
}

// readPart reports whether a part holds output: a text, a call, a file. Thought and its signature
// only describe that.
func readPart(s *scanner) (output bool) {
	for key := range s.members {
		switch string(key) {
		case "thought", "thoughtSignature":
			s.skip()
		default:
			output = s.filled() || output
		}
	}
	return output
}

func readGeminiUsage(s *scanner, c *tokenCounts) {
	for key := range s.members {
		switch string(key) {
		case "promptTokenCount":
			count(s, &c.input)
		case "toolUsePromptTokenCount":
			count(s, &c.tools)
		case "cachedContentTokenCount":
			count(s, &c.cacheRead)
		case "candidatesTokenCount":
			count(s, &c.output)
		case "thoughtsTokenCount":
			count(s, &c.thoughts)
		default:
			s.skip()
		}
	}
}
