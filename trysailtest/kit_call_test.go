package trysailtest_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail/trysailtest"
)

func TestTraceLooksAtItsOwnAttemptsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := trysailtest.NewDependency(t, "text", "ok after 1s")
		_, _ = d.Call(t.Context())
		time.Sleep(time.Hour)
		d.Trace(func() error {
			_, err := d.Call(t.Context())
			return err
		}).Want(t, "ok after 1 attempt in 1s")
		d.Trace(func() error { return nil }).Want(t, "ok without an attempt in 0s")
		d.Trace(func() error { return errors.New("no credit") }).Want(t, "not called in 0s: no credit")
	})
}

// A panic that is not the script's is the test's own affair.
func TestTraceLetsOtherPanicsPass(t *testing.T) {
	defer func() {
		if v := recover(); v != "a bug" {
			t.Errorf("recovered %v, want the bug", v)
		}
	}()
	trysailtest.NewDependency(t, "text", "ok").Trace(func() error { panic("a bug") })
}
