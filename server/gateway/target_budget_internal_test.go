package gateway

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// Each send of a visit has money of its own held, and what is used up is back at midnight UTC, to the moment.
func TestTargetMoneyOfEachSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the bubble begins at midnight UTC
		time.Sleep(6 * time.Hour)
		tg := &target{Target: Target{Name: "a", Price: Price{Input: 1000, Output: 1000}, Limits: TargetLimits{Dollars: 0.25}}, standing: &standing{purse: &purse{}}}
		e := &exchange{client: httptest.NewRequest(http.MethodPost, "/v1/chat/completions", http.NoBody), model: "m"}
		e.usage.estimated, e.usage.prompt, e.usage.output = true, 20, 80 // 0.1 dollars
		v := &visit{target: tg}
		for i, step := range []struct {
			costs float64 // negative: it is not sent
			wait  time.Duration
		}{{0.1, 0}, {0, 0}, {0.1, 0}, {-1, 18 * time.Hour}} {
			err := v.fund(e)
			if again := v.fund(e); (again == nil) != (err == nil) {
				t.Errorf("step %d: fund is %v, and %v again", i, err, again)
			}
			var broke *budgetError
			if errors.As(err, &broke); (step.wait > 0) != (broke != nil) || broke != nil && broke.RetryAfter() != step.wait {
				t.Fatalf("step %d: %v, want a wait of %v", i, err, step.wait)
			}
			if _, held := tg.purse.today(time.Now()); (held > 0.09) != (err == nil) {
				t.Errorf("step %d: %v is held", i, held)
			}
			if step.costs >= 0 {
				v.spend(step.costs)
			}
			v.spend(0) // as the end of a visit does
		}
		if spent, held := tg.purse.today(time.Now()); spent != 0.2 || held != 0 {
			t.Errorf("spent %v, held %v; want 0.2 and nothing", spent, held)
		}
		time.Sleep(18*time.Hour - time.Nanosecond)
		if wait := e.broke(tg); wait != time.Nanosecond {
			t.Errorf("just before midnight it waits %v, want 1ns", wait)
		}
		time.Sleep(time.Nanosecond)
		if wait := e.broke(tg); wait != 0 || v.fund(e) != nil {
			t.Errorf("at midnight it waits %v, want money", wait)
		}
	})
}
