package gateway

import (
	"bytes"
	"encoding/json"
	"strings"
)

// known is what the gateway must know of a body.
type known struct {
	Model      string `json:"model"`
	Stream     bool   `json:"stream"`
	N          int    `json:"n"`
	Generation struct {
		Candidates int `json:"candidateCount"`
	} `json:"generationConfig"`
}

// readKnown reads it, with the same outcome as [json.Unmarshal]. In an ordinary body it looks at each byte once.
func readKnown(body []byte) (known, error) {
	s, k := jsonCheck{data: body}, known{}
	if s.space() == '{' && s.object(func(key []byte) bool { return k.member(&s, key) }) && s.space() == 0 && s.at == len(body) {
		return k, nil
	}
	k = known{}
	return k, json.Unmarshal(body, &k)
}

// member reads the value of a key. It gives up on what is not quite ordinary.
func (k *known) member(s *jsonCheck, key []byte) bool {
	switch string(key) {
	case `"model"`:
		return k.model(s)
	case `"stream"`:
		s.space()
		k.Stream = s.literal("true")
		return k.Stream || s.literal("false")
	case `"n"`:
		if s.space() == '0' {
			return false
		}
		k.N = 0
		for ; s.at < len(s.data) && '0' <= s.data[s.at] && s.data[s.at] <= '9' && k.N < 1<<20; s.at++ {
			k.N = k.N*10 + int(s.data[s.at]-'0')
		}
		return k.N > 0
	default:
		return !k.resembles(key) && s.value()
	}
}

// model reads a name that is written as it reads.
func (k *known) model(s *jsonCheck) bool {
	s.space()
	from := s.at
	if !s.text() {
		return false
	}
	name := s.data[from+1 : s.at-1]
	if bytes.ContainsFunc(name, func(c rune) bool { return c == '\\' || c > '~' }) {
		return false
	}
	k.Model = string(name)
	return true
}

// resembles reports whether json.Unmarshal takes a key for one that is known: it is not strict about letters.
func (*known) resembles(key []byte) bool {
	if bytes.IndexByte(key, '\\') >= 0 {
		return true
	}
	name := string(key[1 : len(key)-1])
	for _, wanted := range []string{"model", "stream", "n", "generationConfig"} {
		if strings.EqualFold(name, wanted) {
			return true
		}
	}
	return false
}
