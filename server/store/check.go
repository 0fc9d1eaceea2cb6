package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// The limits of what a row may hold.
const (
	maxText = 1024    // bytes of a text
	maxBody = 4 << 20 // bytes of a JSON body
)

// faults collects what is wrong with a row.
type faults []error

func (f *faults) text(name, text string, required bool) {
	switch {
	case required && text == "":
		*f = append(*f, fmt.Errorf("%s is empty, want a text", name))
	case len(text) > maxText:
		*f = append(*f, fmt.Errorf("%s has %d bytes, want at most %d", name, len(text), maxText))
	case !utf8.ValidString(text):
		*f = append(*f, fmt.Errorf("%s is %q, want UTF-8", name, text))
	}
}

func (f *faults) json(name string, body json.RawMessage, required bool) {
	switch {
	case len(body) == 0 && !required:
	case len(body) > maxBody:
		*f = append(*f, fmt.Errorf("%s has %d bytes, want at most %d", name, len(body), maxBody))
	case !json.Valid(body) || !utf8.Valid(body):
		*f = append(*f, fmt.Errorf("%s is no JSON in UTF-8", name))
	}
}

func (f *faults) time(name string, t time.Time) {
	if t.IsZero() {
		return // stands for now
	}
	if err := checkTime(t); err != nil {
		*f = append(*f, fmt.Errorf("%s: %w", name, err))
	}
}

func (f *faults) limit(limit *int) {
	n, err := checkLimit(*limit)
	if err != nil {
		*f = append(*f, err)
	}
	*limit = n
}

// err returns all faults as one error that says what was tried.
func (f *faults) err(what string) error {
	if err := errors.Join(*f...); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// orNow returns t, or the time if there is none.
func orNow(t time.Time) time.Time {
	if t.IsZero() {
		return time.Now().UTC()
	}
	return t.UTC()
}

// raw is a JSON body from a column that is empty if there is none.
func raw(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}
