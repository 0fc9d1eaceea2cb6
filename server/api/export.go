package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/trysail-go/trysail/monitor"
)

// An exportInput says what to export.
type exportInput struct {
	Format formatName `query:"format" default:"json" doc:"json or csv, in upper or lower case."`
	Hours  int        `query:"time_window_hours" minimum:"1" maximum:"720" doc:"Hours that the window goes back. Without it all that is remembered."`
	Stream bool       `query:"stream" doc:"Whether to answer the text itself, json as one object per line, instead of a JSON answer that holds it."`
}

// A formatName is the name of a format, regardless of case.
type formatName string

// Schema implements [huma.SchemaProvider].
func (formatName) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Examples: []any{"csv"}, Extensions: asWritten{"pattern": anyCase("json", "csv")}}
}

// An exportView is the answer that is no stream. It is written in parts, so that its memory does not grow with the text.
type exportView struct {
	Format  string    `json:"format" enum:"json,csv"`
	Hours   *int      `json:"time_window_hours" doc:"Null when all that is remembered was asked for."`
	Data    string    `json:"data" doc:"The events: the text of a JSON array, or CSV with a line of names."`
	Records int       `json:"record_count" doc:"Events in data."`
	Missed  int       `json:"missed_count" doc:"Events that went while data was written, because newer ones needed their place."`
	Time    time.Time `json:"export_timestamp" doc:"When it began: later events are not in it."`
}

// around returns what stands before and after the text of data.
func (v *exportView) around() (before, after []byte, err error) {
	whole, err := encode(v)
	if err != nil {
		return nil, nil, err
	}
	const open, end = `"data":"`, `"`
	before, after, _ = bytes.Cut(whole, []byte(open+end))
	return append(slices.Clip(before), open...), append([]byte(end), after...), nil
}

const (
	typeJSON   = "application/json"
	typeNDJSON = "application/x-ndjson"
	typeCSV    = "text/csv; charset=utf-8"
)

func exportMedia() media {
	return media{typeJSON: schemaOf[exportView], typeNDJSON: schemaOf[string], "text/csv": schemaOf[string]}
}

func (a *API) export(_ context.Context, in *exportInput) (*stream, error) {
	format, err := monitor.ParseFormat(string(in.Format))
	if err != nil || format == monitor.NDJSON {
		return nil, badRequest("Format must be 'json' or 'csv'",
			Fault{Location: "query.format", Message: "unknown format; value has the known ones", Value: []string{"json", "csv"}})
	}
	window := hoursOf(in.Hours)
	if !in.Stream {
		return &stream{
			header: map[string]string{"Content-Type": typeJSON},
			write:  func(ctx context.Context, to *flow) error { return a.exportInside(ctx, to, format, in.Hours) },
		}, nil
	}
	name, contentType := "events.csv", typeCSV
	if format == monitor.JSON {
		name, contentType, format = "events.ndjson", typeNDJSON, monitor.NDJSON
	}
	return &stream{
		header: map[string]string{"Content-Type": contentType, "Content-Disposition": fmt.Sprintf("attachment; filename=%q", name)},
		write: func(ctx context.Context, to *flow) error {
			done, err := a.monitor.Export(ctx, to, format, window)
			to.trail("X-Record-Count", done.Events)
			to.trail("X-Missed-Count", done.Missed)
			return err
		},
	}, nil
}

// exportInside writes an [exportView].
func (a *API) exportInside(ctx context.Context, to io.Writer, format monitor.Format, hours int) error {
	view := exportView{Format: string(format)}
	if hours > 0 {
		view.Hours = &hours
	}
	before, _, err := view.around()
	if err != nil {
		return err
	}
	if _, err := to.Write(before); err != nil {
		return err
	}
	done, err := a.monitor.Export(ctx, &quoter{to: to}, format, hoursOf(hours))
	if err != nil {
		return err
	}
	view.Records, view.Missed, view.Time = done.Events, done.Missed, instant(done.Time)
	_, after, err := view.around()
	if err != nil {
		return err
	}
	_, err = to.Write(after)
	return err
}

// A quoter writes text as the inside of a JSON string. The text must be UTF-8.
type quoter struct {
	to     io.Writer
	buffer []byte
}

// Write implements [io.Writer].
func (q *quoter) Write(p []byte) (int, error) {
	q.buffer = q.buffer[:0]
	from := 0
	for i, c := range p {
		if c < ' ' || c == '"' || c == '\\' {
			q.buffer = appendEscape(append(q.buffer, p[from:i]...), c)
			from = i + 1
		}
	}
	q.buffer = append(q.buffer, p[from:]...)
	if _, err := q.to.Write(q.buffer); err != nil {
		return 0, err
	}
	return len(p), nil
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	default:
		return fmt.Appendf(b, `\u%04x`, c)
	}
}
