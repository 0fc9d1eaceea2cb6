package llm

import "strings"

// A searched text answers which of many phrases it holds. Searching for each in turn would
// cost more than all other work, and nearly all searches fail: a table of the
// pairs of bytes that the text has settles most of them without looking at it.
type searched struct {
	text  string
	pairs [32]uint64
}

// search takes the text to search.
func (s *searched) search(text string) {
	s.text = text
	for i := 1; i < len(text); i++ {
		n := pair(text[i-1], text[i])
		s.pairs[n/64] |= 1 << (n % 64)
	}
}

// pair gives two bytes one of 2048 numbers.
func pair(a, b byte) uint { return (uint(a)<<5 ^ uint(b)) % 2048 }

// phrase returns the first entry of the list that the text contains, or "". Entries have
// four bytes at least.
func (s *searched) phrase(list string) string {
	if s.text == "" {
		return ""
	}
	for list = list[1:]; list != ""; {
		end := strings.IndexByte(list, '\n')
		if s.mayHold(list[:end]) && strings.Contains(s.text, list[:end]) {
			return list[:end]
		}
		list = list[end+1:]
	}
	return ""
}

// holds reports whether the text contains the phrase.
func (s *searched) holds(phrase string) bool {
	return s.mayHold(phrase) && strings.Contains(s.text, phrase)
}

// mayHold looks at the first and the last pair of bytes of the phrase.
func (s *searched) mayHold(phrase string) bool {
	first := pair(phrase[0], phrase[1])
	last := pair(phrase[len(phrase)-2], phrase[len(phrase)-1])
	return s.pairs[first/64]>>(first%64)&1 != 0 && s.pairs[last/64]>>(last%64)&1 != 0
}
