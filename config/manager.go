package config

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/trysail-go/trysail"
)

// maxPresets bounds a manager: every message about an unknown preset lists them all.
const maxPresets = 100

// A Manager holds presets by their keys: the built-in ones and those of the program's own. It is safe for concurrent
// use; readers never wait. The zero value, and a nil Manager that is only read, hold the built-in presets.
type Manager struct {
	writing sync.Mutex // held while a new catalog is made
	now     atomic.Pointer[catalog]
}

// A catalog is what a manager holds at one time. Nothing changes it.
type catalog struct {
	entries map[string]Entry
	keys    []string // in the order of lists
}

// An Entry is a preset as a [Manager] holds it. Nobody can change it, so that looking one up copies nothing.
// The zero Entry is the preset of no name and without numbers.
type Entry struct{ *held }

type held struct {
	preset     Preset
	policy     trysail.Policy
	strategies map[string]trysail.Strategy // under both names
}

// builtin is what every manager begins with.
var builtin = func() *catalog { //nolint:gochecknoglobals // a table that nothing changes
	c := &catalog{entries: map[string]Entry{}}
	for _, p := range Presets() {
		c.put(p)
	}
	return c
}()

// NewManager returns a manager of the built-in presets.
func NewManager() *Manager { return &Manager{} }

// Names returns the keys of all presets: simple, development, production, then those that were registered, in that
// order. The caller owns the list.
func (m *Manager) Names() []string { return slices.Clone(m.catalog().keys) }

// List returns all presets in the order of [Manager.Names]. The caller owns them.
func (m *Manager) List() []Preset {
	c := m.catalog()
	all := make([]Preset, len(c.keys))
	for i, key := range c.keys {
		all[i] = c.entries[key].Preset()
	}
	return all
}

// Get returns the preset with that key, which is case-sensitive. The error for any other key is the specification's,
// word for word. The caller owns the preset.
func (m *Manager) Get(key string) (Preset, error) {
	entry, err := m.Lookup(key)
	if err != nil {
		return Preset{}, err
	}
	return entry.Preset(), nil
}

// Lookup is [Manager.Get] without the copy: it takes some 20 ns and allocates nothing.
func (m *Manager) Lookup(key string) (Entry, error) {
	c := m.catalog()
	if entry, ok := c.entries[key]; ok {
		return entry, nil
	}
	return Entry{}, fmt.Errorf("Invalid preset %s. Available: ['%s']", quote(key), strings.Join(c.keys, "', '"))
}

// Register adds a preset under a key, or replaces one that was registered under it before, which keeps its place in lists.
// The preset's own Key is not looked at. Nothing is registered when the report has errors; the warnings are for people.
// The key has 1 to 50 letters, digits, - and _, all in lower case. Built-in presets cannot be replaced. A manager
// holds up to 100 presets.
func (m *Manager) Register(key string, p Preset) Report {
	p = p.clone()
	p.Key = key
	report := p.Check()
	checkKey(key, &report)
	m.writing.Lock()
	defer m.writing.Unlock()
	c := m.catalog()
	if _, known := c.entries[key]; !known && len(c.keys) >= maxPresets {
		report.refuse(Finding{
			Path: "key", Rule: RuleLimit, Message: fmt.Sprintf("Preset %s is one too many: there are %d already (max: %d)", quote(key), len(c.keys), maxPresets),
			Suggestion: "Replace a preset that you no longer need by registering another under its key",
		})
	}
	if report.Valid() {
		m.now.Store(c.with(p))
	}
	return report
}

// Preset returns the entry's preset. The caller owns it.
func (e Entry) Preset() Preset {
	if e.held == nil {
		return Preset{}
	}
	return e.preset.clone()
}

// Policy returns the numbers of the operations that follow the preset's default strategy.
func (e Entry) Policy() trysail.Policy {
	if e.held == nil {
		return trysail.Policy{}
	}
	return e.policy
}

// Strategy returns the strategy that the preset alone gives to an operation, by its short or long name. See [Preset.Resolve]
// for what others may say.
func (e Entry) Strategy(operation string) trysail.Strategy {
	if e.held == nil {
		return trysail.Balanced
	}
	if s, ok := e.strategies[operation]; ok {
		return s
	}
	return e.preset.DefaultStrategy
}

// catalog returns what m holds now.
func (m *Manager) catalog() *catalog {
	if m != nil {
		if c := m.now.Load(); c != nil {
			return c
		}
	}
	return builtin
}

// with returns a catalog that also holds p.
func (c *catalog) with(p Preset) *catalog {
	next := &catalog{entries: make(map[string]Entry, len(c.entries)+1), keys: slices.Clone(c.keys)}
	for key, entry := range c.entries {
		next.entries[key] = entry
	}
	next.put(p)
	return next
}

func (c *catalog) put(p Preset) {
	if _, known := c.entries[p.Key]; !known {
		c.keys = append(c.keys, p.Key)
	}
	c.entries[p.Key] = Entry{&held{preset: p, policy: p.policy(), strategies: withAliases(p.OperationOverrides)}}
}

// checkKey refuses keys that operators could not write, or that mean something else.
func checkKey(key string, report *Report) {
	refuse := func(message, remedy string) {
		report.refuse(Finding{Path: "key", Message: message, Suggestion: remedy, Rule: RuleShape})
	}
	_, known := builtin.entries[key]
	switch {
	case len(key) == 0 || len(key) > maxName || strings.ContainsFunc(key, notInKey):
		refuse(fmt.Sprintf("Preset key %s is not a name: it must be 1 to %d lower-case letters, digits, - and _", quote(key), maxName),
			"Write a key such as high_throughput")
	case known:
		refuse(fmt.Sprintf("Preset %s is built in and cannot be replaced", quote(key)), "Register your preset under a key of its own, such as my_"+key)
	case key == "auto" || key == "legacy":
		refuse(fmt.Sprintf("Preset key %s has a meaning of its own: auto asks for detection, legacy means the old variables", quote(key)),
			"Register your preset under another key, such as my_"+key)
	}
}

func notInKey(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
}
