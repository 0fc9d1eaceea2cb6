package trysailtest

import (
	"bufio"
	"bytes"
	"embed"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// shapeFiles holds one HTTP response a file, as it would come over the wire. The
// bodies are our own wording in the shape that the provider documents.
//
//go:embed shapes
var shapeFiles embed.FS

// shapeNames lists the answers that FaultShape can send, in order.
func shapeNames() []string {
	entries, err := shapeFiles.ReadDir("shapes")
	if err != nil { // it is part of the program
		return nil
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = strings.TrimSuffix(entry.Name(), ".http")
	}
	slices.Sort(names)
	return names
}

// shape is an answer as its file has it.
type shape struct {
	status int
	header http.Header
	body   []byte
}

// sendShape sends another provider's answer, whatever was asked.
func (x *exchange) sendShape(name string) {
	s, err := readShape(name, time.Now())
	if err != nil {
		x.failStatus(http.StatusInternalServerError)
		return
	}
	for header, values := range s.header {
		x.w.Header()[header] = values
	}
	x.write(s.status, s.body)
}

// readShape reads a shape's file. {in-15s-ms} in it stands for 15 seconds from now in
// milliseconds since 1970.
func readShape(name string, now time.Time) (shape, error) {
	file, err := shapeFiles.ReadFile("shapes/" + name + ".http")
	if err != nil {
		return shape{}, err
	}
	reset := strconv.FormatInt(now.Add(15*time.Second).UnixMilli(), 10)
	file = bytes.ReplaceAll(file, []byte("{in-15s-ms}"), []byte(reset))
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(file)), nil)
	if err != nil {
		return shape{}, err
	}
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return shape{}, err
	}
	return shape{resp.StatusCode, resp.Header, bytes.TrimSuffix(body, []byte("\n"))}, nil
}
