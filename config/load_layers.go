package config

import (
	"fmt"
	"maps"
	"slices"

	"github.com/trysail-go/trysail"
)

// A layer is what one source says about calls. Layers lie on each other: what an upper one says counts.
type layer struct {
	custom     Custom
	policy     trysail.Policy
	operations map[string]trysail.OperationConfig

	// origin says where the value of a path is from: a field's name, "policy.retry.attempts", or an operation.
	origin func(path string) Origin
}

// from is the origin of a layer all of whose values are from one place.
func from(origin Origin) func(string) Origin { return func(string) Origin { return origin } }

// put lays a layer on top.
func (l *loading) put(layer layer) {
	cfg := &l.out.Trysail
	cfg.Default = layer.policy.Over(cfg.Default)
	for name, own := range layer.operations {
		l.operation(name, own)
	}
	for short, long := range Aliases() { // both names are one operation, unless the layer itself gives them different things
		own, hasShort := layer.operations[short]
		other, hasLong := layer.operations[long]
		switch {
		case hasShort && !hasLong:
			l.operation(long, own)
		case hasLong && !hasShort:
			l.operation(short, other)
		}
	}
	layer.custom.put(cfg)
	l.out.Custom = layer.custom.Over(l.out.Custom)
	l.out.layers = append(l.out.layers, layer)
}

// operation gives an operation what a layer says about it. Its strategy is a matter of the layers: it
// must lie over that of the preset, and below that of the environment.
func (l *loading) operation(name string, own trysail.OperationConfig) {
	cfg := &l.out.Trysail
	if own.Strategy != "" {
		cfg.Strategies[name] = own.Strategy
	}
	before := cfg.Operations[name]
	cfg.Operations[name] = trysail.OperationConfig{Policy: own.Policy.Over(before.Policy)}
}

// start begins with a preset.
func (l *loading) start(p Preset, origin Origin) {
	disabled := l.out.Trysail.Disabled
	l.out.Preset = p
	l.out.Trysail = p.Config()
	l.out.Trysail.Disabled = disabled
	if l.out.Trysail.Strategies == nil {
		l.out.Trysail.Strategies = map[string]trysail.Strategy{}
	}
	l.out.Trysail.Operations = make(map[string]trysail.OperationConfig, l.size())
	l.out.base = layer{policy: l.out.Trysail.Default, origin: from(Origin{FromPreset, p.Key})}
	l.out.general = append([]Value{{Name: "preset", Value: p.Key, Origin: origin}}, l.out.general...)
}

// size is how many operations the file names.
func (l *loading) size() int {
	if l.File == nil {
		return 0
	}
	return len(l.File.Operations)
}

// file lays on top what the file says.
func (l *loading) file() {
	doc := l.File
	if doc == nil {
		return
	}
	l.step("read %s", doc.Name)
	if !l.said.replaced { // else somebody has replaced these numbers
		l.template(doc)
		if !doc.Custom.empty() {
			l.put(layer{custom: doc.Custom, origin: func(path string) Origin { return doc.Origin("custom." + path) }})
			l.step("numbers of %s", doc.Name)
		}
	}
	if doc.Policy != (trysail.Policy{}) || len(doc.Operations) > 0 {
		l.put(layer{policy: doc.Policy, operations: doc.Operations, origin: doc.Origin})
		l.step("policies of %s, %d operations", doc.Name, len(doc.Operations))
	}
	l.out.Trysail.Classes = maps.Clone(doc.Classes)
	l.out.classes.origin = doc.Origin
	l.out.Trysail.ObserveCalls = doc.ObserveCalls
}

func (l *loading) template(doc *Document) {
	if doc.Template == "" {
		return
	}
	find := l.Templates
	if find == nil {
		find = TemplateByName
	}
	template, err := find(doc.Template)
	if err != nil {
		l.fail("load_template", fmt.Errorf("%w (%s)", err, doc.Origin("template")))
		return
	}
	l.put(layer{custom: template.Custom, origin: from(Origin{FromTemplate, doc.Template})})
	l.out.general = slices.Insert(l.out.general, 1, Value{Name: "template", Value: doc.Template, Origin: doc.Origin("template")})
	l.step("template %s", doc.Template)
}

// empty reports whether c says nothing.
func (c Custom) empty() bool { return len(c.keys()) == 0 }

// keys returns the names of the fields that c gives, in the order of the table.
func (c Custom) keys() []string {
	var names []string
	for i := range fields {
		if fields[i].givenIn(&c) {
			names = append(names, fields[i].Name)
		}
	}
	return names
}

func (f *Field) givenIn(c *Custom) bool {
	switch f.Kind {
	case KindInteger:
		return *f.whole(c) != nil
	case KindNumber:
		return *f.real(c) != nil
	case KindBoolean:
		return *f.truth(c) != nil
	case KindString:
		return *f.choice(c) != nil
	default:
		return len(c.OperationOverrides) > 0
	}
}
