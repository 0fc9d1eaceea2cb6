package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// What stands between these lines of a page is the program's; the rest is people's.
const (
	pageBegin = "<!-- measured -->\n"
	pageEnd   = "<!-- /measured -->\n"
)

// updatePage puts a complete report into the page that is in file.
func updatePage(file string, rep *report) error {
	if err := rep.complete(); err != nil {
		return err
	}
	page, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var measured bytes.Buffer
	writeMarkdown(&measured, rep)
	page, err = replaceMeasured(page, measured.Bytes())
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return replaceFile(file, page)
}

// complete returns an error when a goal cannot be judged or a row has fewer runs than another: part of
// a benchmark did not run, and the page would not show that.
func (rep *report) complete() error {
	if _, err := rep.verdicts(); err != nil {
		return err
	}
	want := rep.groups[0].rows[0].runs()
	for _, g := range rep.groups {
		for _, r := range g.rows {
			if r.runs() != want {
				return fmt.Errorf("Benchmark%s/%s has %d runs, want %d as the first row has", g.key.name, r.library, r.runs(), want)
			}
		}
	}
	return nil
}

// replaceMeasured returns page with other text between its markers.
func replaceMeasured(page, measured []byte) ([]byte, error) {
	if bytes.Count(page, []byte(pageBegin)) != 1 || bytes.Count(page, []byte(pageEnd)) != 1 {
		return nil, fmt.Errorf("want the lines %q and %q once each", pageBegin, pageEnd)
	}
	before, rest, _ := bytes.Cut(page, []byte(pageBegin))
	_, after, ok := bytes.Cut(rest, []byte(pageEnd))
	if !ok {
		return nil, fmt.Errorf("the line %q stands before %q", pageEnd, pageBegin)
	}
	return bytes.Join([][]byte{before, []byte(pageBegin), measured, []byte(pageEnd), after}, nil), nil
}

// replaceFile writes file whole or not at all.
func replaceFile(file string, content []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(content)
	if err := errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}
