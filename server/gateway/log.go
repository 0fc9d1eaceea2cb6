package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// logLine writes the line about a request: what was asked, what was tried, what
// came of it. It holds no text of prompts or answers, and no keys.
func (e *exchange) logLine(r *http.Request) {
	level, outcome := slog.LevelInfo, "ok"
	switch {
	case e.stopped:
		level, outcome = slog.LevelWarn, "stopped"
	case e.gone || e.err != nil && trysail.Classify(e.err) == trysail.ClassCanceled:
		outcome = "client_gone"
	case e.broken:
		level, outcome = slog.LevelWarn, "interrupted"
	case e.status >= http.StatusBadRequest:
		level, outcome = slog.LevelWarn, "failed"
	}
	if !e.gateway.log.Enabled(context.Background(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("request_id", e.id),
		slog.String("method", r.Method),
		slog.String("path", clip(r.URL.Path)),
		slog.Int("status", e.status),
		slog.String("outcome", outcome),
		slog.Int("attempts", e.attempts),
		slog.Int64("bytes", e.sent),
		slog.Float64("duration_ms", milliseconds(time.Since(e.started))),
	}
	if e.operation != nil {
		attrs = append(attrs, slog.String("operation", e.operation.Name()), slog.String("breaker", e.breakerState()))
	}
	if t := e.walk.last; t != nil {
		attrs = append(attrs, slog.String("target", t.Name))
	}
	if len(e.walk.tried) > 0 {
		attrs = append(attrs, slog.String("fallback", e.triedBefore()))
	}
	if e.model != "" {
		attrs = append(attrs, slog.String("model", clip(e.model)))
	}
	if e.firstToken > 0 {
		attrs = append(attrs, slog.Float64("first_token_ms", milliseconds(e.firstToken)))
	}
	if e.err != nil {
		attrs = append(attrs, slog.String("class", trysail.Classify(e.err).String()), slog.String("error", clip(reason(e.err))))
	}
	e.gateway.log.LogAttrs(context.Background(), level, "request", attrs...)
}

// clip bounds what a line of the log holds of somebody else's words.
func clip(s string) string { return s[:min(len(s), 200)] }

// reason returns the text of an error, without what the provider has put into it: that
// may quote the prompt.
func reason(err error) string {
	var inBand *llm.InBandError
	switch {
	case errors.As(err, &inBand):
		return fmt.Sprintf("error inside the stream (type %q, code %q)", clip(inBand.Type), clip(inBand.Code))
	case errors.Is(err, llm.ErrNotJSON):
		return llm.ErrNotJSON.Error()
	default:
		return err.Error()
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
