package llm_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
	"github.com/trysail-go/trysail/trysailhttp"
)

// recordedError is an error of a client of the user's own.
type recordedError struct {
	status int
	header http.Header
	body   string
}

func (e *recordedError) Error() string               { return "insufficient_quota, says the text" }
func (e *recordedError) HTTPStatusCode() int         { return e.status }
func (e *recordedError) ResponseHeader() http.Header { return e.header }
func (e *recordedError) ResponseBody() []byte        { return []byte(e.body) }

// sdkError has the methods of the errors of openai-go and anthropic-sdk-go.
type sdkError struct {
	response *http.Response
	raw      string
	asked    bool // for the body
}

func (e *sdkError) Error() string { return "429 Too Many Requests" }
func (e *sdkError) DumpResponse(body bool) []byte {
	e.asked = e.asked || body
	text, _ := httputil.DumpResponse(e.response, body)
	return text
}
func (e *sdkError) RawJSON() string { return e.raw }

// answered returns an answer as an SDK keeps it.
func answered(status int, body string, header ...string) *http.Response {
	resp := &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
	for i := 0; i < len(header); i += 2 {
		resp.Header.Set(header[i], header[i+1])
	}
	return resp
}

// awsError has the methods of smithy-go's errors.
type awsError struct {
	status        int
	code, message string
}

func (e *awsError) Error() string            { return "operation error Bedrock Runtime" }
func (e *awsError) HTTPStatusCode() int      { return e.status }
func (e *awsError) ErrorCode() string        { return e.code }
func (e *awsError) ErrorMessage() string     { return e.message }
func (e *awsError) ServiceRequestID() string { return "rid-1" }

// gaxError has the methods of gax-go's apierror.APIError.
type gaxError struct {
	code   int
	reason string
	quota  string
}

func (e *gaxError) Error() string               { return "rpc error" }
func (e *gaxError) HTTPCode() int               { return e.code }
func (e *gaxError) Reason() string              { return e.reason }
func (e *gaxError) Metadata() map[string]string { return map[string]string{"quota_limit": e.quota} }

func TestClassifyError(t *testing.T) {
	quota := openAI("insufficient_quota", "insufficient_quota", "no")
	const day = "[map[@type:type.googleapis.com/google.rpc.QuotaFailure violations:[map[quotaId:RequestsPerDay quotaValue:20]]] map[@type:type.googleapis.com/google.rpc.RetryInfo retryDelay:47s]]"
	for name, tc := range map[string]struct {
		provider llm.Provider
		err      error
		want     string
	}{
		"an answer that was recorded":        {llm.OpenAI, &recordedError{429, nil, quota}, noMoney},
		"its headers":                        {llm.OpenAI, &recordedError{429, http.Header{"Retry-After": {"3"}}, ""}, fmt.Sprintf(rateWait, 3000)},
		"a status and no more":               {llm.OpenAI, fmt.Errorf("call: %w", &trysailhttp.StatusError{Status: 529, After: 2 * time.Second}), fmt.Sprintf(fullWait, 2000)},
		"a status with a very long wait":     {llm.OpenAI, &trysailhttp.StatusError{Status: 429, After: time.Hour}, fmt.Sprintf(noDayWait, 3600000)},
		"an answer that is written down":     {llm.OpenAI, &sdkError{response: answered(429, quota)}, noMoney},
		"its headers, too":                   {llm.OpenAI, &sdkError{response: answered(429, `{}`, "Retry-After-Ms", "1500")}, fmt.Sprintf(rateWait, 1500)},
		"an answer that is no JSON":          {"", &sdkError{response: answered(522, "error code: 522")}, full},
		"an error inside OpenAI's stream":    {llm.OpenAI, &sdkError{response: answered(200, ""), raw: `{"type":"insufficient_quota","message":"no"}`}, noMoney},
		"an error inside Anthropic's stream": {llm.Anthropic, &sdkError{response: answered(200, ""), raw: anthropic("overloaded_error", "no")}, full},
		"an SDK's error without an answer":   {llm.OpenAI, &sdkError{raw: `{"code":"rate_limit_exceeded","message":"no"}`}, rate},
		"Amazon's methods":                   {llm.Bedrock, fmt.Errorf("x: %w", &awsError{429, "ThrottlingException", "Too many tokens per day"}), noDay},
		"Amazon's methods in a stream":       {llm.Bedrock, &awsError{200, "modelTimeoutException", "no"}, again},
		"gax over HTTP":                      {llm.Vertex, &gaxError{429, "RATE_LIMIT_EXCEEDED", "RequestsPerDay"}, noDay},
		"gax over gRPC":                      {llm.Vertex, &gaxError{-1, "API_KEY_INVALID", ""}, badAccount},
		"an error of the inspector":          {llm.OpenAI, &llm.InBandError{Type: "server_error", Code: "503", Message: "no"}, full},
		"JSON in the text":                   {llm.OpenAI, errors.New("received error while streaming: " + quota), noMoney},
		"the inside of an envelope":          {llm.OpenAI, errors.New(`received error while streaming: {"message":"no","type":"insufficient_quota","code":null}`), noMoney},
		"a status before JSON":               {llm.Cohere, errors.New(`429: {"message":"limited to 1000 API calls / month"}`), noMoney},
		"a status before words":              {llm.Ollama, errors.New("404 Not Found: model 'x' not found"), badTarget},
		"a status that is all":               {llm.Ollama, errors.New("503 Service Unavailable"), full},
		"go-openai":                          {llm.OpenAI, errors.New("error, status code: 400, status: 400 Bad Request, message: This model's maximum context length is 10"), tooLong},
		"langchaingo":                        {llm.OpenAI, errors.New("API returned unexpected status code: 401: bad key"), badAccount},
		"azcore":                             {llm.AzureOpenAI, errors.New("POST https://example.invalid\n---\nRESPONSE 429: 429 Too Many Requests\nERROR CODE: 429\n---\n" + `{"error":{"code":"429","message":"retry after 9 seconds"}}` + "\n---\n"), fmt.Sprintf(rateWait, 9000)},
		"genai":                              {llm.Gemini, fmt.Errorf("chat: %w", errors.New("Error 429, Message: You exceeded your current quota, Status: RESOURCE_EXHAUSTED, Details: "+day)), fmt.Sprintf(noDayWait, 47000)},
		"genai's message with commas":        {llm.Gemini, errors.New("Error 400, Message: The input token count (9), Status: bad, exceeds the maximum number of tokens allowed, Status: INVALID_ARGUMENT, Details: []"), tooLong},
		"genai's body that was an array":     {"", errors.New("Error 429, Message: [" + google(429, "RESOURCE_EXHAUSTED", "no", violation("PerDay")) + "], Status: 429 Too Many Requests, Details: []"), noDay},
		"genai's error inside a stream":      {llm.Gemini, errors.New("Error 503, Message: overloaded, Status: UNAVAILABLE, Details: []"), full},
		"a number by chance":                 {"", errors.New("429 bottles of beer"), again},
		"a prompt in the text":               {"", errors.New("parse: rate limit 429 insufficient_quota"), again},
		"an object in the text":              {"", errors.New(`unexpected value {"message":"insufficient_quota"}`), again},
		"another time-out of the context":    {"", context.DeadlineExceeded, "transient, retryable true, no delay, scope network"},
		"another cancellation":               {"", context.Canceled, "canceled, retryable false, no delay, scope caller"},
		"no such host":                       {"", goErrors()["*net.DNSError{IsNotFound:true}"], badTarget},
		"a connection that was refused":      {"", goErrors()["syscall.ECONNREFUSED"], "transient, retryable true, no delay, scope network"},
		"GOAWAY":                             {"", errors.New("http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=NO_ERROR, debug=\"\""), "transient, retryable true, no delay, scope network"},
		"GOAWAY for too much":                {"", errors.New("http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=ENHANCE_YOUR_CALM, debug=\"\""), rate},
		"a lost connection":                  {"", errors.New("http2: client connection lost"), "transient, retryable true, no delay, scope network"},
		"a stream that ended early":          {"", fmt.Errorf("read: %w", llm.ErrTruncated), "transient, retryable true, no delay, scope network"},
		"a mark of the library's":            {"", trysail.Permanent(errors.New("no")), badTarget},
		"another operation's error":          {"", &trysail.Error{Class: trysail.ClassRateLimited, RetryAfter: time.Second, Err: errors.New("no")}, "rate_limited, retryable false, 1000 ms, scope target"},
		"a verdict":                          {"", fmt.Errorf("x: %w", llm.Classify(llm.Response{Status: 402}).Mark(errors.New("no"))), noMoney},
		"nothing":                            {"", nil, "none"},
	} {
		t.Run(name, func(t *testing.T) {
			got := llm.ClassifyError(t.Context(), tc.provider, tc.err)
			if outcome(got) != tc.want {
				t.Errorf("ClassifyError(%v) = %s (reason %q), want %s", tc.err, outcome(got), got.Reason, tc.want)
			}
		})
	}
}

// The caller's context counts before everything, also when it ended with a cause that
// net/http returns in place of the context's own error.
func TestCallerHasGone(t *testing.T) {
	cause := errors.New("the user closed the window")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	for name, err := range map[string]error{
		"an answer": &recordedError{status: 429},
		"the cause": &url.Error{Op: "Post", Err: cause},
		"a verdict": llm.Classify(llm.Response{Status: 500}).Mark(errors.New("no")),
	} {
		got := llm.ClassifyError(ctx, llm.OpenAI, err)
		if want := "canceled, retryable false, no delay, scope caller"; outcome(got) != want {
			t.Errorf("ClassifyError(%s) = %s, want %s", name, outcome(got), want)
		}
	}
}

// A stream's error must not be asked for the rest of the stream, which may never come.
func TestStreamIsNotDumped(t *testing.T) {
	err := &sdkError{response: answered(200, "data: x\n\n", "Request-Id", "req_1", "Retry-After", "9"), raw: anthropic("api_error", "no")}
	got := llm.ClassifyError(t.Context(), llm.Anthropic, err)
	if outcome(got) != again || got.RequestID != "req_1" || err.asked {
		t.Errorf("ClassifyError() = %s, request %q, body asked for %t; want %s, req_1, false", outcome(got), got.RequestID, err.asked, again)
	}
}

// net/http's error of an HTTP/2 stream is found although its type is not exported.
func TestHTTP2StreamOfNetHTTP(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	resp, err := s.Client().Get(s.URL)
	if err == nil {
		resp.Body.Close()
		t.Fatal("Get() = nil, want the error of a stream")
	}
	var stream llm.StreamError
	if !errors.As(err, &stream) || stream.Code != 2 {
		t.Errorf("As(%v) = %+v, want the code 2, INTERNAL_ERROR", err, stream)
	}
	if got, want := outcome(llm.ClassifyError(t.Context(), "", err)), "transient, retryable true, no delay, scope network"; got != want {
		t.Errorf("ClassifyError(%v) = %s, want %s", err, got, want)
	}
}

// The engine follows a verdict, waits as the server asks, and repeats nothing that the
// verdict forbids.
func TestMark(t *testing.T) {
	no := errors.New("no")
	for name, tc := range map[string]struct {
		response llm.Response
		attempts int
		class    trysail.Class
	}{
		"what may pass":             {llm.Response{Status: 500}, 3, trysail.ClassTransient},
		"what the server forbids":   {llm.Response{Status: 500, Header: http.Header{"X-Should-Retry": {"false"}}}, 1, trysail.ClassTransient},
		"what a status would retry": {llm.Response{Status: 429, Body: []byte(openAI("insufficient_quota", "", "no"))}, 1, trysail.ClassQuotaExhausted},
		"what a status would not":   {llm.Response{Status: 498, Provider: llm.Groq}, 3, trysail.ClassOverloaded},
	} {
		t.Run(name, func(t *testing.T) {
			orc, err := trysail.New(trysail.Config{Default: trysail.Policy{Retry: trysail.RetryPolicy{Backoff: trysail.BackoffNone}}})
			if err != nil {
				t.Fatal(err)
			}
			attempts := 0
			_, err = trysail.Do(t.Context(), orc.Operation("chat"), func(context.Context) (int, error) {
				attempts++
				return 0, llm.Classify(tc.response).Mark(no)
			})
			if attempts != tc.attempts || trysail.Classify(err) != tc.class || !errors.Is(err, no) {
				t.Errorf("Do() = %v of class %v after %d attempts, want class %v after %d", err, trysail.Classify(err), attempts, tc.class, tc.attempts)
			}
		})
	}
	if err := llm.Classify(llm.Response{Status: 200}).Mark(no); !errors.Is(err, no) || errors.Unwrap(err) != nil {
		t.Errorf("Mark() of a success = %v, want the error itself", err)
	}
	if err := llm.Classify(llm.Response{Status: 500}).Mark(nil); err != nil {
		t.Errorf("Mark(nil) = %v, want nil", err)
	}
}

func ExampleClassify() {
	v := llm.Classify(llm.Response{
		Provider: llm.OpenAI,
		Status:   429,
		Body:     []byte(`{"error":{"type":"insufficient_quota","code":"project_spend_limit_exceeded","message":"limit reached"}}`),
	})
	fmt.Println(v.Class, v.Retryable, v.Scope, v.Reason)
	// Output: quota_exhausted false account project_spend_limit_exceeded
}

func ExampleClassifyError() {
	err := &trysailhttp.StatusError{Status: 529}
	v := llm.ClassifyError(context.Background(), llm.Anthropic, err)
	fmt.Println(v.Class, v.Retryable, v.Scope)
	// Output: overloaded true target
}

func ExampleVerdict_Mark() {
	v := llm.Classify(llm.Response{Status: 402})
	err := v.Mark(errors.New("payment required"))
	fmt.Println(trysail.Classify(err), err)
	// Output: quota_exhausted payment required
}
