package trysail_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
)

// A slowCloser is a value whose Close takes a minute.
type slowCloser struct{ closed *atomic.Int64 }

func (c *slowCloser) Close() error { time.Sleep(time.Minute); c.closed.Add(1); return nil }

// Closing what nobody gets does not keep the winner.
func TestSlowCloseOfALoser(t *testing.T) {
	for name, first := range map[string]runner{
		"that failed before the winner":     {3 * time.Second, errDown},
		"that succeeded at the same moment": {4 * time.Second, nil},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, hedging(after2s()))
			var closed, begun atomic.Int64
			start := time.Now()
			_, err := trysail.Do(t.Context(), op, trysail.Hedged(op, func(context.Context) (*slowCloser, error) {
				if begun.Add(1) == 1 {
					time.Sleep(first.takes)
					return &slowCloser{&closed}, first.err
				}
				time.Sleep(2 * time.Second)
				return &slowCloser{&closed}, nil
			}))
			if took := time.Since(start); err != nil || took != 4*time.Second {
				t.Errorf("Do() = %v after %v, want an answer after 4s", err, took)
			}
			time.Sleep(time.Hour)
			if closed.Load() != 1 {
				t.Errorf("%d values are closed, want the loser's", closed.Load())
			}
		})
	}
}
