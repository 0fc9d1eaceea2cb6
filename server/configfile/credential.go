package configfile

import "reflect" //nolint:depguard // ADR 13: one decoder for the types of all packages

// A Credential is a [Secret] that may have a name. In a file it is written as a secret, with the name beside it:
//
//   - ${OPENAI_API_KEY}
//   - {name: reserve, env: OPENAI_API_KEY_2}
//   - {name: reserve, file: /run/secrets/key}
type Credential struct {
	Name string
	Key  Secret
}

// credential reads a credential.
func (d *decoder) credential(v *value, into reflect.Value, path string) {
	var name string
	rest := *v
	rest.entries = nil
	for _, e := range v.entries {
		if e.name == "name" {
			d.scalar(e.value, reflect.ValueOf(&name).Elem(), join(path, "name"))
			continue
		}
		rest.entries = append(rest.entries, e)
	}
	var key Secret
	d.secret(&rest, reflect.ValueOf(&key).Elem(), path)
	into.Set(reflect.ValueOf(Credential{name, key}))
}
