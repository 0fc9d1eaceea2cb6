package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// A rawBody is a JSON body as it came: what a configuration says is not to be lost in decoding. Shape has
// its schema, which huma checks.
type rawBody[Shape huma.SchemaProvider] struct{ text []byte }

// UnmarshalJSON implements [json.Unmarshaler].
func (b *rawBody[Shape]) UnmarshalJSON(text []byte) error {
	b.text = bytes.Clone(text)
	return nil
}

// Schema implements [huma.SchemaProvider].
func (rawBody[Shape]) Schema(r huma.Registry) *huma.Schema {
	var shape Shape
	return shape.Schema(r)
}

// members returns the members of a body that is an object, as they are written. Unlike encoding/json, and huma,
// it takes names in no other case and no name twice: of two one would silently lose.
func (b *rawBody[Shape]) members(names ...string) (map[string]json.RawMessage, error) {
	found := map[string]json.RawMessage{}
	d := json.NewDecoder(bytes.NewReader(b.text))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, unusable("body", "wanted an object")
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, unusable("body", "wanted a JSON value")
		}
		name, _ := token.(string)
		if !slices.Contains(names, name) {
			return nil, unusable("body."+name, "unexpected property; wanted "+strings.Join(names, " or ")+", in lower case")
		}
		if _, twice := found[name]; twice {
			return nil, unusable("body."+name, "it stands there twice; wanted it once")
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, unusable("body."+name, "wanted a JSON value")
		}
		found[name] = value
	}
	return found, nil
}

// unusable is the problem of a request that no answer can be given to.
func unusable(location, message string) error {
	return &problemError{Problem{
		Status: http.StatusUnprocessableEntity,
		Detail: "The request is not valid; errors says why",
		Errors: []Fault{{Location: cut(location), Message: message}},
	}}
}

// maxBatch is how many configurations one request may hold.
const maxBatch = 20

// The shapes of the bodies.
type (
	oneConfiguration   struct{} // {"configuration": {}}
	someConfigurations struct{} // that, or {"configurations": [{}]}
	configurationText  struct{} // {"json_config": ""}
)

// Schema implements [huma.SchemaProvider].
func (oneConfiguration) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: false, Required: []string{"configuration"},
		Properties: map[string]*huma.Schema{"configuration": configurationSchema()},
	}
}

// Schema implements [huma.SchemaProvider]. That there is exactly one of the two is in the document only: huma would say
// of a request without that it matches none of the schemas, where members of ours say what is missing.
func (someConfigurations) Schema(huma.Registry) *huma.Schema {
	one, most := 1, maxBatch
	return &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: false,
		Properties: map[string]*huma.Schema{
			"configuration": configurationSchema(),
			"configurations": {
				Type: huma.TypeArray, Items: configurationSchema(), MinItems: &one, MaxItems: &most,
				Description: "A batch, in place of configuration. It counts as one validation.",
			},
		},
		Extensions: map[string]any{"oneOf": []map[string]any{
			{"required": []string{"configuration"}}, {"required": []string{"configurations"}},
		}},
	}
}

// Schema implements [huma.SchemaProvider].
func (configurationText) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: false, Required: []string{"json_config"},
		Properties: map[string]*huma.Schema{
			"json_config": {
				Type: huma.TypeString, Description: "The configuration, a JSON object, as a text.",
				Examples: []any{`{"retry_attempts": 5}`},
			},
		},
	}
}

func exampleConfiguration() map[string]any {
	return map[string]any{"retry_attempts": 5, "circuit_breaker_threshold": 8, "default_strategy": "conservative"}
}

func configurationSchema() *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: true, Examples: []any{exampleConfiguration()},
		Description: "A custom configuration. Whatever is wrong with it is in the answer: any object is taken.",
	}
}

// configurations returns the configurations of a body of [someConfigurations] as they are written, and whether they are a batch.
func configurations(body *rawBody[someConfigurations]) (documents []json.RawMessage, batch bool, err error) {
	members, err := body.members("configuration", "configurations")
	if err != nil {
		return nil, false, err
	}
	one, hasOne := members["configuration"]
	many, hasMany := members["configurations"]
	switch {
	case hasOne && hasMany:
		return nil, false, unusable("body", "wanted configuration or configurations, not both")
	case hasOne && !isObject(one):
		return nil, false, unusable("body.configuration", "wanted an object")
	case hasOne:
		return []json.RawMessage{one}, false, nil
	case !hasMany:
		return nil, false, unusable("body.configuration", "wanted it, an object, or configurations, an array of objects")
	}
	other := func(document json.RawMessage) bool { return !isObject(document) }
	err = json.Unmarshal(many, &documents)
	if n := len(documents); err != nil || n < 1 || n > maxBatch || slices.ContainsFunc(documents, other) {
		return nil, false, unusable("body.configurations", fmt.Sprintf("wanted an array of 1 to %d objects", maxBatch))
	}
	return documents, true, nil
}

// isObject reports whether a JSON value without space in front is an object.
func isObject(value json.RawMessage) bool { return bytes.HasPrefix(value, []byte("{")) }

// configuration returns the configuration of a body of [oneConfiguration] as it is written.
func configuration(body *rawBody[oneConfiguration]) (json.RawMessage, error) {
	members, err := body.members("configuration")
	if err == nil && !isObject(members["configuration"]) {
		err = unusable("body.configuration", "wanted it, an object")
	}
	return members["configuration"], err
}

// textOf returns the configuration of a body of [configurationText].
func textOf(body *rawBody[configurationText]) (text string, err error) {
	members, err := body.members("json_config")
	if err != nil {
		return "", err
	}
	var read *string
	if err := json.Unmarshal(members["json_config"], &read); err != nil || read == nil {
		return "", unusable("body.json_config", "wanted it, a text with a JSON object")
	}
	return *read, nil
}
