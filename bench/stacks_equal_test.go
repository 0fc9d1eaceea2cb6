package bench_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestStacksRetryAlike proves that the benchmarks compare like with like.
func TestStacksRetryAlike(t *testing.T) {
	for name, tc := range map[string]struct {
		failures   int // attempts that fail before one succeeds
		calls      int // wanted of a stack with retries
		callsPlain int // wanted of one without
	}{
		"success makes one attempt":               {0, 1, 1},
		"one failure is repeated":                 {1, 2, 1},
		"two failures are repeated":               {2, 3, 1},
		"three failures use up all the attempts":  {3, 3, 1},
		"what never succeeds gets three attempts": {1000, 3, 1},
	} {
		for _, s := range append(stacks(), untimed()) {
			t.Run(name+"/"+s.name, func(t *testing.T) {
				dep := &scripted{failures: tc.failures}
				value, err := s.prepare(t, dep.dependency())()
				want := tc.callsPlain
				if s.retries {
					want = tc.calls
				}
				if dep.calls != want {
					t.Errorf("%d attempts, want %d", dep.calls, want)
				}
				switch ok := want > tc.failures; {
				case ok && (value != 1 || err != nil):
					t.Errorf("call = %d, %v, want 1, nil", value, err)
				case !ok && !errors.Is(err, errDown):
					t.Errorf("call = %v, want %v", err, errDown)
				}
			})
		}
	}
}

func TestStacksOpenAlike(t *testing.T) {
	for _, s := range append(stacks(), untimed()) {
		t.Run(s.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dep := &scripted{failures: 1000}
				call := s.prepare(t, dep.dependency())
				for i := range threshold {
					if _, err := call(); !errors.Is(err, errDown) {
						t.Fatalf("failed call %d: %v, want %v", i+1, err, errDown)
					}
				}
				made := dep.calls
				time.Sleep(openFor - 1)
				if _, err := call(); !errors.Is(err, s.refusal) || dep.calls != made {
					t.Errorf("before the time: %v after %d attempts, want %v after none", err, dep.calls-made, s.refusal)
				}
				time.Sleep(2 * time.Nanosecond) // gobreaker wants a nanosecond more than the others
				dep.failures = 0
				if value, err := call(); value != 1 || err != nil {
					t.Errorf("after the time: %d, %v, want 1, nil", value, err)
				}
			})
		})
	}
}

// TestStacksForgetFailuresAlike holds for all stacks but those that are known to bear grudges,
// which open at the failure that the others have forgotten. No benchmark lets failures add up
// across successes.
func TestStacksForgetFailuresAlike(t *testing.T) {
	for _, s := range append(stacks(), untimed()) {
		t.Run(s.name, func(t *testing.T) {
			dep := &scripted{}
			call := s.prepare(t, dep.dependency())
			fail := func() error {
				dep.failed, dep.failures = 0, 1000
				_, err := call()
				return err
			}
			for range threshold - 1 {
				if err := fail(); !errors.Is(err, errDown) {
					t.Fatalf("call = %v, want %v", err, errDown)
				}
			}
			dep.failures = 0
			if _, err := call(); err != nil {
				t.Fatalf("call = %v, want nil", err)
			}
			want := errDown
			for range threshold - 1 {
				if err := fail(); !errors.Is(err, want) {
					t.Fatalf("call after a success = %v, want %v", err, want)
				}
				if s.grudges {
					want = s.refusal
				}
			}
		})
	}
}
