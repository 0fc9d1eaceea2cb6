package gateway

import (
	"bytes"
	"encoding/json"
	"net/url"
)

// renamed returns body with another name of the model: each value of a top-level "model" is replaced in place, and everything else stays byte for
// byte. A body that is no JSON object, or names no model by a text, is returned as it is. body must be valid JSON if it begins like it.
func renamed(body []byte, name string) []byte {
	spans := modelsIn(body)
	if len(spans) == 0 {
		return body
	}
	quoted := quotedName(name)
	made := make([]byte, 0, len(body)+len(spans)*len(quoted))
	from := 0
	for _, s := range spans {
		made = append(append(made, body[from:s.from]...), quoted...)
		from = s.to
	}
	return append(made, body[from:]...)
}

func quotedName(name string) []byte {
	var quoted bytes.Buffer
	e := json.NewEncoder(&quoted)
	e.SetEscapeHTML(false)
	_ = e.Encode(name) // a text: it cannot fail
	return bytes.TrimSuffix(quoted.Bytes(), []byte("\n"))
}

// A span is a part of a text.
type span struct{ from, to int }

// modelsIn returns where the texts are that the top-level members "model" have. There is one, unless somebody is up to something.
func modelsIn(body []byte) (spans []span) {
	s := jsonScan{data: body}
	if s.space(); s.next() != '{' {
		return nil
	}
	for s.ok() {
		key := s.text()
		s.past(':')
		if at := s.at; s.peek() == '"' && isModel(body[key.from:key.to]) {
			value := s.text()
			spans = append(spans, value)
		} else {
			s.at = at
			s.value()
		}
		if s.space(); s.next() != ',' {
			return spans
		}
	}
	return spans
}

// isModel reports whether a JSON text is "model", however it is written.
func isModel(quoted []byte) bool {
	if !bytes.Contains(quoted, []byte(`\`)) {
		return string(quoted) == `"model"`
	}
	var key string
	return json.Unmarshal(quoted, &key) == nil && key == "model"
}

// A jsonScan walks through a text that is known to be JSON. On one that is not it stops somewhere, and never beyond the end.
type jsonScan struct {
	data []byte
	at   int
}

func (s *jsonScan) ok() bool { return s.at < len(s.data) }

func (s *jsonScan) peek() byte {
	if !s.ok() {
		return 0
	}
	return s.data[s.at]
}

func (s *jsonScan) next() byte {
	c := s.peek()
	s.at = min(s.at+1, len(s.data))
	return c
}

func (s *jsonScan) space() {
	for c := s.peek(); c == ' ' || c == '\n' || c == '\t' || c == '\r'; c = s.peek() {
		s.at++
	}
}

// past goes behind a character and the space around it.
func (s *jsonScan) past(c byte) {
	if s.space(); s.peek() == c {
		s.at++
	}
	s.space()
}

// text returns where the text is that comes next, quotes included.
func (s *jsonScan) text() span {
	s.space()
	from := s.at
	s.at = min(s.at+1, len(s.data))
	for s.ok() {
		switch s.next() {
		case '\\':
			s.next()
		case '"':
			return span{from, s.at}
		}
	}
	return span{from, s.at}
}

// value goes behind a value.
func (s *jsonScan) value() {
	depth := 0
	for s.ok() {
		switch s.peek() {
		case '"':
			s.text()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return
			}
			depth--
		case ',':
			if depth == 0 {
				return
			}
		}
		s.at++
	}
}

// renamedPath returns a path of Gemini's with another name of the model, as it is and as it is escaped.
func renamedPath(path, name string) (plain, escaped string) {
	_, from, to := geminiModel(path)
	if from == 0 {
		return path, (&url.URL{Path: path}).EscapedPath()
	}
	plain = path[:from] + name + path[to:]
	before, after := url.URL{Path: path[:from]}, url.URL{Path: "/" + path[to:]}
	return plain, before.EscapedPath() + url.PathEscape(name) + after.EscapedPath()[1:]
}
