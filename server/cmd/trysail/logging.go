package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/trysail-go/trysail"
)

// newLogger returns a logger of that level and format. "auto" is text on a
// terminal and JSON everywhere else.
func newLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	threshold, err := parseLevel(level)
	if err != nil {
		return nil, err
	}
	options := &slog.HandlerOptions{Level: threshold}
	if format == "text" || format == "auto" && isTerminal(w) {
		return slog.New(slog.NewTextHandler(w, options)), nil
	}
	return slog.New(slog.NewJSONHandler(w, options)), nil
}

// levelCritical is above every level that the program logs at.
const levelCritical = slog.LevelError + 4

func parseLevel(s string) (slog.Level, error) {
	switch strings.ToUpper(strings.TrimSpace(s)) {
	case "DEBUG":
		return slog.LevelDebug, nil
	case "INFO", "":
		return slog.LevelInfo, nil
	case "WARNING", "WARN":
		return slog.LevelWarn, nil
	case "ERROR":
		return slog.LevelError, nil
	case "CRITICAL":
		return levelCritical, nil
	default:
		return 0, usageError{fmt.Errorf("log level is %q, want DEBUG, INFO, WARNING, ERROR or CRITICAL (LOG_LEVEL, --log-level)", s)}
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// eventLog is an observer that writes what happens to the log.
type eventLog struct {
	log  *slog.Logger
	also func(trysail.Event) // may be nil
}

// Observe implements [trysail.Observer].
func (l eventLog) Observe(e trysail.Event) {
	if l.also != nil {
		l.also(e)
	}
	ctx := context.Background()
	switch e.Kind {
	case trysail.EventTransition:
		level := slog.LevelInfo
		if e.To == trysail.Open {
			level = slog.LevelWarn
		}
		l.log.LogAttrs(ctx, level, "breaker",
			slog.String("operation", e.Operation), slog.String("from", e.From.String()), slog.String("to", e.To.String()),
			slog.String("reason", e.Reason), slog.Uint64("generation", e.Generation))
	case trysail.EventRetry:
		l.log.LogAttrs(ctx, slog.LevelDebug, "retry",
			slog.String("operation", e.Operation), slog.Int("attempt", e.Attempt), slog.String("class", e.Class.String()),
			slog.Duration("wait", e.Wait), slog.Any("error", e.Err))
	case trysail.EventHedge:
		l.log.LogAttrs(ctx, slog.LevelDebug, "hedge", slog.String("operation", e.Operation), slog.Duration("after", e.Wait))
	case trysail.EventFallback:
		l.log.LogAttrs(ctx, slog.LevelDebug, "fallback", slog.String("operation", e.Operation), slog.Any("error", e.Err))
	case trysail.EventCall: // the access log has them
	}
}
