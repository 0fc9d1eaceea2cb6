package trysail_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trysail-go/trysail"
)

// Three calls at once, and then one each twenty minutes.
func ExampleLimiter() {
	limiter, _ := trysail.NewLimiter(trysail.LimiterConfig{Rate: 3.0 / 3600, Burst: 3})
	for range 4 {
		fmt.Println(limiter.Allow(1))
	}
	fmt.Println("next one in", limiter.Until().Round(time.Minute))
	// Output:
	// true
	// true
	// true
	// false
	// next one in 20m0s
}

func ExampleNewLimiter() {
	_, err := trysail.NewLimiter(trysail.LimiterConfig{Rate: -1, MaxWait: 2 * time.Hour})
	fmt.Println(err)
	// Output:
	// LimiterConfig.Rate is -1, want 1e-06 to 1e+09 a second
	// LimiterConfig.MaxWait is 2h0m0s, want 0s to 1h
}

// A wait that is longer than it may be is not begun, and the caller learns when to
// come back. What can never fit is another matter.
func ExampleLimiter_Wait() {
	limiter, _ := trysail.NewLimiter(trysail.LimiterConfig{Rate: 1.0 / 3600, Burst: 10, MaxWait: time.Minute})
	fmt.Println(limiter.Wait(context.Background(), 10))

	err := limiter.Wait(context.Background(), 1)
	var refused *trysail.Error
	if errors.Is(err, trysail.ErrLimited) && errors.As(err, &refused) {
		fmt.Println(refused.Class, "for", refused.RetryAfter.Round(time.Minute))
	}
	fmt.Println(errors.Is(limiter.Wait(context.Background(), 11), trysail.ErrOverBurst))
	// Output:
	// <nil>
	// rate_limited for 1h0m0s
	// true
}

// How many tokens an answer has is known when it is complete. Reserving the most keeps
// parallel calls from using together what each alone was allowed.
func ExampleReservation() {
	limiter, _ := trysail.NewLimiter(trysail.LimiterConfig{Rate: 1.0 / 60, Burst: 10_000})
	left := func() { fmt.Printf("%.0f left\n", limiter.Snapshot().Available) }

	r, err := limiter.Reserve(8000)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Cancel() // should the call panic
	left()
	r.Settle(1200)
	left()
	// Output:
	// 2000 left
	// 8800 left
}

// A server that says when to come back is heeded by all who share the limiter.
func ExampleLimiter_Penalize() {
	limiter, _ := trysail.NewLimiter(trysail.LimiterConfig{Rate: 100})
	limiter.Penalize(time.Now().Add(time.Hour))
	fmt.Println(limiter.Allow(1), limiter.Until().Round(time.Minute))
	// Output: false 1h0m0s
}

func ExampleWithPriority() {
	nightly := trysail.WithPriority(context.Background(), trysail.PriorityBackground)
	_ = nightly // calls with this context wait behind all others for a free place
	fmt.Println(trysail.PriorityInteractive, trysail.PriorityBatch, trysail.PriorityBackground, trysail.Priority(7))
	// Output: interactive batch background Priority(7)
}
