package trysailtest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail/trysailtest"
)

func TestDependencyRepeatsTheLastOutcome(t *testing.T) {
	d := trysailtest.NewDependency(t, 7, "fail, ok")
	var got []string
	call := func() {
		n, err := d.Call(t.Context())
		got = append(got, fmt.Sprint(n, err))
	}
	call()
	call()
	call()
	d.Plan("permanent, 503")
	call()
	call()
	call()
	d.PlanOutcomes()
	call()
	want := []string{
		"0 scripted failure", "7 <nil>", "7 <nil>",
		"0 scripted failure", "0 503 Service Unavailable", "0 503 Service Unavailable", "7 <nil>",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the attempts gave %q, want %q", got, want)
	}
}

func TestDependencyKeepsTime(t *testing.T) {
	for script, want := range map[string]struct {
		took time.Duration
		err  error
	}{
		"ok":                 {0, nil},
		"ok after 29s":       {29 * time.Second, nil},
		"ok after 31s":       {30 * time.Second, context.DeadlineExceeded},
		"ok after 31s deaf":  {31 * time.Second, nil},
		"fail after 31s":     {30 * time.Second, context.DeadlineExceeded},
		"hang":               {30 * time.Second, context.DeadlineExceeded},
		"fail after 1s deaf": {time.Second, trysailtest.ErrScripted},
	} {
		bubble(t, script, func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), 30*time.Second, errors.New("enough"))
			defer cancel()
			d := trysailtest.NewDependency(t, "text", script)
			_, err := d.Call(ctx)
			a := d.Attempts()[0]
			if took := a.Ended.Sub(a.Began); took != want.took || !errors.Is(err, want.err) || err != nil != (want.err != nil) {
				t.Errorf("Call() = %v after %v, want %v after %v", err, took, want.err, want.took)
			}
			if over := want.took >= 30*time.Second; over != (a.Cause != nil) || !errors.Is(a.Cause, context.Cause(ctx)) {
				t.Errorf("Cause is %v, want the context's, if it has ended", a.Cause)
			}
		})
	}
}

// A thousand attempts at once get each outcome once.
func TestDependencyUnderStress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := trysailtest.NewDependency(t, 1, "fail after 1s x400, ok after 1s")
		var failed, answered int
		var mu sync.Mutex
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() {
				n, err := d.Call(t.Context())
				mu.Lock()
				defer mu.Unlock()
				answered += n
				if err != nil {
					failed++
				}
			})
		}
		synctest.Wait()
		if running := slices.Clone(d.Attempts()); len(running) != 1000 || !running[999].Ended.IsZero() || running[999].Beside != 999 {
			t.Errorf("%d attempts, the last one %+v; want 1000 that run", len(running), running[len(running)-1])
		}
		all.Wait()
		if failed != 400 || answered != 600 || d.Peak() != 1000 {
			t.Errorf("%d failed, %d answered, %d at once; want 400, 600, 1000", failed, answered, d.Peak())
		}
	})
}
