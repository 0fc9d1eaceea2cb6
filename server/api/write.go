package api

import (
	"io"
	"math"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"
)

// A writable is a view that writes its own JSON, byte for byte what encoding/json makes of it, several times faster. Large lists are
// worth that; a test holds the two against each other.
type writable interface{ writeTo(*writer) }

// A writer appends JSON to its text. The zero value is ready.
type writer struct {
	text []byte
	err  error // the first one
}

// maxKept is how large a text may be whose memory is kept for the next answer.
const maxKept = 4 << 20

// writers keeps the memory of answers that have been written. The zero value is ready, and may be used by several goroutines at once.
type writers struct{ idle sync.Pool }

// encodeTo is the function of that name, which it leaves to views that can write themselves.
func (ws *writers) encodeTo(to io.Writer, v any) error {
	view, ok := v.(writable)
	if !ok {
		return encodeTo(to, v)
	}
	w, ok := ws.idle.Get().(*writer)
	if !ok {
		w = new(writer)
	}
	w.text, w.err = w.text[:0], nil
	view.writeTo(w)
	w.raw("\n")
	err := w.err
	if err == nil {
		_, err = to.Write(w.text)
	}
	if cap(w.text) <= maxKept {
		ws.idle.Put(w)
	}
	return err
}

// raw appends text that is JSON already: names of members with what stands around them.
func (w *writer) raw(text string) { w.text = append(w.text, text...) }

func (w *writer) integer(n int) { w.text = strconv.AppendInt(w.text, int64(n), 10) }

func (w *writer) count(n uint64) { w.text = strconv.AppendUint(w.text, n, 10) }

// number appends f as encoding/json does: with an exponent only if it is very large or small.
func (w *writer) number(f float64) {
	size := math.Abs(f)
	if size != 0 && (size < 1e-6 || size >= 1e15) || math.IsNaN(f) {
		w.other(f)
		return
	}
	w.text = strconv.AppendFloat(w.text, f, 'f', -1, 64)
}

// string appends s as a text. Nearly every text is plain.
func (w *writer) string(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			w.other(s)
			return
		}
	}
	w.text = append(append(append(w.text, '"'), s...), '"')
}

// time appends t, or null if there is none.
func (w *writer) time(t *time.Time) {
	if t == nil {
		w.raw("null")
		return
	}
	w.text = append(w.text, '"')
	text, err := t.AppendText(w.text)
	if err != nil {
		w.fail(err)
		return
	}
	w.text = append(text, '"')
}

// other appends what encoding/json makes of v.
func (w *writer) other(v any) {
	text, err := encode(v)
	if err != nil {
		w.fail(err)
		return
	}
	w.text = append(w.text, text[:len(text)-1]...) // without the end of the line
}

func (w *writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}
