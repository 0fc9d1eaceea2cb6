package llm

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
)

// answerIn looks for the answer behind an error: what Classify shall judge, and what
// is known beside it.
func answerIn(err error) (Response, *report, bool) {
	if resp, ok := recorded(err); ok {
		return resp, new(report), true
	}
	if resp, ok := dumped(err); ok {
		return resp, new(report), true
	}
	if resp, rep, ok := told(err); ok {
		return resp, rep, true
	}
	return spelledOut(err)
}

// recorded finds a ResponseError with a header or a body.
func recorded(err error) (Response, bool) {
	var known ResponseError
	if !errors.As(err, &known) {
		return Response{}, false
	}
	resp := Response{Status: known.HTTPStatusCode()}
	if h, ok := known.(interface{ ResponseHeader() http.Header }); ok {
		resp.Header = h.ResponseHeader()
	}
	if b, ok := known.(interface{ ResponseBody() []byte }); ok {
		resp.Body = b.ResponseBody()
	}
	return resp, isStatus(resp.Status) && (resp.Header != nil || resp.Body != nil)
}

// A dumper is an error of openai-go and anthropic-sdk-go. Both have RawJSON, too: the
// former's is the error object, the latter's the whole envelope.
type dumper interface{ DumpResponse(body bool) []byte }

// dumped finds an answer that the error can write down. The body is asked for only with a
// bad status: with a good one it is a stream, and reading it to its end would block.
func dumped(err error) (Response, bool) {
	var d dumper
	if !errors.As(err, &d) {
		return Response{}, false
	}
	resp, ok := parseDump(dump(d, false))
	raw := rawJSON(d)
	switch {
	case ok && resp.Status >= http.StatusBadRequest:
		if whole, ok := parseDump(dump(d, true)); ok && len(whole.Body) > 0 {
			return whole, true
		}
		resp.Body = raw
		return resp, true
	case len(raw) > 0: // an error inside a stream
		// Its headers belong to the good begin of the stream: a limit's state in
		// them is older than the error.
		return Response{Status: resp.Status, Header: idsOf(resp.Header), Body: raw, Stream: true, Event: "error"}, true
	}
	return Response{}, false
}

// dump asks for the dump. The SDKs' errors panic when they were built without an answer.
func dump(d dumper, body bool) (text []byte) {
	defer func() {
		if recover() != nil {
			text = nil
		}
	}()
	return d.DumpResponse(body)
}

func rawJSON(d dumper) []byte {
	if r, ok := d.(interface{ RawJSON() string }); ok {
		return []byte(r.RawJSON())
	}
	return nil
}

// parseDump reads an answer as it went over the wire.
func parseDump(text []byte) (Response, bool) {
	if len(text) == 0 {
		return Response{}, false
	}
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(text)), nil)
	if err != nil {
		return Response{}, false
	}
	defer resp.Body.Close() //nolint:errcheck // it is memory
	body, _ := io.ReadAll(io.LimitReader(resp.Body, MaxBody))
	return Response{Status: resp.StatusCode, Header: resp.Header, Body: body}, true
}

// idsOf returns the headers that name a request.
func idsOf(h http.Header) http.Header {
	ids := http.Header{}
	for _, name := range requestIDHeaders() {
		if id := first(h, name); id != "" {
			ids[name] = []string{id}
		}
	}
	return ids
}

// told asks the methods by which errors tell a status, a code and a message: those of
// AWS (smithy-go), of gax-go, and of clients of the user's own.
func told(err error) (Response, *report, bool) {
	var (
		resp    Response
		rep     report
		status  ResponseError
		plain   interface{ StatusCode() int }
		gax     interface{ HTTPCode() int }
		coded   interface{ ErrorCode() string }
		message interface{ ErrorMessage() string }
		request interface{ ServiceRequestID() string }
		inBand  *InBandError
	)
	switch {
	case errors.As(err, &status) && isStatus(status.HTTPStatusCode()):
		resp.Status = status.HTTPStatusCode()
	case errors.As(err, &plain) && isStatus(plain.StatusCode()):
		resp.Status = plain.StatusCode()
	case errors.As(err, &gax) && isStatus(gax.HTTPCode()):
		resp.Status = gax.HTTPCode()
	}
	if errors.As(err, &coded) {
		rep.codes[outerCode] = cutType([]byte(coded.ErrorCode()))
	}
	if errors.As(err, &message) {
		rep.topMessage = []byte(message.ErrorMessage())
	}
	if errors.As(err, &request) {
		rep.requestID = []byte(request.ServiceRequestID())
	}
	rep.askGoogle(err)
	if errors.As(err, &inBand) {
		rep.codes[outerCode], rep.codes[topType] = []byte(inBand.Code), []byte(inBand.Type)
		rep.readNumber(rep.codes[outerCode])
		rep.topMessage = []byte(inBand.Message)
	}
	rep.announced = len(rep.codes[outerCode]) > 0 || len(rep.codes[googleReason]) > 0 || inBand != nil
	if resp.Status != 0 && !rep.announced {
		// The message may be JSON, or hold it; a bare status tells little.
		if text, _, ok := spelledOut(err); ok {
			resp.Body = text.Body
		}
		rep.announced = true
	}
	return resp, &rep, rep.announced
}

// askGoogle reads what google.rpc.ErrorInfo says (gax-go, apierror.APIError).
func (r *report) askGoogle(err error) {
	var info interface {
		Reason() string
		Metadata() map[string]string
	}
	if errors.As(err, &info) {
		r.codes[googleReason] = []byte(info.Reason())
		r.nameQuota([]byte(info.Metadata()["quota_limit"]))
	}
}

func isStatus(status int) bool { return status >= 100 && status <= 599 }
