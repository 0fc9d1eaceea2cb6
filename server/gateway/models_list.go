package gateway

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
)

// A listed model is one in a list.
type listed struct {
	name   string
	object json.RawMessage // as its provider describes it
}

// geminiPrefix stands before the names of Gemini's models.
const geminiPrefix = "models/"

var errNoList = errors.New("the answer is no list of models")

// parseModels reads a target's list. A bare list without an object around it, as Together has it, is one too.
func parseModels(p Protocol, body []byte) (list []listed, err error) {
	var whole struct{ Data, Models []json.RawMessage }
	objects := &whole.Data
	if p == GeminiProtocol {
		objects = &whole.Models
	}
	if err = json.Unmarshal(body, objects); err != nil {
		err = json.Unmarshal(body, &whole)
	}
	if err != nil || *objects == nil {
		return nil, errNoList
	}
	for _, object := range *objects {
		var m struct{ ID, Name string }
		if json.Unmarshal(object, &m) != nil {
			continue
		}
		name := m.ID
		if p == GeminiProtocol {
			name = strings.TrimPrefix(m.Name, geminiPrefix)
		}
		if name != "" {
			list = append(list, listed{name, object})
		}
	}
	return list, nil
}

// offered returns a target's models under the names by which clients ask for them.
func (t *target) offered(list []listed) (offered []listed) {
	theirs := map[string]json.RawMessage{}
	for _, m := range list {
		theirs[m.name] = m.object
		if _, mapped := t.Models[m.name]; !mapped && !t.Only {
			offered = append(offered, m)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.Models)) {
		offered = append(offered, listed{name, t.described(name, theirs[t.Models[name]])})
	}
	return offered
}

// described returns the description of a model under another name. One that the target does not list is described by what must be there; an unknown
// time is the epoch (https://docs.anthropic.com/en/api/models-list, 2025).
func (t *target) described(name string, object json.RawMessage) json.RawMessage {
	fields := map[string]any{}
	if len(object) > 0 {
		_ = json.Unmarshal(object, &fields) // it has been read before
	} else {
		switch t.Protocol {
		case AnthropicProtocol:
			fields = map[string]any{"type": "model", "display_name": name, "created_at": "1970-01-01T00:00:00Z"}
		case GeminiProtocol:
			fields = map[string]any{"version": "", "displayName": name}
		default:
			fields = map[string]any{"object": "model", "created": 0, "owned_by": t.Name}
		}
	}
	if t.Protocol == GeminiProtocol {
		fields["name"] = geminiPrefix + name
	} else {
		fields["id"] = name
	}
	made, _ := json.Marshal(fields) // it comes from JSON: it cannot fail
	return made
}

// listOf returns the list in a protocol's form, in one page.
func listOf(p Protocol, all []listed) []byte {
	objects := make([]json.RawMessage, 0, len(all))
	for _, m := range all {
		objects = append(objects, m.object)
	}
	var list any
	switch p {
	case AnthropicProtocol:
		page := struct {
			Data    []json.RawMessage `json:"data"`
			HasMore bool              `json:"has_more"`
			FirstID *string           `json:"first_id"`
			LastID  *string           `json:"last_id"`
		}{Data: objects}
		if len(all) > 0 {
			page.FirstID, page.LastID = &all[0].name, &all[len(all)-1].name
		}
		list = page
	case GeminiProtocol:
		list = map[string]any{"models": objects}
	default:
		list = map[string]any{"object": "list", "data": objects}
	}
	body, _ := json.Marshal(list) // texts, and JSON that has been read: it cannot fail
	return append(body, '\n')
}
