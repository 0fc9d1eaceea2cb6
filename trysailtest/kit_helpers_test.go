package trysailtest_test

import (
	"testing"
	"testing/synctest"
)

// bubble runs f as a subtest in a bubble of its own.
func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}
