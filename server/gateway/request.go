package gateway

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// prepare reads and checks the request. What it refuses never reaches a provider.
func (g *Gateway) prepare(e *exchange, r *http.Request) *fault {
	e.protocol = spoken(r)
	e.plan = g.plan.Load()
	bad := g.admit(e, r)
	if bad != nil {
		return bad
	}
	if bad = unfit(r); bad != nil {
		return bad
	}
	if e.control, bad = controlOf(r.Header); bad != nil {
		return bad
	}
	if e.body, bad = g.readBody(e.w, r); bad != nil {
		return bad
	}
	if bad = e.readJSON(r); bad != nil {
		return bad
	}
	e.client = r
	if e.route = e.plan.find(e.protocol, r, e.model); e.route == nil {
		return e.plan.unserved(e.protocol)
	}
	if bad = e.control.forbidden(e.route.Allow); bad != nil {
		return bad
	}
	name := cmp.Or(r.Header.Get(OperationHeader), e.route.Operation, DefaultOperation)
	if bad = e.permit(name); bad != nil {
		return bad
	}
	if e.operation, bad = g.operationFor(name); bad != nil {
		return bad
	}
	return g.charge(e)
}

// unfit refuses what is not forwarded at all.
func unfit(r *http.Request) *fault {
	switch {
	case strings.EqualFold(r.Header.Get("Upgrade"), "websocket"): // any other offer may be ignored (RFC 9110, 7.8)
		return &fault{
			status: http.StatusNotImplemented, kind: "invalid_request_error", code: "upgrade_not_supported",
			message: "This gateway forwards HTTP requests and event streams, no upgraded connections such as WebSocket.",
		}
	case r.Method == http.MethodTrace, r.Method == http.MethodConnect:
		return &fault{
			status: http.StatusMethodNotAllowed, kind: "invalid_request_error", code: "method_not_supported",
			message: "This gateway does not forward " + r.Method + ".",
		}
	case slices.Contains(strings.Split(r.URL.Path, "/"), ".."):
		return badRequest("invalid_path", `The path must not hold a segment "..".`)
	default:
		return nil
	}
}

// operationFor returns an operation by its name. Names are few and
// plain, because they label metrics and stay for as long as the process lives.
func (g *Gateway) operationFor(name string) (*trysail.Operation, *fault) {
	if strings.HasPrefix(name, targetPrefix) {
		return nil, badRequest("invalid_operation", OperationHeader+" must not begin with "+targetPrefix+": such operations are the gateway's own.")
	}
	if op, ok := g.orchestrator.Lookup(name); ok {
		return op, nil
	}
	if !plainName(name) {
		return nil, badRequest("invalid_operation", OperationHeader+
			" must be 1 to 64 of the characters A-Z a-z 0-9 . _ : / -")
	}
	g.opening.Lock()
	defer g.opening.Unlock()
	if g.operations() >= g.limits.Operations {
		return nil, badRequest("too_many_operations", fmt.Sprintf(
			"%s names a new operation, but there are %d already, which is the limit.", OperationHeader, g.limits.Operations))
	}
	op, err := g.open(name)
	if err != nil {
		g.log.Error("register operation", "operation", name, "error", err)
		return nil, internalError("The operation could not be set up.")
	}
	return op, nil
}

// operations returns how many operations there are, those of targets not among them.
func (g *Gateway) operations() (n int) {
	for _, op := range g.orchestrator.Operations() {
		if !strings.HasPrefix(op.Name(), targetPrefix) {
			n++
		}
	}
	return n
}

// open returns an operation made for this gateway: a stream may run for as long
// as the total limit allows, so a probe may. Its retries have a budget of their own, unless the configuration gives them one: without, the
// retries of many calls would multiply the load on a provider that is down.
func (g *Gateway) open(name string) (*trysail.Operation, error) {
	if op, ok := g.orchestrator.Lookup(name); ok {
		return op, nil
	}
	policy := trysail.Policy{Breaker: trysail.BreakerPolicy{ProbeTimeout: min(g.limits.Total+10*time.Second, time.Hour)}}
	op, err := g.orchestrator.Register(name, trysail.OperationConfig{Policy: policy})
	if err != nil || op.Policy().Retry.Budget != nil {
		return op, err
	}
	if policy.Retry.Budget, err = trysail.NewRetryBudget(trysail.RetryBudgetConfig{}); err != nil {
		return nil, err
	}
	return g.orchestrator.Register(name, trysail.OperationConfig{Policy: policy})
}

func plainName(name string) bool {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/-"
	return len(name) <= 64 && !strings.ContainsFunc(name, func(c rune) bool { return !strings.ContainsRune(plain, c) })
}

// firstBuffer is how much is set aside for a body before any of it has come. What a
// Content-Length promises costs nothing to promise.
const firstBuffer = 64 << 10

// readBody reads the whole body, so that it can be sent again.
func (g *Gateway) readBody(w http.ResponseWriter, r *http.Request) ([]byte, *fault) {
	if r.ContentLength == 0 {
		return nil, nil
	}
	if r.ContentLength > g.limits.Body {
		return nil, g.tooLarge()
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(g.limits.Client))
	var body bytes.Buffer
	body.Grow(int(min(max(r.ContentLength, 0), firstBuffer)) + bytes.MinRead)
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, g.limits.Body))
	if err == nil { // else net/http would wait for the rest of it before it answers
		_ = control.SetReadDeadline(time.Time{})
	}
	var over *http.MaxBytesError
	switch {
	case err == nil:
		return body.Bytes(), nil
	case errors.As(err, &over):
		return nil, g.tooLarge()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &fault{
			status: http.StatusRequestTimeout, kind: "invalid_request_error", code: "request_timeout",
			message: fmt.Sprintf("The request body did not arrive within %v.", g.limits.Client),
		}
	default:
		return nil, badRequest("incomplete_body", "The request body ended before it was complete.")
	}
}

func (g *Gateway) tooLarge() *fault {
	return &fault{
		status: http.StatusRequestEntityTooLarge, kind: "invalid_request_error", code: "request_too_large",
		message: fmt.Sprintf("The request body is larger than the limit of %d bytes.", g.limits.Body),
	}
}

// readJSON checks a JSON body and takes from it, and from the path, what the gateway must know.
func (e *exchange) readJSON(r *http.Request) *fault {
	e.dialect = dialectOf(e.protocol, r.URL.Path, "")
	if e.protocol == GeminiProtocol {
		e.model, _, _ = geminiModel(r.URL.Path)
		e.streamed = geminiVerb(r.URL.Path) == "streamGenerateContent"
	} else if name, _ := askedModel(r, e.protocol); name != "" {
		e.model = name
	}
	if len(e.body) == 0 || !isJSON(r.Header.Get("Content-Type")) && e.dialect == llm.OtherEvents {
		return nil
	}
	known, err := readKnown(e.body)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return badRequest("invalid_json", fmt.Sprintf("The request body is not valid JSON: %v (at byte %d).", syntax, syntax.Offset))
	}
	e.isJSON = true
	// Any other error is a field of an odd type, which the provider will judge.
	if e.protocol == GeminiProtocol {
		e.choices = known.Generation.Candidates
		return nil
	}
	e.model, e.streamed, e.choices = cmp.Or(known.Model, e.model), known.Stream, known.N
	return nil
}
