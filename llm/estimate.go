package llm

import "bytes"

const (
	// fileTokens is what an image of the largest size costs at Anthropic (vision guide), which is more than at
	// OpenAI and Gemini.
	fileTokens = 1600

	// smallestFile is from how many bytes on a text without spaces is taken for a file. Identifiers and
	// signatures are shorter.
	smallestFile = 4 << 10
)

// EstimateTokens estimates how many tokens a request's body has: a quarter of its bytes, rounded up,
// which is about right for English prose in JSON. Code has more, some scripts three times as many; the
// limiter settles the difference.
//
// A file in base64, as images, sounds and documents come in, is not read as a text and counts 1600 tokens whatever
// its size. So does a body that is no JSON, such as a form with a recording, if it is larger.
func EstimateTokens(body []byte) int64 {
	const perToken = 4 // bytes
	text, files := len(body), 0
	switch s := (scanner{data: body}); s.peek() {
	case '{', '[', 0:
		text, files = textAndFiles(body)
	default:
		text = min(text, fileTokens*perToken)
	}
	return int64((text+perToken-1)/perToken + files*fileTokens)
}

// textAndFiles returns how many bytes of a JSON document are not files in base64, and how many files there are.
func textAndFiles(document []byte) (text, files int) {
	text = len(document)
	for rest := document; len(rest) >= smallestFile; {
		end := bytes.IndexByte(rest, '"')
		if end < 0 {
			end = len(rest)
		}
		if end >= smallestFile && isBase64(rest[:end]) {
			text -= end
			files++
		}
		rest = rest[min(end+1, len(rest)):]
	}
	return text, files
}

// isBase64 reports whether a text is a file in base64, by itself or in a data URL. Its begin is looked at and its end,
// either alphabet counts, and some languages escape each slash.
func isBase64(text []byte) bool {
	if bytes.HasPrefix(text, []byte("data:")) {
		const longestType = 256
		_, file, found := bytes.Cut(text[:min(len(text), longestType)], []byte(";base64,"))
		if !found {
			return false
		}
		text = text[min(len(text), longestType)-len(file):]
	}
	const looked = 512
	return inBase64(text[:min(len(text), looked)]) && inBase64(text[max(0, len(text)-looked):])
}

// inBase64 reports whether all bytes may be of base64.
func inBase64(text []byte) bool {
	for i, c := range text {
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9':
		case c == '+', c == '/', c == '-', c == '_', c == '=':
		case c == '\\' && (i+1 == len(text) || text[i+1] == '/'): // but "\u4e2d" is a text
		default:
			return false
		}
	}
	return true
}
