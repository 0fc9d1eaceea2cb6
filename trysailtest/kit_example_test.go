package trysailtest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/trysailtest"
)

// exampleT stands for the t of a test, which an example has not got. It prints.
type exampleT struct{ testing.TB }

func (exampleT) Helper()                      {}
func (exampleT) Context() context.Context     { return context.Background() }
func (exampleT) Cleanup(func())               {}
func (exampleT) Errorf(form string, a ...any) { fmt.Printf(form+"\n", a...) }
func (exampleT) Fatalf(form string, a ...any) { panic(fmt.Sprintf(form, a...)) }

// t is what a test gets as its argument.
var t exampleT

// atOnce is a policy for examples, which have no bubble to wait in.
var atOnce = trysail.Policy{Retry: trysail.RetryPolicy{Attempts: 4, Backoff: trysail.BackoffNone}}

// In a test this stands in a synctest bubble, and call.Want names the times as well.
func ExampleRun() {
	op, _ := trysailtest.Operation(t, atOnce)
	call := trysailtest.Run(t, op, "fail x2, ok")
	fmt.Println(call.Attempts, "attempts,", call.Err)

	call = trysailtest.Run(t, op, "permanent")
	fmt.Println(call.Attempts, "attempt,", call.Err)
	// Output:
	// 3 attempts, <nil>
	// 1 attempt, operation "op": permanent: scripted failure
}

func ExampleCall() {
	call := trysailtest.Call{Attempts: 2, Err: trysail.Unavailable(errors.New("503"))}
	fmt.Println(call)
	call.Want(t, "ok after 2 attempts in 0s")
	// Output:
	// overloaded after 2 attempts in 0s
	// the call went
	// 	overloaded after 2 attempts in 0s
	// want
	// 	ok after 2 attempts in 0s
}

func ExampleNewDependency() {
	op, _ := trysailtest.Operation(t, atOnce)
	model := trysailtest.NewDependency(t, "short", "429, ok")
	fmt.Println(trysail.Do(context.Background(), op, model.Call))

	model.Plan("permanent")
	fmt.Println(trysail.Do(context.Background(), op, model.Call))
	// Output:
	// short <nil>
	//  operation "op": permanent: scripted failure
}

// Code of your own that makes the call, with a client that a Dependency stands for.
func ExampleDependency_Trace() {
	op, _ := trysailtest.Operation(t, atOnce)
	model := trysailtest.NewDependency(t, "short", "503 x2, ok")
	summarize := trysail.Wrap(op, func(ctx context.Context, _ string) (string, error) { return model.Call(ctx) })

	call := model.Trace(func() error {
		_, err := summarize(context.Background(), "a long text")
		return err
	})
	fmt.Println(call.Attempts, call.Err)
	// Output: 3 <nil>
}

func ExampleAttempt() {
	op, _ := trysailtest.Operation(t, atOnce)
	model := trysailtest.NewDependency(t, "fresh", "permanent")
	cache := trysailtest.NewDependency(t, "stale", "ok")
	fmt.Println(trysail.DoWithFallback(context.Background(), op, model.Call, cache.Fallback))

	for _, attempt := range cache.Attempts() {
		fmt.Println("the cache was asked because of", attempt.Reason)
	}
	// Output:
	// stale <nil>
	// the cache was asked because of operation "op": permanent: scripted failure
}

// An error that no script can say, such as one of an SDK.
func ExampleOutcome() {
	errSDK := errors.New("context_length_exceeded")
	op, _ := trysailtest.Operation(t, atOnce)
	model := trysailtest.NewDependency(t, "short", "ok")
	model.PlanOutcomes(trysailtest.Outcome{Err: trysail.WithClass(errSDK, trysail.ClassContextLength, 0)})
	fmt.Println(trysail.Do(context.Background(), op, model.Call))
	// Output:
	//  operation "op": context_length: context_length_exceeded
}

func ExampleParseOutcomes() {
	outcomes, err := trysailtest.ParseOutcomes("fail after 500ms x2, 429:2s, ok")
	fmt.Println(len(outcomes), outcomes[0].After, err)

	_, err = trysailtest.ParseOutcomes("ok, explode")
	fmt.Println(err)
	// Output:
	// 4 500ms <nil>
	// outcome 2 is "explode", want ok, fail, hang, panic, a status from 400 to 599 or a class, such as 429:2s or permanent
}

// A recorder of an orchestrator of your own.
func ExampleRecorder() {
	recorder := new(trysailtest.Recorder)
	orc, err := trysail.New(trysail.Config{Observer: recorder})
	if err != nil {
		fmt.Println(err)
		return
	}
	op := orc.Operation("qa")
	trysailtest.Trip(t, op)
	op.Breaker().Reset("all is well again")
	for _, transition := range recorder.Transitions() {
		fmt.Println(transition)
	}
	// Output:
	// closed->open (5 calls in a row failed)
	// open->closed (reset: all is well again)
}

func ExampleTrip() {
	op, _ := trysailtest.Operation(t, atOnce)
	trysailtest.Trip(t, op)
	trysailtest.WantState(t, op, trysail.Open)
	call := trysailtest.Run(t, op, "ok")
	fmt.Println(call.Attempts, "attempts:", errors.Is(call.Err, trysail.ErrOpen))
	trysailtest.WantState(t, op, trysail.Closed)
	// Output:
	// 0 attempts: true
	// breaker of "op" is open (5 calls in a row failed), want closed
}
