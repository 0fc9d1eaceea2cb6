package trysailtest_test

import (
	"testing"
	"testing/synctest"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/trysailtest"
)

// What a lenient breaker lets through is marked, or nobody who reads it would see why an open breaker made a call.
func TestRecorderTellsWhatLeaked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := once()
		policy.Breaker = trysail.BreakerPolicy{FailureThreshold: 1, Enforce: 1e-12} // it refuses next to nothing
		op, recorder := trysailtest.Operation(t, policy)
		for _, script := range []string{"fail", "ok after 2s", "fail"} {
			trysailtest.Run(t, op, script)
		}
		recorder.Want(t, `
			0s  breaker closed->open (1 calls in a row failed)
			0s  call failed after 1 attempt in 0s, transient: scripted failure
			2s  call ok after 1 attempt in 2s, leaked
			2s  call failed after 1 attempt in 0s, leaked, transient: scripted failure
		`)
	})
}

func TestRecorderNamesOperationsWhereThereAreSeveral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorder := new(trysailtest.Recorder)
		orc, err := trysail.New(trysail.Config{Observer: recorder, Default: trysailtest.Exact(trysail.Policy{})})
		if err != nil {
			t.Fatal(err)
		}
		recorder.Want(t, "")
		trysailtest.Run(t, orc.Operation("qa"), "fail, ok")
		orc.Operation("chat").Breaker().ForceOpen(trysail.Override{Reason: "budget", Author: "ann"})
		recorder.Want(t, `
			0s  qa: retry in 2s: attempt 1 failed, transient: scripted failure
			2s  chat: breaker closed->forced-open (budget (ann))
		`)
		if got := recorder.Events(trysail.EventRetry, trysail.EventCall); len(got) != 1 || got[0].Operation != "qa" {
			t.Errorf("Events(retry, call) = %+v, want the retry", got)
		}
	})
}
