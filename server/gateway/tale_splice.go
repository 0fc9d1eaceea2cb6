package gateway

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/trysail-go/trysail/llm"
)

// notText is the error of a stream that goes on with something that has no place in the client's.
var notText = badAnswer{"something other than text where the rest of a text was expected"} //nolint:gochecknoglobals,errname // a constant

// splice returns a frame of the stream that goes on as the client's stream has it: with the ids and indices of its own, without a second begin, and with what
// was used before added up. It is nil for one that the client has no use for.
func (t *tale) splice(frame []byte) ([]byte, error) {
	data := dataOf(frame)
	var f storyFrame
	switch {
	case len(bytes.TrimSpace(data)) == 0, string(data) == "[DONE]":
		return frame, nil
	case json.Unmarshal(data, &f) != nil, f.Type == "error", len(f.Error) > 0 && string(f.Error) != "null":
		return nil, notText
	}
	var all map[string]json.RawMessage
	_ = json.Unmarshal(data, &all) // it just could be
	if t.dialect == llm.AnthropicMessages {
		return t.spliceEvent(&f, all)
	}
	return t.spliceChunk(&f, all)
}

// spliceChunk does it with a chunk of a chat completion.
func (t *tale) spliceChunk(f *storyFrame, all map[string]json.RawMessage) ([]byte, error) {
	for name, ours := range map[string]json.RawMessage{"id": t.id, "model": t.model, "created": t.created} {
		if ours != nil {
			all[name] = ours
		}
	}
	idle := len(f.Choices) > 0
	var choices []map[string]json.RawMessage
	_ = json.Unmarshal(all["choices"], &choices)
	for i, c := range f.Choices {
		text, plain := textIn(c.Delta)
		if !plain || c.Index != 0 {
			return nil, notText
		}
		idle = idle && text == "" && c.Finish == nil
		delete(c.Delta, "role") // it has been told
		if c.Delta != nil {
			choices[i]["delta"] = encoded(c.Delta)
		}
	}
	told := t.addUp(all, "completion_tokens")
	if idle && !told {
		return nil, nil //nolint:nilnil // nothing, and nothing wrong
	}
	if len(choices) > 0 {
		all["choices"] = encoded(choices)
	}
	return []byte("data: " + string(encoded(all)) + "\n\n"), nil
}

// spliceEvent does it with an event of a message.
func (t *tale) spliceEvent(f *storyFrame, all map[string]json.RawMessage) ([]byte, error) {
	before := ""
	switch f.Type {
	case "message_start":
		return nil, nil //nolint:nilnil // nothing, and nothing wrong
	case "content_block_start":
		if f.Block.Type != "text" || f.Index != 0 {
			return nil, notText
		}
		return nil, nil //nolint:nilnil // nothing, and nothing wrong
	case "content_block_delta":
		if f.Delta.Type != "text_delta" || f.Index != 0 {
			return nil, notText
		}
		all["index"] = encoded(t.block)
		if t.trimmed { // the client has had its white space
			text := strings.TrimLeft(f.Delta.Text, " \t\r\n")
			if text == "" {
				return nil, nil //nolint:nilnil // nothing, and nothing wrong
			}
			t.trimmed = false
			all["delta"] = encoded(map[string]string{"type": "text_delta", "text": text})
		}
	case "content_block_stop":
		if f.Index != 0 {
			return nil, notText
		}
		all["index"], t.open = encoded(t.block), false
	case "message_delta":
		t.addUp(all, "output_tokens")
		if t.open { // there was nothing left to say
			t.open = false
			end := map[string]any{"type": "content_block_stop", "index": t.block}
			before = "event: content_block_stop\ndata: " + string(encoded(end)) + "\n\n"
		}
	default:
	}
	return []byte(before + "event: " + f.Type + "\ndata: " + string(encoded(all)) + "\n\n"), nil
}

// addUp adds the tokens that came before to those that a frame tells, and to their total. It reports whether it tells any.
func (t *tale) addUp(all map[string]json.RawMessage, output string) bool {
	var usage map[string]json.RawMessage
	if json.Unmarshal(all["usage"], &usage) != nil || usage == nil {
		return false
	}
	for _, name := range [...]string{output, "total_tokens"} {
		var n int64
		if usage[name] != nil && json.Unmarshal(usage[name], &n) == nil {
			usage[name] = encoded(n + int64(t.events))
		}
	}
	all["usage"] = encoded(usage)
	return true
}
