package trysailtest_test

import (
	"testing"
	"testing/synctest"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/trysailtest"
)

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
