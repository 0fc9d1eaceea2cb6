package gateway

import (
	"mime"
	"net/http"
	"strings"
)

// mediaType returns the media type of a body, without its parameters and in small letters; "" if there is none, or it cannot be read.
func mediaType(h http.Header) string { return mediaTypeOf(h.Get("Content-Type")) }

func mediaTypeOf(contentType string) string {
	switch contentType {
	case "application/json", "text/event-stream": // nearly all are
		return contentType
	case "application/json; charset=utf-8":
		return "application/json"
	case "text/event-stream; charset=utf-8":
		return "text/event-stream"
	}
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	return kind
}

func isJSON(contentType string) bool {
	kind := mediaTypeOf(contentType)
	return kind == "application/json" || strings.HasSuffix(kind, "+json")
}
