package gateway

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// logLine writes the line about a request: what was asked, what was tried, what
// came of it and what it cost. It holds no keys, and no text of prompts or answers unless that was asked for.
func (e *exchange) logLine(r *http.Request, total bill) {
	level, outcome := e.outcome()
	if !e.gateway.log.Enabled(context.Background(), level) {
		return
	}
	attrs := make([]slog.Attr, 0, 32)
	attrs = append(
		attrs,
		slog.String("request_id", e.id),
		slog.String("trace_id", e.trace.id),
		slog.String("method", r.Method),
		slog.String("path", clip(r.URL.Path)), // never the query: Gemini's clients have their key in it
		slog.Int("status", e.status),
		slog.String("outcome", outcome),
		slog.Int("attempts", e.attempts),
		slog.Int64("bytes", e.sent),
		slog.Float64("duration_ms", milliseconds(time.Since(e.started))),
	)
	attrs = e.appendWay(attrs)
	attrs = total.append(attrs)
	if e.err != nil {
		attrs = append(attrs, slog.String("class", trysail.Classify(e.err).String()), slog.String("error", clip(reason(e.err))))
	}
	if n := e.gateway.logBody; n > 0 && len(e.body) > 0 {
		attrs = append(attrs, slog.String("body", textOf(e.body, n)))
	}
	e.gateway.log.LogAttrs(context.Background(), level, "request", attrs...)
}

// outcome says how the request ended, for the client.
func (e *exchange) outcome() (slog.Level, string) {
	switch {
	case e.stopped:
		return slog.LevelWarn, "stopped"
	case e.gone || e.err != nil && trysail.Classify(e.err) == trysail.ClassCanceled:
		return slog.LevelInfo, "client_gone"
	case e.broken:
		return slog.LevelWarn, "interrupted"
	case e.status >= http.StatusBadRequest:
		return slog.LevelWarn, "failed"
	default:
		return slog.LevelInfo, "ok"
	}
}

// appendWay adds which way the request took.
func (e *exchange) appendWay(attrs []slog.Attr) []slog.Attr {
	text := func(name, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(name, clip(value)))
		}
	}
	if e.asker != nil {
		text("client", e.asker.Name)
	}
	if e.operation != nil {
		text("operation", e.operation.Name())
	}
	if e.route != nil {
		text("route", cmp.Or(e.route.Name, e.route.where))
	}
	text("model", e.model)
	if e.operation != nil {
		text("breaker", e.breakerState())
	}
	if t := e.walk.last; t != nil {
		text("target", t.Name)
	}
	if len(e.walk.tried) > 0 {
		text("fallback", e.triedBefore())
	}
	if len(e.legs) > 0 {
		attrs = append(attrs, slog.String("trail", e.trail()))
	}
	if e.hedge.target != nil {
		text("hedge", e.hedge.outcome)
		text("hedge_target", e.hedge.target.Name)
		attrs = append(attrs, slog.Float64("hedge_after_ms", milliseconds(e.hedge.after)))
	}
	if e.tale != nil && e.tale.resumed != nil {
		text("continued", e.tale.resumed.Name)
	}
	text("provider_request_id", e.providerID)
	if e.relayed {
		text("stream", e.streamOutcome())
	}
	if e.firstToken > 0 {
		attrs = append(attrs, slog.Float64("first_token_ms", milliseconds(e.firstToken)))
	}
	return attrs
}

// append adds what was used.
func (b bill) append(attrs []slog.Attr) []slog.Attr {
	if b.empty() {
		return attrs
	}
	attrs = append(
		attrs,
		slog.Int64("input_tokens", b.input),
		slog.Int64("cached_tokens", b.cached),
		slog.Int64("output_tokens", b.output),
	)
	if b.priced {
		attrs = append(attrs, slog.Float64("cost_dollars", nanodollars(b.dollars)))
	}
	if b.estimated {
		attrs = append(attrs, slog.Bool("estimated", true))
	}
	return attrs
}

// textOf returns the begin of a body, or what is said of one that is no text.
func textOf(body []byte, most int) string {
	text := strings.ToValidUTF8(string(body[:min(len(body), most)]), "")
	if bytes.IndexByte(body[:min(len(body), most)], 0) >= 0 || len(text) < min(len(body), most)-utf8.UTFMax {
		return fmt.Sprintf("(%d bytes that are no text)", len(body))
	}
	if len(body) > most {
		return fmt.Sprintf("%s… (%d bytes in all)", text, len(body))
	}
	return text
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

func isInBand(err error) bool { return errors.As(err, new(*llm.InBandError)) }

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
