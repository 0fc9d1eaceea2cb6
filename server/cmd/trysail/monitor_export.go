package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"path/filepath"
)

// save writes what the server exports, and says how much it was.
func (c *monitorExportCmd) save(p *program, resp *http.Response) error {
	want := "application/x-ndjson"
	if c.Format == "csv" {
		want = "text/csv"
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != want {
		return fmt.Errorf("the answer is %q, want %s: is that a Trysail server?", resp.Header.Get("Content-Type"), want)
	}
	if c.Out == "" || c.Out == "-" {
		if err := c.write(answerTo{p.stdout}, resp.Body); err != nil {
			return err
		}
		c.tell(p, resp, "")
		return nil
	}
	if err := c.writeFile(resp.Body); err != nil {
		return err
	}
	c.tell(p, resp, c.Out)
	return nil
}

// write copies the events in the format that is wanted. Its memory does not grow with them.
func (c *monitorExportCmd) write(to io.Writer, from io.Reader) error {
	out := bufio.NewWriterSize(to, 64<<10)
	if c.Format == "json" {
		array := &arrayOf{to: out}
		if _, err := io.Copy(array, from); err != nil {
			return err //nolint:wrapcheck // explained, on both sides
		}
		if err := array.end(); err != nil {
			return err
		}
	} else if _, err := io.Copy(out, from); err != nil {
		return err //nolint:wrapcheck // as above
	}
	return out.Flush() //nolint:wrapcheck // as above
}

// writeFile writes the file beside its place and puts it there when it is complete. What is no file, such as a pipe, is written to as it is.
func (c *monitorExportCmd) writeFile(from io.Reader) error {
	name := c.Out
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real // a link stays one
	}
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err //nolint:wrapcheck // it names the file
		}
		return errors.Join(c.write(answerTo{f}, from), f.Close())
	}
	mode := os.FileMode(0o600) // events tell what users did
	if err == nil {
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if failed, ok := errors.AsType[*os.PathError](err); ok {
		return fmt.Errorf("write %s: %w", c.Out, failed.Err) // not the name that it has until it is complete
	}
	if err != nil {
		return err //nolint:wrapcheck // it names the file
	}
	defer func() { _ = os.Remove(f.Name()) }() // if it is still there, it is not complete
	if err := errors.Join(c.write(answerTo{f}, from), f.Chmod(mode), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name) //nolint:wrapcheck // it names both files
}

// tell says on the standard error what went into a file, and what is missing.
func (c *monitorExportCmd) tell(p *program, resp *http.Response, file string) {
	if events := resp.Trailer.Get("X-Record-Count"); file != "" && events != "" {
		_, _ = fmt.Fprintf(p.stderr, "trysail: %s events are in %s\n", harmless(events), file)
	}
	if missed := resp.Trailer.Get("X-Missed-Count"); missed != "" && missed != "0" {
		_, _ = fmt.Fprintf(p.stderr, "trysail: %s more went while it was written, because newer ones needed their place\n", harmless(missed))
	}
}

// arrayOf makes lines of JSON the elements of an array. A line break inside of an element would be escaped.
type arrayOf struct {
	to           io.Writer
	begun, ended bool // the array; the newest line
}

// Write implements [io.Writer].
func (a *arrayOf) Write(p []byte) (int, error) {
	var text []byte
	if !a.begun {
		text = append(text, "[\n"...)
		a.begun = true
	}
	for line := range bytes.Lines(p) {
		if a.ended {
			text = append(text, ",\n"...)
		}
		line, a.ended = bytes.CutSuffix(line, []byte("\n"))
		text = append(text, line...)
	}
	if _, err := a.to.Write(text); err != nil {
		return 0, err //nolint:wrapcheck // it is about the output and says so
	}
	return len(p), nil
}

func (a *arrayOf) end() error {
	text := "]\n"
	switch {
	case !a.begun:
		text = "[]\n"
	case a.ended:
		text = "\n]\n"
	}
	_, err := io.WriteString(a.to, text)
	return err //nolint:wrapcheck // as above
}
