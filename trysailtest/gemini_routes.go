package trysailtest

import (
	"net/http"
	"strings"
)

// gemini is the protocol of Google's Gemini API.
type gemini struct{}

const (
	verbGenerate = "generateContent"
	verbStream   = "streamGenerateContent"
	verbCount    = "countTokens"
)

// geminiTarget reads a path such as /v1beta/models/gemini-x:generateContent. Vertex AI
// has longer ones with the same end. The verb is blank for any other path.
func geminiTarget(path string) (model, verb string) {
	at := strings.LastIndexByte(path, ':')
	if at < 0 {
		return "", ""
	}
	switch verb = path[at+1:]; verb {
	case verbGenerate, verbStream, verbCount:
		return path[strings.LastIndexByte(path[:at], '/')+1 : at], verb
	default:
		return "", ""
	}
}

func (gemini) serve(x *exchange) {
	path, serve := x.r.URL.Path, (*exchange).geminiGenerate
	_, verb := geminiTarget(path)
	switch verb {
	case verbGenerate, verbStream:
	case verbCount:
		serve = (*exchange).geminiCount
	default:
		x.follow([]route{{http.MethodGet, "/v1beta/models", (*exchange).geminiModels}})
		return
	}
	x.follow([]route{{http.MethodPost, path, serve}})
}

// head sets nothing: Gemini has no headers for limits or for the request's id.
func (gemini) head(http.Header, *exchange) {}

// inArray reports whether the request wants its stream as one JSON array.
func (x *exchange) inArray() bool {
	_, verb := geminiTarget(x.r.URL.Path)
	return verb == verbStream && x.r.URL.Query().Get("alt") != "sse"
}

func (x *exchange) geminiModels() {
	type model struct {
		Name             string   `json:"name"`
		Version          string   `json:"version"`
		DisplayName      string   `json:"displayName"`
		InputTokenLimit  int      `json:"inputTokenLimit"`
		OutputTokenLimit int      `json:"outputTokenLimit"`
		Methods          []string `json:"supportedGenerationMethods"`
	}
	var list struct {
		Models []model `json:"models"`
	}
	for _, id := range chatModels() {
		list.Models = append(list.Models, model{
			"models/" + id, "001", id, 1048576, 65536, []string{verbGenerate, verbCount},
		})
	}
	x.answerJSON(list)
}
