package perf_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"
)

// TestMain fails the run when goroutines are left behind. Inside a bubble
// synctest finds them itself; the fuzzing engine leaves some of its own.
func TestMain(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	fuzzing := flag.Lookup("test.fuzz").Value.String() != ""
	if code == 0 && !fuzzing && !endsWith(before) {
		fmt.Fprintf(os.Stderr, "%d goroutines are left, want %d:\n", runtime.NumGoroutine(), before)
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		code = 1
	}
	os.Exit(code)
}

// endsWith reports whether the number of goroutines comes down to n. Those that are
// just ending get five seconds for it.
func endsWith(n int) bool {
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > n; runtime.Gosched() {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}
