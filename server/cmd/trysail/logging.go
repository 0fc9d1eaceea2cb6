package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

// newLogger returns a logger of that format, whose level may change while it is in use. "auto" is text on a
// terminal and JSON everywhere else.
func newLogger(w io.Writer, level slog.Leveler, format string) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == "text" || format == "auto" && isTerminal(w) {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

// levelCritical is above every level that the program logs at.
const levelCritical = slog.LevelError + 4

// levelOf returns the threshold that a level stands for; that of a level that could not be loaded is INFO.
func levelOf(level config.LogLevel) slog.Level {
	switch level {
	case config.LogDebug:
		return slog.LevelDebug
	case config.LogWarning:
		return slog.LevelWarn
	case config.LogError:
		return slog.LevelError
	case config.LogCritical:
		return levelCritical
	default:
		return slog.LevelInfo
	}
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
