package trysail_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trysail-go/trysail"
)

// A call that fails once and is repeated.
func Example() {
	orc, err := trysail.New(trysail.Config{}) // the preset "simple"
	if err != nil {
		fmt.Println(err)
		return
	}
	// Waits would make this example slow.
	summarize, err := orc.Register("summarize", trysail.OperationConfig{
		Policy: trysail.Policy{Retry: trysail.RetryPolicy{Backoff: trysail.BackoffNone}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	attempt := 0
	text, err := trysail.Do(context.Background(), summarize, func(context.Context) (string, error) {
		if attempt++; attempt == 1 {
			return "", trysail.Unavailable(errors.New("503 from the provider"))
		}
		return "A short text.", nil
	})
	fmt.Println(text, err)
	fmt.Println("retries:", summarize.Metrics().Retries)
	// Output:
	// A short text. <nil>
	// retries: 1
}

// A new orchestrator names every fault of its configuration.
func ExampleNew() {
	_, err := trysail.New(trysail.Config{
		DefaultStrategy: "brave",
		Default:         trysail.Policy{Retry: trysail.RetryPolicy{Attempts: 50}},
	})
	fmt.Println(err)
	// Output:
	// trysail config: DefaultStrategy: unknown strategy "brave", want one of [aggressive balanced conservative critical]
	// Default.Retry.Attempts is 50, want 1 to 20
}

// Every failed call returns an Error, which wraps the dependency's own.
func ExampleDo() {
	orc, _ := trysail.New(trysail.Config{})
	errKey := errors.New("401 invalid key")

	_, err := trysail.Do(context.Background(), orc.Operation("qa"), func(context.Context) (string, error) {
		return "", trysail.Permanent(errKey) // repeating cannot help
	})
	fmt.Println(err)
	fmt.Println(errors.Is(err, errKey))
	// Output:
	// operation "qa": permanent: 401 invalid key
	// true
}

// The fallback gets the reason and answers instead.
func ExampleDoWithFallback() {
	orc, _ := trysail.New(trysail.Config{})
	text, err := trysail.DoWithFallback(context.Background(), orc.Operation("qa"),
		func(context.Context) (string, error) {
			return "", trysail.Permanent(errors.New("model not found"))
		},
		func(_ context.Context, cause error) (string, error) {
			return "an answer from the cache, because: " + cause.Error(), nil
		},
	)
	fmt.Println(text, err)
	// Output: an answer from the cache, because: operation "qa": permanent: model not found <nil>
}

// Wrap is the decorator: what it returns runs under the operation.
func ExampleWrap() {
	orc, _ := trysail.New(trysail.Config{})
	greet := trysail.Wrap(orc.Operation("greet"), func(_ context.Context, name string) (string, error) {
		return "Hello, " + name, nil
	})
	fmt.Println(greet(context.Background(), "sailor"))
	// Output: Hello, sailor <nil>
}

// An operation may have a strategy, and numbers that differ from the strategy's.
func ExampleOrchestrator_Register() {
	orc, _ := trysail.New(trysail.Config{})
	qa, err := orc.Register("qa", trysail.OperationConfig{
		Strategy: trysail.Critical,
		Policy:   trysail.Policy{Breaker: trysail.BreakerPolicy{FailureThreshold: 4}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	p := qa.Policy()
	fmt.Println(qa.Name(), qa.Strategy(), p.Retry.Attempts, p.Breaker.FailureThreshold)
	// Output: qa critical 7 4
}

// Operation creates what does not exist; Lookup does not.
func ExampleOrchestrator_Lookup() {
	orc, _ := trysail.New(trysail.Config{})
	_, ok := orc.Lookup("qa")
	fmt.Println(ok)
	created := orc.Operation("qa")
	found, ok := orc.Lookup("qa")
	fmt.Println(ok, found == created)
	// Output:
	// false
	// true true
}

func ExampleOrchestrator_Health() {
	orc, _ := trysail.New(trysail.Config{})
	down := orc.Operation("down")
	_ = orc.Operation("fine")
	outage(down)

	h := orc.Health()
	fmt.Println(h.Healthy, h.Open, h.Breakers)
	// Output: false [down] 2
}

// outage makes calls fail until the breaker is open.
func outage(op *trysail.Operation) {
	for op.Breaker().State() == trysail.Closed {
		_, _ = trysail.Do(context.Background(), op, func(context.Context) (int, error) {
			return 0, trysail.Committed(errors.New("connection reset")) // not repeated, but counted
		})
	}
}

// The configuration shows every default.
func ExampleOrchestrator_Configuration() {
	orc, _ := trysail.New(trysail.Config{Classes: map[trysail.Class]trysail.Consequence{
		trysail.ClassRateLimited: {Retry: true, Fallback: true}, // does not count
	}})
	c := orc.Configuration()
	fmt.Println(c.Preset, c.DefaultStrategy, c.Default.Retry.Attempts, c.Default.Breaker.RecoveryTimeout)
	fmt.Printf("%+v\n", c.Classes[trysail.ClassRateLimited])
	// Output:
	// simple balanced 3 1m0s
	// {Retry:true Count:false Fallback:true}
}

// An open breaker refuses calls at once and says when to come back.
func ExampleBreaker() {
	orc, _ := trysail.New(trysail.Config{})
	op := orc.Operation("qa")
	outage(op)

	_, err := trysail.Do(context.Background(), op, func(context.Context) (int, error) { return 1, nil })
	var e *trysail.Error
	if errors.As(err, &e) && errors.Is(err, trysail.ErrOpen) {
		fmt.Println(e.Operation, e.Class, e.Attempts, e.RetryAfter.Round(time.Second))
	}
	// Output: qa overloaded 0 1m0s
}

func ExampleBreaker_Reset() {
	orc, _ := trysail.New(trysail.Config{})
	op := orc.Operation("qa")
	outage(op)

	was := op.Breaker().Reset("the provider says that it is well again")
	fmt.Println(was, "->", op.Breaker().State())
	// Output: open -> closed
}

func ExampleBreaker_Snapshot() {
	orc, _ := trysail.New(trysail.Config{})
	op := orc.Operation("qa")
	outage(op)

	s := op.Breaker().Snapshot()
	fmt.Println(s.Operation, s.State, s.Failures, "of", s.FailureThreshold)
	fmt.Println(s.NextAttemptAt.Sub(s.OpenedAt))
	// Output:
	// qa open 5 of 5
	// 1m0s
}
