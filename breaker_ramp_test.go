package trysail_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

func TestR8RampLetsMoreAndMoreThrough(t *testing.T) {
	const n = 20_000
	for name, tc := range map[string]struct {
		after time.Duration
		want  float64
	}{
		"when it has just closed": {0, 0.1},
		"after a tenth":           {6 * time.Second, 0.19},
		"half way":                {30 * time.Second, 0.55},
		"shortly before the end":  {59 * time.Second, 0.985},
		"at the end":              {time.Minute, 1},
		"an hour later":           {time.Hour, 1},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, breaking(trysail.BreakerPolicy{RampUp: time.Minute}))
			_ = call(t, op, errDown)
			recovers(t, op)
			time.Sleep(tc.after)
			through := 0
			for range n {
				switch err := call(t, op, nil); {
				case err == nil:
					through++
				case !errors.Is(err, trysail.ErrOpen):
					t.Fatalf("Do() = %v, want success or %v", err, trysail.ErrOpen)
				}
			}
			got, bound := float64(through)/n, 6*math.Sqrt(tc.want*(1-tc.want)/n) // six deviations
			if math.Abs(got-tc.want) > bound {
				t.Errorf("%v after the close %.4f of the calls came through, want %.4f ± %.4f", tc.after, got, tc.want, bound)
			}
			wantState(t, op, trysail.Closed)
		})
	}
}

func TestR8RampEndsForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, breaking(trysail.BreakerPolicy{RampUp: time.Minute}))
		_ = call(t, op, errDown)
		recovers(t, op)
		_ = call(t, op, nil)
		time.Sleep(time.Minute)
		for range 1000 {
			if err := call(t, op, nil); err != nil {
				t.Fatalf("Do() after the ramp = %v, want success", err)
			}
		}
	})
}

func TestR8NoRampUnlessClosedByARule(t *testing.T) {
	for name, closes := range map[string]func(*testing.T, *trysail.Operation){
		"new":              nothing,
		"Reset":            func(t *testing.T, op *trysail.Operation) { trip(t, op); op.Breaker().Reset("test") },
		"Close":            func(t *testing.T, op *trysail.Operation) { trip(t, op); op.Breaker().Close(trysail.Override{}) },
		"Reset, half-open": func(t *testing.T, op *trysail.Operation) { halfOpen(t, op); op.Breaker().Reset("test") },
		"Close, half-open": func(t *testing.T, op *trysail.Operation) { halfOpen(t, op); op.Breaker().Close(trysail.Override{}) },
		"an override that ends": func(t *testing.T, op *trysail.Operation) {
			halfOpen(t, op)
			op.Breaker().ForceOpen(trysail.Override{For: time.Minute})
			time.Sleep(time.Minute)
		},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, breaking(trysail.BreakerPolicy{RampUp: time.Hour}))
			closes(t, op)
			for i := range 200 {
				if err := call(t, op, nil); err != nil {
					t.Fatalf("call %d = %v, want success", i+1, err)
				}
			}
		})
	}
}

// A failure during the ramp opens as ever, and the next close begins a ramp of its own.
func TestR8RampBeginsAnewWithEachClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, breaking(trysail.BreakerPolicy{RampUp: time.Hour}))
		_ = call(t, op, errDown)
		for range 3 {
			recovers(t, op)
			refused := 0
			for range 200 {
				if call(t, op, nil) != nil {
					refused++
				}
			}
			if refused < 100 {
				t.Errorf("%d of 200 calls were refused right after the close, want most", refused)
			}
			for op.Breaker().State() == trysail.Closed {
				_ = call(t, op, errDown)
			}
		}
	})
}

func TestR8RampUnderNewNumbers(t *testing.T) {
	for name, tc := range map[string]struct {
		before, after time.Duration
		all           bool
	}{
		"kept": {time.Hour, time.Hour, false}, "switched off": {time.Hour, 0, true},
		"shorter than what has passed": {time.Hour, time.Second, true}, "switched on for the next time": {0, time.Hour, true},
	} {
		bubble(t, name, func(t *testing.T) {
			orc := newOrchestrator(t, trysail.Config{Default: once()})
			policy := breaking(trysail.BreakerPolicy{RampUp: tc.before}).Breaker
			register(t, orc, policy)
			op := orc.Operation("op")
			_ = call(t, op, errDown)
			recovers(t, op)
			time.Sleep(time.Minute)
			policy.RampUp = tc.after
			register(t, orc, policy)
			through := 0
			for range 200 {
				if call(t, op, nil) == nil {
					through++
				}
			}
			if got := through == 200; got != tc.all {
				t.Errorf("%d of 200 calls came through, want all: %v", through, tc.all)
			}
		})
	}
}

// Without a breaker that lets fewer through, whoever comes first would get it all. The
// share must be spread over callers and time: no long run of refusals or admissions.
func TestR8RampIsSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, breaking(trysail.BreakerPolicy{RampUp: time.Hour}))
		_ = call(t, op, errDown)
		recovers(t, op)
		time.Sleep(26*time.Minute + 40*time.Second) // a half comes through
		var runs strings.Builder
		for range 2000 {
			fmt.Fprintf(&runs, "%d", map[bool]int{true: 1}[call(t, op, nil) == nil])
		}
		for _, run := range []string{strings.Repeat("0", 40), strings.Repeat("1", 40)} { // 2 in 10^9 each
			if strings.Contains(runs.String(), run) {
				t.Errorf("40 calls in a row had the same luck: %s", runs.String())
			}
		}
	})
}
