package gateway

import (
	"bytes"
	"net/http"
	"strings"
)

// shortestSecret is from which length on a key is looked for in good answers, which are otherwise passed on byte for byte: "ollama" or "EMPTY", as local servers have
// them, is a word that a model may say. The keys of providers have 32 bytes and more.
const shortestSecret = 20

// A secret is a key that good answers must not repeat. The zero value is none. It is looked for by its rarest byte, at which there is mostly nothing to compare.
type secret struct {
	text []byte
	rare int // where its rarest byte is
}

// rareBytes are those that text and JSON have least of, the rarest first.
const rareBytes = "QZXJKYVWqzGHUFBjxMNDRLPOCITSEAkvw98765432"

func newSecret(key string) *secret {
	if len(key) < shortestSecret {
		return nil
	}
	s := &secret{text: []byte(key)}
	for i := range len(rareBytes) {
		if at := strings.IndexByte(key, rareBytes[i]); at >= 0 {
			s.rare = at
			break
		}
	}
	return s
}

// next returns where the key is in a piece next, or -1.
func (s *secret) next(piece []byte) int {
	for from := s.rare; from < len(piece); from++ {
		i := bytes.IndexByte(piece[from:], s.text[s.rare])
		if i < 0 {
			return -1
		}
		from += i
		if at := from - s.rare; bytes.HasPrefix(piece[at:], s.text) {
			return at
		}
	}
	return -1
}

// secret returns that of the key that the target was asked with, or nil.
func (v *visit) secret() *secret {
	if v == nil || v.key == nil {
		return nil
	}
	return v.key.secret
}

// veil puts asterisks in the place of the key in a piece of a good answer, so that its length stays. One look at the piece is all that it costs where the key is
// not in it, which is always.
func (v *visit) veil(piece []byte) {
	s := v.secret()
	if s == nil {
		return
	}
	for i := s.next(piece); i >= 0; i = s.next(piece) {
		for j := range len(s.text) {
			piece[i+j] = '*'
		}
		piece = piece[i+len(s.text):]
	}
}

// veilHeader does so in the headers of a good answer.
func (v *visit) veilHeader(h http.Header) {
	s := v.secret()
	if s == nil {
		return
	}
	for _, values := range h {
		for i, value := range values {
			if len(value) >= len(s.text) && strings.Contains(value, v.key.key) {
				values[i] = strings.ReplaceAll(value, v.key.key, strings.Repeat("*", len(s.text)))
			}
		}
	}
}

// begun returns how many bytes at the end of a piece may be the begin of the key: they are kept back until more is there.
func (v *visit) begun(piece []byte) int {
	s := v.secret()
	if s == nil {
		return 0
	}
	for n := min(len(s.text)-1, len(piece)); n > 0; n-- {
		if bytes.HasPrefix(s.text, piece[len(piece)-n:]) {
			return n
		}
	}
	return 0
}
