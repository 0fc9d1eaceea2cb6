package trysail

import (
	"context"
	"errors"
	"testing"
	"time"
)

// Calls that have to go through gates, or to be told of, never take the short way to a refusal.
func TestTheShortWayIsOnlyForWhatNothingComesBefore(t *testing.T) {
	limited := Policy{Limiter: LimiterPolicy{Rate: 1}}
	for name, tc := range map[string]struct {
		cfg  Config
		want bool
	}{
		"nothing else":   {Config{}, true},
		"a limiter":      {Config{Default: limited}, false},
		"observed calls": {Config{Observer: silent{}, ObserveCalls: true}, false},
		"observed":       {Config{Observer: silent{}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			orc, err := New(tc.cfg)
			if err != nil {
				t.Fatal(err)
			}
			op := orc.Operation("op")
			op.Breaker().OpenUntil(time.Now().Add(time.Hour), "test")
			_, err = Do(t.Context(), op, func(context.Context) (int, error) { return 0, nil })
			if short := op.refusal.Load() != nil; !errors.Is(err, ErrOpen) || short != tc.want {
				t.Errorf("after the refusal %v there is a short way: %v, want %v", err, short, tc.want)
			}
		})
	}
}

type silent struct{}

func (silent) Observe(Event) {}
