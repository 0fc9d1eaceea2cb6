package bench_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimitersLimitAlike(t *testing.T) {
	const perSecond = 4
	for _, g := range limiters(perSecond) {
		t.Run(g.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ask := g.prepare(t)
				for range perSecond {
					wantAnswer(t, "within the rate", ask, 1)
				}
				if _, err := ask(); err == nil {
					t.Error("over the rate: nil, want an error")
				}
				time.Sleep(time.Second)
				wantAnswer(t, "a second later", ask, 1)
			})
		})
	}
}

func TestBulkheadsFillAlike(t *testing.T) {
	for _, g := range bulkheads(places) {
		t.Run(g.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				finish := make(chan struct{})
				call := g.prepare(t, hanging(finish))
				var running sync.WaitGroup
				for range places {
					running.Go(func() { wantAnswer(t, "call with a place", call, 1) })
				}
				synctest.Wait()
				if _, err := call(); err == nil {
					t.Error("call without a place: nil, want an error")
				}
				close(finish)
				running.Wait()
				wantAnswer(t, "call after the others", call, 1)
			})
		})
	}
}
