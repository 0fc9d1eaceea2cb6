package trysailtest

import (
	"math/rand/v2"
	"strings"
	"unicode/utf8"
)

// maxExcerpt is how many bytes of a question an answer quotes.
const maxExcerpt = 80

// prose makes up answers from a fixed stock of phrases.
type prose struct {
	subjects, verbs, objects, ends []string
}

func newProse() prose {
	phrases := func(list string) []string { return strings.Split(list, "|") }
	return prose{
		subjects: phrases("a careful plan|the simplest approach|a steady hand|the usual method|a small change|" +
			"an honest estimate|the first draft|a second look|good preparation|the older design"),
		verbs: phrases("keeps|protects|explains|improves|settles|supports|shortens|replaces|prepares|clarifies"),
		objects: phrases("the whole task|most of the work|the harder part|the next step|every detail|" +
			"the open question|the final result|the common case|the rest of the system|what comes after"),
		ends: phrases("in most cases|when time is short|without much effort|if the numbers hold|in the long run|" +
			"as experience shows|even under load|from the start|with few exceptions|for good reason"),
	}
}

// answer returns a few sentences that quote the question and otherwise follow from
// the seed. One blank stands between two words.
func (p prose) answer(question string, seed uint64) string {
	random := rand.NewPCG(seed, 0)
	var b strings.Builder
	b.Grow(512)
	if quoted := excerpt(question); quoted != "" {
		b.WriteString("You asked: “" + quoted + "”.")
	} else {
		b.WriteString("You asked nothing.")
	}
	b.WriteString(" In short,")
	for i := range 3 + random.Uint64()%2 {
		start := b.Len() + 1
		for _, list := range [][]string{p.subjects, p.verbs, p.objects, p.ends} {
			b.WriteByte(' ')
			phrase := list[random.Uint64()%uint64(len(list))]
			if i > 0 && b.Len() == start {
				phrase = strings.ToUpper(phrase[:1]) + phrase[1:]
			}
			b.WriteString(phrase)
		}
		b.WriteByte('.')
	}
	return b.String()
}

// excerpt returns the beginning of s with its blanks and line ends made single blanks.
func excerpt(s string) string {
	var b strings.Builder
	for word := range strings.FieldsSeq(s) {
		if b.Len()+len(word) > maxExcerpt {
			if b.Len() == 0 { // as in languages that put no blanks between words
				b.WriteString(cutAtRune(word, maxExcerpt))
			}
			b.WriteString("…")
			break
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word)
	}
	return b.String()
}

// cutAtRune returns at most n bytes of s, which is longer, without splitting a rune.
func cutAtRune(s string, n int) string {
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// cutToken takes the first token off a text that is not empty: a word with the blank
// before it.
func cutToken(text string) (token, rest string) {
	end := strings.IndexByte(text[1:], ' ') + 1
	if end == 0 {
		return text, ""
	}
	return text[:end], text[end:]
}

// hashStart begins a hash of texts: FNV-1a, because it is the same in every process.
const hashStart uint64 = 14695981039346656037

func hashText(hash uint64, text string) uint64 {
	for i := range len(text) {
		hash = (hash ^ uint64(text[i])) * 1099511628211
	}
	return hash * 1099511628211 // so that moving a letter to the next text counts
}
