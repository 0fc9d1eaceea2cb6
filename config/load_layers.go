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
	l.operations(layer.operations)
	layer.custom.put(cfg)
	l.out.Custom = layer.custom.Over(l.out.Custom)
	l.out.layers = append(l.out.layers, layer)
}

// operations takes over what a layer says about single operations. It is called once: only a file names any. Their strategies are a matter of
// the layers: they must lie over that of the preset, and below that of the environment. So they go to Strategies, which overrules
// what Operations say.
//
// The map stays the layer's own, because it is most of a configuration, unless an operation has two names: then it is there under
// both, unless the layer itself gives them different things.
func (l *loading) operations(all map[string]trysail.OperationConfig) {
	if len(all) == 0 {
		return
	}
	cfg, shared := &l.out.Trysail, true
	cfg.Operations = all
	for _, alias := range aliases {
		own, hasShort := all[alias.short]
		other, hasLong := all[alias.long]
		if hasShort == hasLong {
			continue
		}
		if shared {
			cfg.Operations, shared = maps.Clone(all), false
		}
		if hasShort {
			cfg.Operations[alias.long] = own
		} else {
			cfg.Operations[alias.short] = other
		}
	}
	for name, own := range cfg.Operations {
		if own.Strategy != "" {
			cfg.Strategies[name] = own.Strategy
		}
	}
}

// start begins with a preset.
func (l *loading) start(p Preset, origin Origin) {
	disabled := l.out.Trysail.Disabled
	l.out.Preset = p
	l.out.Trysail = p.Config()
	l.out.Trysail.Disabled = disabled
	if given, more := l.out.Trysail.Strategies, l.size(); given == nil || more > 0 { // the file's go to the same map
		l.out.Trysail.Strategies = make(map[string]trysail.Strategy, len(given)+more)
		maps.Copy(l.out.Trysail.Strategies, given)
	}
	l.out.Trysail.Operations = map[string]trysail.OperationConfig{}
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
