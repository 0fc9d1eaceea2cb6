package configfile

import (
	"slices"
	"strings"
	"unicode"
)

// snake turns a Go name into a key: MaxDelay is max_delay, OpenAIBaseURL is open_ai_base_url, so that a field
// with such a name is better given a tag.
func snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 &&
			(!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// nearest returns the name that was most likely meant by wrong, or "". Case, dashes and underscores do not count
// as differences; beyond that a third of the letters may differ.
func nearest(wrong string, names []string) string {
	best, least := "", len(plainWord(wrong))/3+1
	for _, name := range slices.Sorted(slices.Values(names)) {
		if d := distance(plainWord(wrong), plainWord(name)); d < least {
			best, least = name, d
		}
	}
	return best
}

func plainWord(s string) string {
	if len(s) > 64 { // no name of ours is that long
		s = s[:64]
	}
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(s))
}

// distance counts the letters to add, drop, change or swap with their neighbour (the optimal
// string alignment distance).
func distance(a, b string) int {
	var before, last, row []int
	for i := range len(a) + 1 {
		row = make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			if i == 0 {
				row[j] = j
				continue
			}
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return row[len(b)]
}

// oneOf lists words for a message: "a, b or c".
func oneOf(words []string) string {
	switch len(words) {
	case 0:
		return "nothing"
	case 1:
		return words[0]
	default:
		return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
	}
}
