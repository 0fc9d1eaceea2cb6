package config

import (
	"slices"
	"strings"
	"unicode"
)

// Words that stand beside the telling ones in names without separators: devbox, prodcluster, myapptest.
var beside = []string{ //nolint:gochecknoglobals // a table that nothing changes
	"ai", "api", "app", "asia", "backend", "box", "branch", "central", "cloud", "cluster", "container", "data", "db", "east", "env", "environment", "eu",
	"frontend", "gateway", "host", "kube", "machine", "my", "net", "node", "north", "our", "pc", "pod", "server", "service", "site", "south", "srv",
	"svc", "system", "team", "the", "unit", "us", "vm", "web", "west", "worker",
}

// Words that turn the next one round: nonprod is no production, preprod is what comes before it.
var (
	negations = []string{"no", "non", "not"} //nolint:gochecknoglobals // a table that nothing changes
	before    = []string{"pre"}              //nolint:gochecknoglobals // a table that nothing changes
)

// turned reports whether what comes after the word is not what it says.
func turned(word string) bool {
	return slices.Contains(negations, word) || slices.Contains(before, word)
}

// firstHint returns the first family that a name hints at, nil if there is none.
func firstHint(name string) *family {
	found := hints(name)
	if len(found) == 0 {
		return nil
	}
	return &found[0]
}

// hints returns the families that a name hints at, in the order of families. What comes before production hints at both.
// A word counts as a whole, or where the word that it stands in is made of known ones: "dev" is in devbox, but not in device.
func hints(name string) []family {
	said := map[string]bool{}
	last := ""
	for _, piece := range pieces(name) {
		i := slices.IndexFunc(families, func(f family) bool { return slices.Contains(f.words, piece) })
		if i >= 0 && !slices.Contains(negations, last) {
			said[families[i].name] = true
			if families[i].name == "production" && slices.Contains(before, last) {
				said["staging"] = true
			}
		}
		last = piece
	}
	var found []family
	for _, f := range families {
		if said[f.name] {
			found = append(found, f)
		}
	}
	return found
}

// pieces returns the words of a name in lower case. A word that can be cut into known ones is cut.
func pieces(name string) []string {
	var all []string
	for _, word := range strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) }) {
		if cut := cutWord(word); cut != nil {
			all = append(all, cut...)
		} else {
			all = append(all, word)
		}
	}
	return all
}

// cutWord cuts a word into known ones; nil if that cannot be done.
func cutWord(word string) []string {
	const longest = 63 // as a part of a host name
	if len(word) > longest {
		return nil
	}
	// ends[i] is where the known word ends that begins at i and after which the rest can be cut, 0 if there is none.
	ends := make([]int, len(word)+1)
	ends[len(word)] = len(word)
	for i := len(word) - 1; i >= 0; i-- {
		for _, piece := range vocabulary {
			end := i + len(piece)
			if strings.HasPrefix(word[i:], piece) && ends[end] > 0 {
				ends[i] = end
				break
			}
		}
	}
	if ends[0] == 0 {
		return nil
	}
	var cut []string
	for i := 0; i < len(word); i = ends[i] {
		cut = append(cut, word[i:ends[i]])
	}
	return cut
}

var vocabulary = func() []string { //nolint:gochecknoglobals // a table that nothing changes
	all := slices.Concat(beside, negations, before)
	for _, f := range families {
		all = append(all, f.words...)
	}
	return all
}()
