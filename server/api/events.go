package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/trysail-go/trysail/monitor"
)

const (
	pollEvery    = 200 * time.Millisecond // how late an event may be
	beatEvery    = 15 * time.Second       // proxies cut what is silent for longer, often after 30 or 60 s
	maxFollowers = 64                     // each is a connection for hours
	eventsAtOnce = 64
	reconnectMS  = 3000
)

// An eventsInput says where to begin.
type eventsInput struct {
	LastID lastID `header:"Last-Event-ID" doc:"The id of the last event that the client has, or 0."`
}

// A lastID is the id of the last event that a client has, such as "17-1764068400000000000".
type lastID string

// Schema implements [huma.SchemaProvider].
func (lastID) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Examples: []any{"0"}, Extensions: asWritten{"pattern": "^[0-9]{1,19}(-[0-9]{1,18})?$"}}
}

func eventsMedia() media { return media{"text/event-stream": schemaOf[string]} }

// events follows the monitor. The form is that of https://html.spec.whatwg.org/multipage/server-sent-events.html.
func (a *API) events(_ context.Context, in *eventsInput) (*stream, error) {
	f := follower{monitor: a.monitor, stopped: a.stopped}
	if err := f.begin(string(in.LastID)); err != nil {
		return nil, err
	}
	select {
	case <-a.stopped:
		return nil, &laterError{"The server is stopping"}
	default:
	}
	if a.followers.Add(1) > maxFollowers {
		a.followers.Add(-1)
		return nil, &laterError{fmt.Sprintf("%d clients follow the events already; try again when one has gone", maxFollowers)}
	}
	return &stream{
		header: map[string]string{
			"Content-Type":      "text/event-stream",
			"X-Accel-Buffering": "no", // nginx would hold events back: nginx.org/en/docs/http/ngx_http_proxy_module.html, proxy_buffering
		},
		write: f.run,
		close: func() { a.followers.Add(-1) },
	}, nil
}

// A follower is one client and how far it has come.
type follower struct {
	monitor *monitor.Collector
	stopped <-chan struct{}
	seq     uint64 // of the last event that was sent
	unknown bool   // the client came with an id that the monitor did not give
}

// begin finds where to begin after an id.
func (f *follower) begin(id string) error {
	if id == "" {
		f.seq = f.monitor.Newest()
		return nil
	}
	seq, at, err := parseEventID(id)
	if err != nil {
		return &problemError{invalid([]Fault{{Location: "header.Last-Event-ID", Message: "want the id of an event of this stream, or 0"}})}
	}
	if f.unknown = !f.gave(seq, at); f.unknown {
		seq = 0
	}
	f.seq = seq
	return nil
}

// gave reports whether the monitor may have given an event that number, at that time if one is told. Numbers begin anew with a server that
// remembers nothing; the time tells an event of before from one of now.
func (f *follower) gave(seq uint64, at int64) bool {
	if seq == 0 || at == 0 {
		return seq <= f.monitor.Newest()
	}
	events, _ := f.monitor.After(seq-1, 1)
	if len(events) == 1 && events[0].Seq == seq {
		return events[0].Time.UnixNano() == at
	}
	return seq <= f.monitor.Newest()
}

// eventID is the id of an event: its number and its time in nanoseconds.
func eventID(e *monitor.Event) string { return fmt.Sprintf("%d-%d", e.Seq, e.Time.UnixNano()) }

func parseEventID(id string) (seq uint64, at int64, err error) {
	number, moment, timed := strings.Cut(id, "-")
	if seq, err = strconv.ParseUint(number, 10, 64); err == nil && timed {
		at, err = strconv.ParseInt(moment, 10, 64)
	}
	return seq, at, err
}

// run sends events until the client goes or the server stops. Only when all that was sent has been taken does it ask for
// more: what goes meanwhile was missed.
func (f *follower) run(ctx context.Context, to *flow) error {
	text := fmt.Appendf(nil, "retry: %d\n\n", reconnectMS)
	if f.unknown {
		text = append(text, "event: restart\ndata: {\"reason\":\"the server does not know this id\"}\n\n"...)
	}
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	spoke := time.Now()
	for {
		if len(text) == 0 && time.Since(spoke) >= beatEvery {
			text = append(text, ": still here\n\n"...)
		}
		if len(text) > 0 {
			if _, err := to.Write(text); err != nil {
				return err
			}
			if err := to.Flush(); err != nil {
				return err
			}
			spoke = time.Now()
		}
		if f.ended(ctx) {
			return f.farewell(to)
		}
		var err error
		if text, err = f.next(text[:0]); err != nil {
			return err
		}
		if len(text) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
		case <-f.stopped:
		case <-poll.C:
		}
	}
}

func (f *follower) ended(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return true
	case <-f.stopped:
		return true
	default:
		return false
	}
}

// farewell tells a client that is still there that the server stops.
func (f *follower) farewell(to *flow) error {
	select {
	case <-f.stopped:
		_, err := to.Write([]byte("event: stopping\ndata: {}\n\n"))
		return err
	default:
		return nil
	}
}

// next appends the next events, if there are any.
func (f *follower) next(text []byte) ([]byte, error) {
	events, missed := f.monitor.After(f.seq, eventsAtOnce)
	if missed > 0 {
		text = fmt.Appendf(text, "event: missed\ndata: {\"missed\":%d}\n\n", missed)
	}
	for i := range events {
		e := &events[i]
		data, err := json.Marshal(e) // on one line, also what came from a store
		if err != nil {
			return nil, err
		}
		text = fmt.Appendf(text, "id: %s\ndata: %s\n\n", eventID(e), data)
		f.seq = e.Seq
	}
	return text, nil
}
