package trysail_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/trysail-go/trysail"
)

// A permit is for a call whose end comes later and elsewhere, such as a queued job.
func ExampleOperation_Acquire() {
	orc, _ := trysail.New(trysail.Config{})
	op := orc.Operation("jobs")

	permit, err := op.Acquire(context.Background())
	if err != nil {
		fmt.Println(err) // refused: do not submit the job
		return
	}
	fmt.Println("under way:", op.Metrics().Calls)
	permit.Done(nil) // when the job's result is known
	fmt.Println("ended:", op.Metrics().Calls)

	permit.Done(errors.New("too late to count"))
	fmt.Println("misuses:", op.Metrics().Misuses)
	// Output:
	// under way: 0
	// ended: 1
	// misuses: 1
}

// A permit is given back by a deferred function, which sees the error at the end.
func ExamplePermit() {
	orc, _ := trysail.New(trysail.Config{})
	op := orc.Operation("jobs")
	work := func() (err error) {
		permit, err := op.Acquire(context.Background())
		if err != nil {
			return err
		}
		defer func() { permit.Done(err) }()
		return errors.New("connection reset")
	}
	fmt.Println(work(), op.Breaker().Snapshot().Failures)
	// Output: connection reset 1
}

// A stream is opened again until its first part has come, and judged when it ends.
func ExampleStart_stream() {
	orc, _ := trysail.New(trysail.Config{Default: trysail.Policy{
		Attempt: 60 * time.Second, // for the first token; the rest may take longer
		Retry:   trysail.RetryPolicy{Backoff: trysail.BackoffNone},
	}})
	op := orc.Operation("chat")
	tries := 0
	stream, permit, err := trysail.Start(context.Background(), op, func(context.Context) (*strings.Reader, error) {
		if tries++; tries == 1 {
			return nil, trysail.Unavailable(errors.New("503 from the provider"))
		}
		return strings.NewReader("fair wind"), nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	var first, second string
	_, err = fmt.Fscan(stream, &first, &second)
	permit.Done(err)
	fmt.Println(first, second)

	m := op.Metrics()
	fmt.Println("calls:", m.Calls, "retries:", m.Retries)
	// Output:
	// fair wind
	// calls: 1 retries: 1
}

// Each item has a result of its own, in the order of the items.
func ExampleBatch_errors() {
	orc, _ := trysail.New(trysail.Config{})
	texts := []string{"a text", "", "another text"}
	results := trysail.Batch(context.Background(), orc.Operation("count"), texts,
		func(_ context.Context, text string) (int, error) {
			if text == "" {
				return 0, trysail.Permanent(errors.New("no text"))
			}
			return len(strings.Fields(text)), nil
		})
	for i, r := range results {
		fmt.Printf("%q: %d %v\n", texts[i], r.Value, r.Err)
	}
	// Output:
	// "a text": 2 <nil>
	// "": 0 operation "count": permanent: no text
	// "another text": 2 <nil>
}

// A configuration with faults is refused as a whole, and names them all.
func ExampleOrchestrator_Apply_refused() {
	orc, _ := trysail.New(trysail.Config{})
	_, err := orc.Apply(trysail.Config{Default: trysail.Policy{
		Total:   10 * time.Second,
		Attempt: 20 * time.Second,
		Retry:   trysail.RetryPolicy{Attempts: 50},
	}})
	fmt.Println(err)
	fmt.Println(orc.Configuration().Default.Retry.Attempts)
	// Output:
	// trysail config: Default.Attempt is 20s, want at most Total, which is 10s
	// Default.Retry.Attempts is 50, want 1 to 20
	// 3
}

// Limits end attempts and calls; the error says which, and what the dependency said.
func ExamplePolicy() {
	orc, _ := trysail.New(trysail.Config{Default: trysail.Policy{
		Total:   time.Minute,
		Attempt: 10 * time.Millisecond,
		Retry:   trysail.RetryPolicy{Disabled: true},
	}})
	_, err := trysail.Do(context.Background(), orc.Operation("qa"), func(ctx context.Context) (string, error) {
		<-ctx.Done()
		return "", ctx.Err()
	})
	fmt.Println(errors.Is(err, trysail.ErrAttemptTimeout), errors.Is(err, trysail.ErrTotalTimeout))
	// Output: true false
}

// One fallback after the other is asked, until one has an answer.
func ExampleDoWithFallback_chain() {
	orc, _ := trysail.New(trysail.Config{})
	text, err := trysail.DoWithFallback(context.Background(), orc.Operation("qa"),
		func(context.Context) (string, error) { return "", trysail.Permanent(errors.New("model not found")) },
		func(context.Context, error) (string, error) { return "", errors.New("the second model is down") },
		func(_ context.Context, reason error) (string, error) { return "cached, because " + reason.Error(), nil },
	)
	fmt.Println(text, err)
	// Output: cached, because operation "qa": permanent: model not found (then the second model is down) <nil>
}
