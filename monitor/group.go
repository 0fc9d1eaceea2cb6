package monitor

import (
	"sort"
	"time"
)

// An entry is an [Event] as it is kept. It has no pointers but those of its texts, and those are shared.
type entry struct {
	at        int64 // nanoseconds since 1970
	seq       uint64
	value     float64
	preset    string
	operation string
	session   string
	user      string
	metadata  Metadata
	kind      Kind
	origin    origin
}

// An origin says where an event came from, as far as it matters to statistics and groups.
type origin uint8

const (
	originOther   origin = iota
	originCustom         // a custom configuration
	originLegacy         // legacy variables
	originBreaker        // a breaker's transition
)

// originOf reads the metadata of an event of the given kind: its config_type, or the engine's word.
func originOf(kind Kind, field func(string) any) origin {
	if kind == PerformanceEvent {
		if field("event") == breakerTransition {
			return originBreaker
		}
		return originOther
	}
	switch field("config_type") {
	case "custom":
		return originCustom
	case "legacy":
		return originLegacy
	default:
		return originOther
	}
}

func (e *entry) event() Event {
	return Event{
		Seq: e.seq, Time: time.Unix(0, e.at).UTC(), Kind: e.kind, Preset: e.preset, Operation: e.operation,
		Value: e.value, Metadata: e.metadata, Session: e.session, User: e.user,
	}
}

// block is how many entries are allocated together.
const block = 512

// A group is the newest events of one sort, in the order of their times and numbers. A place in it is a count of all
// the entries that were ever added before, so that it stays when older ones go.
//
// It grows and shrinks by blocks: no push ever copies what is there.
type group struct {
	blocks     []*[block]entry // blocks[0] holds the place head
	spare      *[block]entry   // empty; nil if there is none
	newest     *[block]entry   // the last of the blocks
	last       int64           // the date of the newest entry, even if it is gone
	head, tail int             // the places of the oldest entry and of the next one
}

func (g *group) len() int { return g.tail - g.head }

func (g *group) at(place int) *entry {
	return &g.blocks[uint(place)/block-uint(g.head)/block][uint(place)%block] // without a sign, so that no division is needed
}

// push adds e, dated not before the entry that it follows.
func (g *group) push(e *entry) {
	slot := uint(g.tail) % block
	if slot == 0 {
		if g.spare == nil {
			g.spare = new([block]entry)
		}
		g.newest, g.spare = g.spare, nil
		g.blocks = append(g.blocks, g.newest)
	}
	if g.len() > 0 {
		e.at = max(e.at, g.last)
	}
	g.last = e.at
	g.newest[slot] = *e
	g.tail++
}

// pop removes the oldest entry. There must be one.
func (g *group) pop() {
	*g.at(g.head) = entry{} // lets go of its texts
	g.head++
	if g.head%block == 0 {
		g.spare, g.blocks[0] = g.blocks[0], nil
		g.blocks = g.blocks[1:]
	}
	if g.len() == 0 && len(g.blocks) == 1 {
		g.blocks, g.newest = nil, nil
		g.head = (g.head + block - 1) / block * block
		g.tail = g.head
	}
}

// after returns the place of the first entry that is younger than the edge.
func (g *group) after(edge int64) int {
	return g.head + sort.Search(g.len(), func(i int) bool { return g.at(g.head+i).at > edge })
}

// behind returns the place of the first entry with a greater number.
func (g *group) behind(seq uint64) int {
	return g.head + sort.Search(g.len(), func(i int) bool { return g.at(g.head+i).seq > seq })
}

// since calls do for every entry younger than the edge.
func (g *group) since(edge int64, do func(*entry)) {
	for place := g.after(edge); place < g.tail; place++ {
		do(g.at(place))
	}
}

// The groups.
const (
	configuration = iota // everything that recorders record
	breakers             // transitions
	traffic              // what else the engine reports
	groups               // how many there are
)

// place returns the group of an entry.
func (e *entry) place() int {
	switch {
	case e.kind != PerformanceEvent:
		return configuration
	case e.origin == originBreaker:
		return breakers
	default:
		return traffic
	}
}

// merge calls do for the entries from the given places on, in the order of their numbers, until do returns false.
func merge(all *[groups]group, next [groups]int, do func(*entry) bool) {
	for {
		var first *entry
		from := -1
		for i := range all {
			if next[i] == all[i].tail {
				continue
			}
			if e := all[i].at(next[i]); first == nil || e.seq < first.seq {
				first, from = e, i
			}
		}
		if first == nil || !do(first) {
			return
		}
		next[from]++
	}
}
