package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/trysail-go/trysail"
)

// logLine writes the line about a request: what was asked, what was tried, what
// came of it. It holds no text of prompts or answers, and no keys.
func (e *exchange) logLine(r *http.Request) {
	level, outcome := slog.LevelInfo, "ok"
	switch {
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
		slog.String("path", r.URL.Path),
		slog.Int("status", e.status),
		slog.String("outcome", outcome),
		slog.Int("attempts", e.attempts),
		slog.Int64("bytes", e.sent),
		slog.Float64("duration_ms", milliseconds(time.Since(e.started))),
	}
	if e.operation != nil {
		attrs = append(attrs, slog.String("operation", e.operation.Name()), slog.String("breaker", e.breakerState()))
	}
	if e.model != "" {
		attrs = append(attrs, slog.String("model", e.model[:min(len(e.model), 100)]))
	}
	if e.firstToken > 0 {
		attrs = append(attrs, slog.Float64("first_token_ms", milliseconds(e.firstToken)))
	}
	if e.err != nil {
		attrs = append(attrs, slog.String("class", trysail.Classify(e.err).String()), slog.String("error", e.err.Error()))
	}
	e.gateway.log.LogAttrs(context.Background(), level, "request", attrs...)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
