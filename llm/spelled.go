package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// spelledOut reads the text of an error for the JSON object that it may hold, as
// in openai-go's "received error while streaming: {…}" and cohere-go's "429: {…}", and
// for the status before it. Of a text without JSON only the forms of known clients
// are read: a text may be anybody's.
func spelledOut(err error) (Response, *report, bool) {
	text := err.Error()
	text = text[:min(len(text), MaxBody)]
	if resp, rep, ok := genaiText(text); ok {
		return resp, rep, true
	}
	status, message := statusInText(text)
	resp := Response{Status: status}
	if object, ok := goOpenAIObject(err); ok {
		resp.Body = object
		return resp, &report{announced: true}, true
	}
	if at := strings.IndexByte(text, '{'); at >= 0 {
		var probe report
		object := []byte(text[at:])
		if probe.read(object); probe.tellsError() || status != 0 {
			resp.Body = object
			return resp, &report{announced: true}, true
		}
	}
	if status == 0 {
		return Response{}, nil, false
	}
	return resp, &report{topMessage: []byte(message), announced: true}, true
}

// tellsError reports whether the object is an envelope with an error, or the inside of
// one, which is what openai-go keeps of a stream's.
func (r *report) tellsError() bool {
	return r.failed || r.announced ||
		len(r.topMessage) > 0 && (len(r.codes[topCode]) > 0 || len(r.codes[topType]) > 0 || len(r.codes[topErrorType]) > 0)
}

// goOpenAI is what the text of an APIError begins with (sashabaranov/go-openai v1.43.0, error.go).
const goOpenAI = "error, status code: "

// goOpenAIObject returns the error object that go-openai keeps in an APIError. The text has only its message, but the
// fields have the names that they had in the answer, so that the object is had back by writing it.
func goOpenAIObject(err error) ([]byte, bool) {
	for ; err != nil; err = errors.Unwrap(err) {
		if !strings.HasPrefix(err.Error(), goOpenAI) {
			continue
		}
		var probe report
		object, _ := json.Marshal(err) // of what cannot be written nothing is left to read
		if probe.read(object); probe.tellsError() {
			return object, true
		}
	}
	return nil, false
}

// statusInText returns the status that a known client's text begins with, and what
// follows it.
func statusInText(text string) (status int, message string) {
	rest, client := strings.CutPrefix(text, goOpenAI)
	if !client {
		rest, client = strings.CutPrefix(text, "API returned unexpected status code: ") // langchaingo v0.1.14
	}
	if _, after, found := strings.Cut(text, "\nRESPONSE "); found && !client { // azcore v1.24.0, ResponseError
		rest, client = after, true
	}
	if len(rest) < 3 {
		return 0, ""
	}
	status, err := strconv.Atoi(rest[:3])
	if err != nil || status < http.StatusBadRequest || status > 599 {
		return 0, ""
	}
	rest = rest[3:]
	if reason, found := strings.CutPrefix(rest, " "+http.StatusText(status)); found { // ollama: "404 Not Found: …"
		rest = reason
	}
	if _, after, found := strings.Cut(rest, ", message: "); found && client {
		return status, after
	}
	message, colon := strings.CutPrefix(rest, ": ")
	if !colon && !client && rest != "" {
		return 0, "" // a text that begins with a number by chance
	}
	return status, message
}

// genaiText reads the text of genai.APIError (google.golang.org/genai v1.77.0,
// api_client.go): "Error 429, Message: …, Status: …, Details: [map[…]]". A
// message that is JSON is the whole body, which the SDK could not read.
func genaiText(text string) (Response, *report, bool) {
	_, rest, found := strings.Cut(text, "Error ")
	number, rest, ok := strings.Cut(rest, ", Message: ")
	if !found || !ok {
		return Response{}, nil, false
	}
	// The message is the server's and may hold anything; what comes after it is
	// looked for from the end, where the details hold no such words.
	at := strings.LastIndex(rest, ", Status: ")
	code, err := strconv.Atoi(number)
	if at < 0 || err != nil {
		return Response{}, nil, false
	}
	message, status := rest[:at], rest[at+len(", Status: "):]
	status, details, _ := strings.Cut(status, ", Details: ")
	resp := Response{Status: code}
	if code < http.StatusBadRequest || code > 599 {
		resp.Status = 0 // an error inside a stream, whose envelope may have no code
	}
	rep := &report{topMessage: []byte(message), announced: true}
	if body := bytes.TrimSpace(rep.topMessage); len(body) > 0 && (body[0] == '{' || body[0] == '[') {
		resp.Body, rep.topMessage = body, nil
	}
	rep.codes[errorStatus] = []byte(status)
	rep.readPrinted(details)
	if resp.Body != nil {
		rep.codes[errorStatus] = nil // "429 Too Many Requests"; the body has the word
	}
	return resp, rep, true
}

// readPrinted reads Google's details out of a map that fmt has printed.
func (r *report) readPrinted(details string) {
	for field := range strings.FieldsFuncSeq(details, func(c rune) bool { return c == ' ' || c == '[' || c == ']' }) {
		name, value, _ := strings.Cut(field, ":")
		switch name {
		case "quotaId", "quota_limit":
			r.nameQuota([]byte(value))
		case "reason":
			r.codes[googleReason] = []byte(value)
		case "retryDelay":
			if d, ok := goDuration([]byte(value)); ok {
				r.hint, r.hasHint = d, true
			}
		}
	}
}
