package trysailtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A protocol is one provider's way to be asked, to answer and to fail.
type protocol interface {
	serve(x *exchange)                        // answers a request whose fault lets it
	head(h http.Header, x *exchange)          // sets what every answer carries
	explain(f Fault, now time.Time) *apiError // the error that a fault is here, with its hints
	encode(e *apiError, x *exchange) []byte   // the error as JSON
}

// protocolOf tells from a request which protocol it speaks. Paths that nobody has are
// OpenAI's, whose API most others copy.
func protocolOf(r *http.Request) protocol {
	path := r.URL.Path
	_, verb := geminiTarget(path)
	switch {
	case strings.HasPrefix(path, "/v1beta"), verb != "":
		return gemini{}
	case path == pathMessages, strings.HasPrefix(path, pathMessages+"/"), r.Header.Get("Anthropic-Version") != "":
		return anthropic{}
	default:
		return openAI{}
	}
}

// apiError is an error answer before it takes a protocol's form. What is blank each
// protocol fills in by the status, or leaves out.
type apiError struct {
	status     int
	kind, code string // OpenAI's and Anthropic's error.type; OpenAI's error.code
	param      string // the request's field at fault
	message    string
	details    any         // Anthropic's and Gemini's error.details
	header     http.Header // overrides what every answer carries
}

// fail sends an error answer.
func (x *exchange) fail(e *apiError) {
	body := x.protocol.encode(e, x)
	x.head("application/json")
	for name, values := range e.header {
		x.w.Header()[name] = values
	}
	x.write(e.status, body)
}

// failStatus sends the error that the protocol has for a status.
func (x *exchange) failStatus(status int) {
	x.fail(x.protocol.explain(Fault{Kind: FaultStatus, Status: status}, time.Now()))
}

func badRequest(param, message string) *apiError {
	return &apiError{status: http.StatusBadRequest, param: param, message: message}
}

// failRead answers a body that could not be read.
func (x *exchange) failRead(err error) {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		x.failStatus(http.StatusRequestEntityTooLarge)
		return
	}
	x.fail(badRequest("", "The request's body could not be read."))
}

// failScript answers an unusable script.
func (x *exchange) failScript(err error) {
	e := badRequest(SimulateHeader, fmt.Sprintf("The header %s is unusable: %v.", SimulateHeader, err))
	e.code = "invalid_script"
	x.fail(e)
}

// route is one row of a protocol's table.
type route struct {
	method, path string
	serve        func(*exchange)
}

// follow serves the route of the request's path and method.
func (x *exchange) follow(routes []route) {
	i := slices.IndexFunc(routes, func(r route) bool { return r.path == x.r.URL.Path })
	switch {
	case i < 0:
		x.fail(&apiError{
			status: http.StatusNotFound, code: "unknown_url",
			message: fmt.Sprintf("There is nothing at %s %s.", x.r.Method, x.r.URL.Path),
		})
	case x.r.Method != routes[i].method:
		x.w.Header().Set("Allow", routes[i].method)
		x.fail(&apiError{
			status: http.StatusMethodNotAllowed, code: "method_not_allowed",
			message: fmt.Sprintf("%s does not take %s, use %s.", x.r.URL.Path, x.r.Method, routes[i].method),
		})
	default:
		routes[i].serve(x)
	}
}

// decode reads a request's body into v. It returns what to answer if it cannot.
func decode(body []byte, v any) *apiError {
	err := json.Unmarshal(body, v)
	if err == nil {
		return nil
	}
	var wrongType *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &wrongType):
	case wrongType.Field == "":
		return badRequest("", fmt.Sprintf("The body cannot be a JSON %s.", wrongType.Value))
	default:
		return badRequest(wrongType.Field, fmt.Sprintf("%q cannot be a JSON %s.", wrongType.Field, wrongType.Value))
	}
	return badRequest("", fmt.Sprintf("The body is not the JSON wanted here: %v.", err))
}

// answerJSON sends v as a good plain answer.
func (x *exchange) answerJSON(v any) {
	body, err := json.Marshal(v)
	if err != nil { // no answer holds what JSON cannot
		x.failStatus(http.StatusInternalServerError)
		return
	}
	x.answer(body)
}
