package llm

import (
	"bytes"
	"strconv"
	"time"
)

// The places in which bodies carry codes. All of them are looked at together;
// each holds the last value that the body gave it.
const (
	topCode = iota
	topType
	topStatus
	topErrorType
	errorCode
	errorType
	errorStatus
	errorErrorType
	detailCode
	innerCode
	availabilityCode
	metadataType
	googleReason
	amazonType
	headerCode
	outerCode // told by the methods of an error, see ClassifyError
	places
)

// A report is what a body says about an error. Its slices are parts of the body.
type report struct {
	codes      [places][]byte
	topMessage []byte
	message    []byte
	requestID  []byte
	number     int  // the status that the error names
	original   int  // what the model behind Bedrock answered
	failed     bool // there is an error
	announced  bool // the body calls itself an error, whatever its "error" holds

	limitSource []byte // OpenRouter
	flagged     bool   // OpenRouter: moderation or a guardrail
	final       bool   // OpenRouter: availability.retryable is false
	passing     bool   // OpenRouter: it is true

	quotaNamed bool // Google: the body says which quota
	perDay     bool // Google: and one of them is a day's

	hint    time.Duration
	hasHint bool

	end        []byte // why a model stopped, if that is all there is
	blocked    bool   // Gemini: the prompt was blocked
	candidates bool   // Gemini: there is an answer
}

// read reads a body, or a frame. An array is taken for its elements, one after
// the other: Gemini streams so, errors included.
func (r *report) read(body []byte) {
	w := walker{data: bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))}
	switch w.next() {
	case '{', '[':
		r.readTop(&w)
	}
}

// readTop reads an object that is an envelope, an error without one, or an answer.
func (r *report) readTop(w *walker) {
	if w.next() == '[' && w.enter('[') {
		for w.more() {
			r.readTop(w)
		}
		return
	}
	for key := range w.members {
		switch string(key) {
		case "error":
			r.readError(w)
		case "errors": // Cloudflare's own interface, where a good answer has an empty one
			failed := r.failed
			r.readErrorList(w)
			r.failed = failed
		case "message", "detail":
			r.readMessage(w, &r.topMessage)
		case "code":
			r.codes[topCode] = w.value()
			r.readNumber(r.codes[topCode])
		case "type", "event_type":
			r.codes[topType] = w.value()
			r.announced = r.announced || string(r.codes[topType]) == "error" || string(r.codes[topType]) == "response.failed"
		case "status":
			r.codes[topStatus] = w.value()
		case "object": // flat errors of vLLM and Mistral
			r.announced = string(w.value()) == "error" || r.announced
		case "error_type":
			r.codes[topErrorType] = w.value()
		case "__type":
			r.codes[amazonType] = cutType(w.value())
		case "request_id":
			r.requestID = w.text()
		case "response": // of an event of the Responses API
			r.readTop(w)
		default:
			if !r.readSide(w, key) && !r.readAnswer(w, key) {
				w.skip()
			}
		}
	}
}

// readError reads the value of "error", which is an object or, at Ollama, TGI,
// Hugging Face and xAI, a text.
func (r *report) readError(w *walker) {
	switch w.next() {
	case '"':
		r.forgetError()
		r.message = w.quoted()
		r.failed = len(r.message) > 0
	case '{':
		r.forgetError()
		r.readErrorObject(w)
	case '[': // Hugging Face lists texts, others objects
		r.forgetError()
		r.readErrorList(w)
	default: // null and false are no error
		w.skip()
		if !r.announced {
			r.forgetError()
		}
	}
}

// forgetError makes a key that comes twice count the second time.
func (r *report) forgetError() {
	clear(r.codes[errorCode : googleReason+1])
	r.message, r.number, r.failed = nil, 0, false
}

func (r *report) readErrorList(w *walker) {
	for range w.elements {
		r.failed = true
		if w.next() == '{' {
			r.readErrorObject(w)
		} else if text := w.text(); len(r.message) == 0 {
			r.message = text
		}
	}
}

func (r *report) readErrorObject(w *walker) {
	for key := range w.members {
		r.failed = true // an empty object is no error
		switch string(key) {
		case "message":
			r.readMessage(w, &r.message)
		case "error": // an envelope in an envelope
			r.readMessage(w, &r.message)
		case "code":
			r.codes[errorCode] = w.value()
			r.readNumber(r.codes[errorCode])
		case "http_status": // not TGI's http_status_code, which is 422 for every error
			if v := w.value(); r.number == 0 {
				r.readNumber(v)
			}
		case "type":
			r.codes[errorType] = w.value()
		case "status":
			r.codes[errorStatus] = w.value()
		case "error_type":
			r.codes[errorErrorType] = w.value()
		default:
			if !r.readSide(w, key) {
				w.skip()
			}
		}
	}
}

// readMessage reads a text, or the error that stands where a text should.
func (r *report) readMessage(w *walker, message *[]byte) {
	switch w.next() {
	case '"':
		*message = w.quoted()
	case '{':
		failed := r.failed
		r.readErrorObject(w)
		r.failed = failed
	default:
		w.skip()
	}
}

// readNumber takes a code that is a status.
func (r *report) readNumber(v []byte) {
	if len(v) != 3 {
		return
	}
	if n, err := strconv.Atoi(string(v)); err == nil && n >= 400 && n <= 599 {
		r.number = n
	}
}

// readSide reads what stands beside code and message, and reports whether the key was its.
func (r *report) readSide(w *walker, key []byte) bool {
	switch string(key) {
	case "details":
		r.readDetails(w)
	case "metadata":
		r.readMetadata(w)
	case "innererror", "inner_error":
		r.readCode(w, innerCode)
	case "availability":
		r.readAvailability(w)
	case "originalStatusCode":
		r.original, _ = strconv.Atoi(string(w.value()))
	case "estimated_time": // Hugging Face, in seconds
		r.readHint(w.value())
	default:
		return false
	}
	return true
}

// readCode reads the code of a nested object.
func (r *report) readCode(w *walker, place int) {
	for key := range w.members {
		switch string(key) {
		case "code", "error_code":
			r.codes[place] = w.value()
		default:
			w.skip()
		}
	}
}

// readAvailability reads what OpenRouter says about a model.
func (r *report) readAvailability(w *walker) {
	for key := range w.members {
		switch string(key) {
		case "code":
			r.codes[availabilityCode] = w.value()
		case "retryable":
			v := w.value()
			r.final, r.passing = string(v) == "false", string(v) == "true"
		case "retry_after":
			r.readHint(w.value())
		default:
			w.skip()
		}
	}
}

// readMetadata reads OpenRouter's "metadata", and that of Google's ErrorInfo.
func (r *report) readMetadata(w *walker) {
	for key := range w.members {
		switch string(key) {
		case "error_type":
			r.codes[metadataType] = w.value()
		case "limit_source":
			r.limitSource = w.value()
		case "reasons", "flagged_input", "patterns":
			r.flagged = r.flagged || filled(w)
			w.skip()
		case "quota_limit":
			r.nameQuota(w.value())
		default:
			w.skip()
		}
	}
}

// filled reports whether what comes next is more than null or empty. It moves nothing.
func filled(w *walker) bool {
	switch w.next() {
	case '"':
		return w.pos+1 < len(w.data) && w.data[w.pos+1] != '"'
	case '[', '{':
		ahead := walker{data: w.data, pos: w.pos + 1}
		c := ahead.next()
		return c != ']' && c != '}'
	default:
		return false
	}
}

// readHint takes a wait in seconds.
func (r *report) readHint(v []byte) {
	if d, ok := decimal(string(v), time.Second); ok {
		r.hint, r.hasHint = d, true
	}
}

// cutType cuts Amazon's name of an error out of "namespace#Name:address".
func cutType(v []byte) []byte {
	if _, name, found := bytes.Cut(v, []byte("#")); found {
		v = name
	}
	v, _, _ = bytes.Cut(v, []byte(":"))
	return v
}
