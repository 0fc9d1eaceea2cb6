package trysail_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

func TestLeaseEndsExactlyAfterProbeTimeout(t *testing.T) {
	for name, tc := range map[string]struct {
		wait time.Duration
		want trysail.State
	}{
		"one nanosecond early": {2*time.Minute - 1, trysail.HalfOpen},
		"on time":              {2 * time.Minute, trysail.Open},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, once())
			halfOpen(t, op)
			time.Sleep(time.Hour) // a lease begins with its probe, not with the state
			probe := hold(t, op)
			time.Sleep(tc.wait)
			wantState(t, op, tc.want)
			_ = probe.end(errBadRequest)
		})
	}
}

func TestLateProbeNoLongerCounts(t *testing.T) {
	for name, tc := range map[string]struct {
		wait    time.Duration
		outcome error
		want    trysail.State
	}{
		"a success in time closes":         {2*time.Minute - 1, nil, trysail.Closed},
		"a success too late does not":      {2 * time.Minute, nil, trysail.Open},
		"a failure in time opens":          {2*time.Minute - 1, errDown, trysail.Open},
		"a neutral one in time stays":      {2*time.Minute - 1, errBadRequest, trysail.HalfOpen},
		"a neutral one too late is a hang": {2 * time.Minute, errBadRequest, trysail.Open},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, once())
			halfOpen(t, op)
			probe := hold(t, op)
			time.Sleep(tc.wait) // and nobody looks
			_ = probe.end(tc.outcome)
			wantState(t, op, tc.want)
		})
	}
}

// The open period after a hung probe begins when the lease ends. It must not
// begin when somebody happens to look, for then a breaker without traffic would
// turn away the first call, however long ago the lease ended.
func TestOutageAfterAHungProbeBeginsWithTheEndOfItsLease(t *testing.T) {
	for name, tc := range map[string]struct {
		wait time.Duration // from the probe on
		want error
	}{
		"while the lease runs":           {2*time.Minute - 1, trysail.ErrOpen},
		"when the lease has ended":       {2 * time.Minute, trysail.ErrOpen},
		"1 ns before the timeout passed": {3*time.Minute - 1, trysail.ErrOpen},
		"when the timeout has passed":    {3 * time.Minute, nil},
		"a day later":                    {24 * time.Hour, nil},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, once())
			halfOpen(t, op)
			probe := hold(t, op)
			time.Sleep(tc.wait)
			if err := call(t, op, nil); !errors.Is(err, tc.want) {
				t.Errorf("Do() %v after the probe began = %v, want %v", tc.wait, err, tc.want)
			}
			_ = probe.end(errBadRequest)
		})
	}
}

// Who observes must see what happens, and must not change it.
func TestObserverChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := newOperation(t, once())
		observed := newOrchestrator(t, trysail.Config{Default: once(), Observer: &recorder{}}).Operation("op")
		var probes []*held
		for _, op := range []*trysail.Operation{silent, observed} {
			halfOpen(t, op)
		}
		for _, op := range []*trysail.Operation{silent, observed} {
			probes = append(probes, hold(t, op))
		}
		time.Sleep(10 * time.Minute)
		if got, want := silent.Breaker().Snapshot(), observed.Breaker().Snapshot(); got.State != want.State {
			t.Errorf("10 min after a hung probe: state without an observer = %v, with one %v; want the same", got.State, want.State)
		}
		for _, probe := range probes {
			_ = probe.end(errBadRequest)
		}
	})
}

func TestHungProbeKeepsOnlyItsOwnPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := once()
		policy.Breaker.HalfOpenMaxCalls = 2
		op := newOperation(t, policy)
		halfOpen(t, op)
		hung := hold(t, op)
		for range 3 {
			if err := call(t, op, errBadRequest); errors.Is(err, trysail.ErrOpen) {
				t.Fatalf("Do() beside a hung probe = %v, want it admitted", err)
			}
		}
		other := hold(t, op)
		if err := call(t, op, nil); !errors.Is(err, trysail.ErrOpen) {
			t.Errorf("third probe of two = %v, want %v", err, trysail.ErrOpen)
		}
		_ = other.end(nil)
		_ = hung.end(errDown)
		wantState(t, op, trysail.Closed)
	})
}

func TestProbeTimeoutDefault(t *testing.T) {
	for name, tc := range map[string]struct {
		recovery, want time.Duration
	}{
		"two minutes": {time.Minute, 2 * time.Minute},
		"the recovery timeout where it is longer": {10 * time.Minute, 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			policy := once()
			policy.Breaker.RecoveryTimeout = tc.recovery
			if got := newOperation(t, policy).Policy().Breaker.ProbeTimeout; got != tc.want {
				t.Errorf("ProbeTimeout with a RecoveryTimeout of %v = %v, want %v", tc.recovery, got, tc.want)
			}
		})
	}
}
