package configfile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A kind is what a value looks like in the file.
type kind uint8

const (
	nothing kind = iota
	text
	number
	truth
	list
	mapping
)

func (k kind) String() string {
	return [...]string{"nothing", "a text", "a number", "a truth value", "a list", "a mapping"}[k]
}

// A value is a piece of a file with its place. Aliases share the value of their anchor, and merged keys
// are where they were merged to.
type value struct {
	kind      kind
	text      string // of a text, a number or a truth value, as it was written
	plain     bool   // the text stood there without quotes
	line, col int
	items     []*value
	entries   []entry
	places    map[string]int // of the entries by name; nil where there are few

	// Of the value with all its parts, aliases counted each time they are used.
	size, depth int
}

// An entry is a key of a mapping with its value.
type entry struct {
	name      string
	line, col int
	value     *value
	merged    bool // by "<<": a key of the mapping itself goes before it
}

// fewEntries are found sooner by looking at each than in a map.
const fewEntries = 16

// at returns the entry of that name, if there is one.
func (v *value) at(name string) (entry, bool) {
	if i := v.find(name); i >= 0 {
		return v.entries[i], true
	}
	return entry{}, false
}

// find returns the place of the entry of that name, or -1.
func (v *value) find(name string) int {
	if v.places != nil {
		if i, ok := v.places[name]; ok {
			return i
		}
		return -1
	}
	return slices.IndexFunc(v.entries, func(e entry) bool { return e.name == name })
}

// expect makes room for so many entries.
func (v *value) expect(n int) {
	v.entries = make([]entry, 0, n)
	if n > fewEntries {
		v.places = make(map[string]int, n)
	}
}

// put adds an entry whose name is not there yet.
func (v *value) put(e entry) {
	if v.places != nil {
		v.places[e.name] = len(v.entries)
	}
	v.add(e.value)
	v.entries = append(v.entries, e)
}

// The limits of a file. The largest file that a test of ours needs has a tenth of them.
const (
	maxSize   = 1 << 20 // bytes
	maxValues = 100_000 // keys and values, each alias counted in full
	maxDepth  = 32
)

// A planter makes values of YAML nodes. It resolves what is YAML's own: tags, anchors, merge keys.
type planter struct {
	faults []Fault
	known  map[*yaml.Node]*value // of anchors: nothing else is met twice
	open   map[*yaml.Node]bool   // anchors that are being read: an alias to one has no end
	merged int                   // entries that were copied by merge keys
}

func (p *planter) fault(n *yaml.Node, path, format string, args ...any) {
	p.faults = append(p.faults, Fault{Line: n.Line, Column: n.Column, Path: path, Message: fmt.Sprintf(format, args...)})
}

// plant returns the value of n. It never returns nil; a faulty part is nothing.
func (p *planter) plant(n *yaml.Node, path string, depth int) *value {
	if v, ok := p.known[n]; ok {
		return v
	}
	v := &value{line: n.Line, col: n.Column, size: 1, depth: 1}
	switch {
	case depth > maxDepth:
		p.fault(n, path, "found values nested deeper than %d, want at most that", maxDepth)
		return v
	case n.Style&yaml.TaggedStyle != 0:
		p.fault(n, path, "found the tag %s, want none: values have the kinds that they are written in", short(n.Tag))
		return v
	}
	if n.Anchor == "" {
		return p.grow(v, n, path, depth)
	}
	p.open[n] = true
	v = p.grow(v, n, path, depth)
	delete(p.open, n)
	p.known[n] = v
	return v
}

// grow gives v what n holds, and returns it. In place of an alias it returns what that stands for.
func (p *planter) grow(v *value, n *yaml.Node, path string, depth int) *value {
	switch n.Kind {
	case yaml.AliasNode:
		if p.open[n.Alias] {
			p.fault(n, path, "found an alias inside the value that it stands for, want no circle")
			return v
		}
		return p.plant(n.Alias, path, depth)
	case yaml.ScalarNode:
		v.scalar(n)
	case yaml.SequenceNode:
		v.kind = list
		for i, item := range n.Content {
			part := p.plant(item, index(path, i), depth+1)
			v.add(part)
			v.items = append(v.items, part)
		}
	case yaml.MappingNode:
		v.kind = mapping
		p.mapping(v, n, path, depth)
	default:
		p.fault(n, path, "found something that is no value")
	}
	return v
}

// add counts a part. Both numbers stop growing beyond what is refused.
func (v *value) add(part *value) {
	v.size = min(v.size+part.size, maxValues+1)
	v.depth = max(v.depth, part.depth+1)
}

func (v *value) scalar(n *yaml.Node) {
	v.text, v.plain = n.Value, n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
	switch n.Tag {
	case "!!null":
		v.kind, v.text = nothing, ""
	case "!!int", "!!float":
		v.kind = number
	case "!!bool":
		v.kind = truth
	default: // dates are texts to us
		v.kind = text
	}
}

func (p *planter) mapping(v *value, n *yaml.Node, path string, depth int) {
	v.expect(len(n.Content) / 2)
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, content := n.Content[i], n.Content[i+1]
		if key.Tag == "!!merge" && key.Kind == yaml.ScalarNode {
			merges = append(merges, content)
			continue
		}
		name, ok := p.key(key, path)
		if !ok {
			continue
		}
		under := join(path, name)
		if i := v.find(name); i >= 0 {
			p.fault(key, under, "found the key a second time, want it once: it is in line %d already", v.entries[i].line)
			continue
		}
		v.put(entry{name: name, line: key.Line, col: key.Column, value: p.plant(content, under, depth+1)})
	}
	for _, m := range merges {
		p.merge(v, m, path, depth)
	}
}

// key returns the text of a key. Only texts are keys: what "on" or "1" mean depends on who reads.
func (p *planter) key(n *yaml.Node, path string) (string, bool) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch {
	case n.Kind != yaml.ScalarNode || n.Style&yaml.TaggedStyle != 0:
		p.fault(n, path, "found a key that is no text, want a plain word")
	case n.Tag == "!!int" || n.Tag == "!!float" || n.Tag == "!!bool" || n.Tag == "!!null":
		p.fault(n, path, "found the key %s, which is no text, want it in quotes", short(n.Value))
	case n.Value == "":
		p.fault(n, path, "found an empty key, want a name")
	default:
		return n.Value, true
	}
	return "", false
}

// merge adds the keys of a "<<" that are not there yet; of several mappings the first goes before the next.
func (p *planter) merge(v *value, n *yaml.Node, path string, depth int) {
	from := p.plant(n, join(path, "<<"), depth+1)
	sources := []*value{from}
	if from.kind == list {
		sources = from.items
	}
	have := make(map[string]bool, len(v.entries))
	for _, e := range v.entries {
		have[e.name] = true
	}
	for _, source := range sources {
		if source.kind != mapping {
			p.fault(n, join(path, "<<"), "found %v, want a mapping to merge, or a list of them", source.kind)
			continue
		}
		for _, e := range source.entries {
			if p.merged++; p.merged > maxValues { // refused in the end: no more work for it
				return
			}
			if have[e.name] {
				continue
			}
			have[e.name] = true
			e.merged = true
			v.put(e)
		}
	}
}

// join returns the path of a key. Names that could be taken for a path are quoted.
func join(path, name string) string {
	if strings.ContainsAny(name, ".[]\" \t\n") || name == "" {
		return path + "[" + strconv.Quote(name) + "]"
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// short quotes a text for a message: what is long is cut, what cannot be printed is escaped.
func short(s string) string {
	const most = 40
	if runes := []rune(s); len(runes) > most {
		return strconv.Quote(string(runes[:most])) + "…"
	}
	return strconv.Quote(s)
}
