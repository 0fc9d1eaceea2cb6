package llm

import "math/bits"

// A frame is what one frame of a stream tells, whatever its protocol. Its slices are parts of
// the frame's text.
type frame struct {
	name     []byte      // of the event; empty when there is none
	content  bool        // it holds output
	step     bool        // it moves the answer on without output, such as the end of a part
	ends     choiceSet   // which of several answers it completes
	ended    bool        // all of them
	blocked  bool        // because there will be none: the prompt was refused
	closed   bool        // and nothing follows
	model    []byte      // with escapes
	finished []byte      // with escapes
	counts   tokenCounts // as they are after it
	failed   bool
	raw      []byte // of the error: as JSON, or else in parts
	kind     []byte
	code     []byte
	message  []byte
}

// fail notes an error, given as JSON. Null and blank values are none.
func (f *frame) fail(raw []byte) {
	if present(raw) {
		f.failed, f.raw = true, raw
	}
}

// choiceSet is a set of the answers to one request, by their index.
type choiceSet [2]uint64

// maxChoices is how many answers OpenAI gives at most.
const maxChoices = 128

func (c *choiceSet) add(index int64) {
	if index >= 0 && index < maxChoices {
		c[index/64] |= 1 << (index % 64)
	}
}

func (c *choiceSet) join(other choiceSet) {
	c[0] |= other[0]
	c[1] |= other[1]
}

func (c *choiceSet) len() int { return bits.OnesCount64(c[0]) + bits.OnesCount64(c[1]) }
