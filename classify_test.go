package trysail_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"syscall"
	"testing"

	"github.com/trysail-go/trysail"
)

// Two spellings of an error that carries an HTTP status, as clients write them.
type (
	status      int
	plainStatus int
)

func (s status) Error() string        { return fmt.Sprint("status ", int(s)) }
func (s status) HTTPStatusCode() int  { return int(s) }
func (s plainStatus) Error() string   { return fmt.Sprint("status ", int(s)) }
func (s plainStatus) StatusCode() int { return int(s) }

// carrying is an error with a status that wraps another one.
type carrying struct {
	status
	inner error
}

func (c carrying) Unwrap() error { return c.inner }

const (
	transient   = trysail.ClassTransient
	rateLimited = trysail.ClassRateLimited
	overloaded  = trysail.ClassOverloaded
	permanent   = trysail.ClassPermanent
	canceled    = trysail.ClassCanceled
	quota       = trysail.ClassQuotaExhausted
)

func TestClassify(t *testing.T) {
	boom := errors.New("boom")
	for name, tc := range map[string]struct {
		err  error
		want trysail.Class
	}{
		"unknown":                        {boom, transient},
		"nil":                            {nil, transient},
		"marked transient":               {trysail.Transient(boom), transient},
		"marked permanent":               {trysail.Permanent(boom), permanent},
		"marked rate limited":            {trysail.RateLimited(boom, 0), rateLimited},
		"marked unavailable":             {trysail.Unavailable(boom), overloaded},
		"marked a bad answer":            {trysail.BadAnswer(boom), trysail.ClassBadAnswer},
		"marked with a class":            {trysail.WithClass(boom, quota, 0), quota},
		"marked deep inside":             {fmt.Errorf("a: %w", fmt.Errorf("b: %w", trysail.Permanent(boom))), permanent},
		"the outermost mark decides":     {trysail.Transient(fmt.Errorf("a: %w", trysail.Permanent(boom))), transient},
		"an Error of another operation":  {&trysail.Error{Class: quota, Err: trysail.Permanent(boom)}, quota},
		"such an Error, wrapped":         {fmt.Errorf("a: %w", &trysail.Error{Class: canceled, Err: boom}), canceled},
		"committed alone says nothing":   {trysail.Committed(boom), transient},
		"committed looks further in":     {trysail.Committed(trysail.Permanent(boom)), permanent},
		"a mark before a status":         {trysail.Permanent(status(503)), permanent},
		"a status before a mark":         {carrying{503, trysail.Permanent(boom)}, overloaded},
		"no real status before a mark":   {carrying{0, trysail.Permanent(boom)}, permanent},
		"a status before Canceled":       {carrying{500, context.Canceled}, transient},
		"a mark before Canceled":         {trysail.Unavailable(context.Canceled), overloaded},
		"joined: the first decides":      {errors.Join(boom, status(429), trysail.Permanent(boom)), rateLimited},
		"joined: depth first":            {errors.Join(fmt.Errorf("a: %w", errors.Join(boom, status(404))), status(429)), permanent},
		"two wrapped at once":            {fmt.Errorf("%w, then %w", boom, trysail.Permanent(boom)), permanent},
		"once alone says nothing":        {trysail.Once(boom), transient},
		"once looks further in":          {trysail.Once(trysail.Unavailable(boom)), overloaded},
		"joined in a mark":               {trysail.Committed(errors.Join(boom, status(400))), permanent},
		"context.Canceled":               {context.Canceled, canceled},
		"context.Canceled, wrapped":      {fmt.Errorf("get: %w", context.Canceled), canceled},
		"context.Canceled, joined":       {errors.Join(boom, context.Canceled), canceled},
		"context.DeadlineExceeded":       {context.DeadlineExceeded, transient},
		"a deadline, wrapped":            {fmt.Errorf("get: %w", context.DeadlineExceeded), transient},
		"os.ErrDeadlineExceeded":         {os.ErrDeadlineExceeded, transient},
		"connection refused":             {syscall.ECONNREFUSED, transient},
		"connection reset":               {syscall.ECONNRESET, transient},
		"connection aborted":             {syscall.ECONNABORTED, transient},
		"broken pipe":                    {syscall.EPIPE, transient},
		"no route":                       {syscall.EHOSTUNREACH, transient},
		"end of file":                    {io.EOF, transient},
		"unexpected end of file":         {io.ErrUnexpectedEOF, transient},
		"an open breaker of one's own":   {trysail.ErrOpen, transient},
		"a value error without a mark":   {errors.New("strconv: invalid syntax"), transient},
		"a constructor's nil in a chain": {errors.Join(trysail.Permanent(nil), boom), transient},
	} {
		t.Run(name, func(t *testing.T) {
			if got := trysail.Classify(tc.err); got != tc.want {
				t.Errorf("Classify(%v) = %v, want %v", tc.err, got, tc.want)
			}
		})
	}
}

func TestClassifyStatus(t *testing.T) {
	want := map[int]trysail.Class{
		100: transient, 199: transient, 200: transient, 204: transient, 301: transient, 304: transient, 399: transient,
		400: permanent, 401: permanent, 402: permanent, 403: permanent, 404: permanent, 405: permanent,
		408: transient, 409: permanent, 413: permanent, 418: permanent, 422: permanent, 424: permanent, 425: transient,
		429: rateLimited, 499: permanent,
		500: transient, 501: transient, 502: transient, 503: overloaded, 504: transient, 505: transient,
		520: transient, 529: overloaded, 530: transient, 599: transient,
	}
	for code, class := range want {
		for _, err := range []error{status(code), plainStatus(code), fmt.Errorf("post: %w", status(code))} {
			if got := trysail.Classify(err); got != class {
				t.Errorf("Classify(%T %d) = %v, want %v", err, code, got, class)
			}
		}
		if got := trysail.StatusClass(code); got != class {
			t.Errorf("StatusClass(%d) = %v, want %v", code, got, class)
		}
	}
	for _, code := range []int{100, 599} {
		if got := trysail.Classify(carrying{status(code), trysail.Permanent(errDown)}); got != transient {
			t.Errorf("Classify(status %d over a permanent error) = %v, want %v: it is a status", code, got, transient)
		}
	}
	for _, code := range []int{0, -1, 1, 99, 600, 999, 1429, -429, math.MaxInt, math.MinInt} {
		if got := trysail.Classify(carrying{status(code), trysail.Permanent(errDown)}); got != permanent {
			t.Errorf("Classify(status %d over a permanent error) = %v, want %v: it is no status", code, got, permanent)
		}
		if got := trysail.Classify(plainStatus(code)); got != transient {
			t.Errorf("Classify(status %d) = %v, want %v", code, got, transient)
		}
	}
}

func TestMarks(t *testing.T) {
	for name, mark := range map[string]func(error) error{
		"Transient":   trysail.Transient,
		"Permanent":   trysail.Permanent,
		"Unavailable": trysail.Unavailable,
		"Committed":   trysail.Committed,
		"Once":        trysail.Once,
		"RateLimited": func(err error) error { return trysail.RateLimited(err, 1) },
		"WithClass":   func(err error) error { return trysail.WithClass(err, quota, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			if got := mark(nil); got != nil {
				t.Errorf("%s(nil) = %v, want nil", name, got)
			}
			if got := mark(errDown); got.Error() != "down" || !errors.Is(got, errDown) {
				t.Errorf("%s(%v) = %v, want the same text and error", name, errDown, got)
			}
		})
	}
}

func TestClassString(t *testing.T) {
	want := map[trysail.Class]string{
		transient: "transient", rateLimited: "rate_limited", overloaded: "overloaded", quota: "quota_exhausted",
		trysail.ClassContextLength: "context_length", trysail.ClassContentPolicy: "content_policy",
		permanent: "permanent", canceled: "canceled", trysail.ClassBadAnswer: "bad_answer", 9: "Class(9)", 255: "Class(255)",
	}
	for class := range maps.Keys(want) {
		if got := class.String(); got != want[class] {
			t.Errorf("Class(%d).String() = %q, want %q", uint8(class), got, want[class])
		}
	}
}

func TestErrorText(t *testing.T) {
	for name, tc := range map[string]struct {
		err  trysail.Error
		want string
	}{
		"refused":      {trysail.Error{Operation: "qa", Err: trysail.ErrOpen}, `operation "qa": not called: circuit breaker is open`},
		"one attempt":  {trysail.Error{Operation: "qa", Class: permanent, Attempts: 1, Err: errDown}, `operation "qa": permanent: down`},
		"several":      {trysail.Error{Operation: "qa", Attempts: 3, Err: errDown}, `operation "qa": transient after 3 attempts: down`},
		"with a hint":  {trysail.Error{Operation: "qa", Class: rateLimited, Attempts: 1, RetryAfter: 5e9, Err: errDown}, `operation "qa": rate_limited: down (retry after 5s)`},
		"a quoted one": {trysail.Error{Operation: "a \"b\"", Attempts: 1, Err: errDown}, `operation "a \"b\"": transient: down`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tc.err.Error(); got != tc.want {
				t.Errorf("Error() = %s, want %s", got, tc.want)
			}
		})
	}
}
