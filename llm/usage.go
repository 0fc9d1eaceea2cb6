package llm

// A Usage is how many tokens an answer took, in one meaning for all providers. What a
// provider did not tell is 0.
type Usage struct {
	Input      int64 // all of the prompt, also what came from a cache or was put into one
	Output     int64 // all of the answer, reasoning included
	Cached     int64 // the part of Input that was read from a cache
	CacheWrite int64 // the part of Input that was put into a cache
	Reasoning  int64 // the part of Output that is reasoning; 0 where it is not told apart
}

// UsageOf returns the usage that a complete, plain answer tells. A body that is not JSON tells
// nothing.
func UsageOf(protocol Protocol, body []byte) Usage {
	i := Inspector{Protocol: protocol}
	_ = i.see(Event{Data: body}) // an error in it may have cost tokens, too
	return i.progress.Usage
}

// tokenCounts is what a provider has told, in its own meaning. Later numbers replace earlier
// ones: where they come several times they are running totals.
type tokenCounts struct {
	input, tools, cacheRead, cacheWrite int64
	output, thoughts, reasoning         int64
	inputWithoutCache                   bool // Anthropic's input is what remains beside the cache
}

func (c *tokenCounts) usage() Usage {
	u := Usage{
		Input:      c.input + c.tools,
		Output:     c.output + c.thoughts,
		Cached:     c.cacheRead,
		CacheWrite: c.cacheWrite,
		Reasoning:  c.thoughts + c.reasoning,
	}
	if c.inputWithoutCache {
		u.Input += c.cacheRead + c.cacheWrite
	}
	return u
}

// count reads a number into a count. What is no number, or less than nothing, changes nothing.
func count(s *scanner, to *int64) {
	if n := s.number(); n >= 0 {
		*to = n
	}
}

// readOpenAIUsage reads the usage of both of OpenAI's protocols.
func readOpenAIUsage(s *scanner, c *tokenCounts) {
	for key := range s.members {
		switch string(key) {
		case "prompt_tokens", "input_tokens", "inputTokens": // the last of each are Bedrock's
			count(s, &c.input)
		case "completion_tokens", "output_tokens", "outputTokens":
			count(s, &c.output)
		case "prompt_tokens_details", "input_tokens_details":
			countMember(s, "cached_tokens", &c.cacheRead)
		case "completion_tokens_details", "output_tokens_details":
			countMember(s, "reasoning_tokens", &c.reasoning)
		case "prompt_cache_hit_tokens", "cacheReadInputTokens": // DeepSeek, Bedrock
			count(s, &c.cacheRead)
		case "cacheWriteInputTokens":
			count(s, &c.cacheWrite)
		default:
			s.skip()
		}
	}
}

// countMember reads an object for one of its numbers.
func countMember(s *scanner, name string, to *int64) {
	for key := range s.members {
		if string(key) == name {
			count(s, to)
		} else {
			s.skip()
		}
	}
}
