package trysail_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// restarted stores the breakers of an orchestrator as JSON, and restores them in another one
// after a pause.
func restarted(t *testing.T, orc *trysail.Orchestrator, pause time.Duration) *trysail.Orchestrator {
	t.Helper()
	stored, err := json.Marshal(orc.Breakers())
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(pause)
	var snapshots []trysail.BreakerSnapshot
	if err := json.Unmarshal(stored, &snapshots); err != nil {
		t.Fatal(err)
	}
	next := newOrchestrator(t, trysail.Config{Default: once()})
	if err := next.Restore(snapshots); err != nil {
		t.Fatalf("Restore() = %v", err)
	}
	return next
}

func TestRestoredBreaker(t *testing.T) {
	word := trysail.Override{Reason: "maintenance", Author: "ada", For: time.Hour}
	for name, tc := range map[string]struct {
		before func(t *testing.T, op *trysail.Operation)
		pause  time.Duration
		state  trysail.State
		after  func(t *testing.T, op *trysail.Operation, s trysail.BreakerSnapshot)
	}{
		"a healthy one": {
			func(*testing.T, *trysail.Operation) {}, 0, closed,
			func(t *testing.T, op *trysail.Operation, _ trysail.BreakerSnapshot) {
				if err := call(t, op, nil); err != nil {
					t.Error(err)
				}
			},
		},
		"a failing streak goes on": {
			func(t *testing.T, op *trysail.Operation) { calls(t, op, "ffff") }, time.Minute, closed,
			func(t *testing.T, op *trysail.Operation, _ trysail.BreakerSnapshot) {
				_ = call(t, op, errDown)
				wantState(t, op, opened)
			},
		},
		"an open one stays open for the rest": {
			func(t *testing.T, op *trysail.Operation) { trip(t, op) }, 20 * time.Second, opened,
			func(t *testing.T, op *trysail.Operation, s trysail.BreakerSnapshot) {
				_, why := refusal(t, op)
				if why.Reason != "5 calls in a row failed" || time.Until(why.Until) != 40*time.Second || time.Since(s.OpenedAt) != 20*time.Second {
					t.Errorf("refused because %+v, snapshot %+v; want the reason of before, for 40s", why, s)
				}
				time.Sleep(40*time.Second - 1)
				wantState(t, op, opened)
				time.Sleep(time.Nanosecond)
				_ = call(t, op, nil)
				wantState(t, op, closed)
			},
		},
		"an open time that ended meanwhile has ended": {
			func(t *testing.T, op *trysail.Operation) { trip(t, op) }, time.Hour, half,
			func(t *testing.T, op *trysail.Operation, s trysail.BreakerSnapshot) {
				if s.Reopens != 1 || s.Failures != 5 || !s.LastFailure.Equal(s.OpenedAt) {
					t.Errorf("snapshot %+v, want the failures of before", s)
				}
				_ = call(t, op, errDown)
				wantState(t, op, opened)
			},
		},
		"a half-open one begins its probes anew": {
			func(t *testing.T, op *trysail.Operation) { halfOpen(t, op); hold(t, op) }, 0, half,
			func(t *testing.T, op *trysail.Operation, s trysail.BreakerSnapshot) {
				if err := call(t, op, nil); err != nil || s.Probes != 0 {
					t.Errorf("Do() = %v with %+v, want a place for a probe", err, s)
				}
			},
		},
		"an operator's word holds": {
			func(_ *testing.T, op *trysail.Operation) { op.Breaker().ForceOpen(word) }, 20 * time.Minute, trysail.ForcedOpen,
			func(t *testing.T, op *trysail.Operation, s trysail.BreakerSnapshot) {
				if s.Override != word || time.Until(s.ExpiresAt) != 40*time.Minute || s.Reason != "maintenance (ada)" {
					t.Errorf("snapshot %+v, want the word, for 40 min", s)
				}
				if _, why := refusal(t, op); !why.Since.IsZero() || why.Until != s.ExpiresAt {
					t.Errorf("refused because %+v, want it since an unknown time until %v", why, s.ExpiresAt)
				}
				time.Sleep(40 * time.Minute)
				wantState(t, op, closed)
			},
		},
		"a word without an end has none": {
			func(_ *testing.T, op *trysail.Operation) { op.Breaker().MetricsOnly(trysail.Override{}) }, time.Hour, trysail.MetricsOnly,
			func(t *testing.T, op *trysail.Operation, _ trysail.BreakerSnapshot) {
				time.Sleep(1000 * time.Hour)
				wantState(t, op, trysail.MetricsOnly)
			},
		},
		"a word that expired meanwhile is over": {
			func(_ *testing.T, op *trysail.Operation) { op.Breaker().Disable(word) }, 2 * time.Hour, closed,
			func(*testing.T, *trysail.Operation, trysail.BreakerSnapshot) {},
		},
	} {
		bubble(t, name, func(t *testing.T) {
			orc := newOrchestrator(t, trysail.Config{Default: once()})
			time.Sleep(time.Hour)
			tc.before(t, orc.Operation("op"))
			next := restarted(t, orc, tc.pause).Operation("op")
			s := next.Breaker().Snapshot()
			if s.State != tc.state {
				t.Fatalf("restored as %+v, want %v", s, tc.state)
			}
			tc.after(t, next, s)
		})
	}
}

// Observers hear of the state that was restored, and of what was due meanwhile.
func TestRestoreIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		op, r := observed(t, once())
		s := trysail.BreakerSnapshot{Operation: "op", State: opened, Reason: "stored", NextAttemptAt: start.Add(30 * time.Second)}
		if err := op.Breaker().Restore(s); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		wantTransitions(t, start, r.heard(), []transition{
			{0, closed, opened, 1, "stored"},
			{30 * time.Second, opened, half, 2, "the recovery timeout has passed"},
		})
		if m := op.Metrics(); m.Opens != 0 {
			t.Errorf("Metrics() = %+v, want no opening counted", m)
		}
	})
}

// Nothing is told or counted that has not happened now.
func TestRestoreTellsOfNothingElse(t *testing.T) {
	stored := trysail.BreakerSnapshot{Operation: "op", Reason: "stored", Failures: 3}
	for name, tc := range map[string]struct {
		before    func(*testing.T, *trysail.Operation)
		state     trysail.State
		want      []transition
		halfOpens uint64
	}{
		"a closed one":             {nothing, closed, nil, 0},
		"a closed one that opened": {trips, closed, []transition{{0, opened, closed, 2, "stored"}}, 0},
		"a half-open one":          {nothing, half, []transition{{0, closed, half, 1, "stored"}}, 0},
		"one that was due": {nothing, opened, []transition{
			{0, closed, opened, 1, "stored"},
			{0, opened, half, 2, "the recovery timeout has passed"},
		}, 1},
	} {
		bubble(t, name, func(t *testing.T) {
			start := time.Now()
			op, r := observed(t, once())
			tc.before(t, op)
			told, explained := len(r.heard()), len(op.Explain())
			s := stored
			s.State, s.NextAttemptAt = tc.state, start.Add(-time.Hour)
			if err := op.Breaker().Restore(s); err != nil {
				t.Fatal(err)
			}
			wantTransitions(t, start, r.heard()[told:], tc.want)
			if d := op.Explain()[explained:]; len(d) != len(tc.want) {
				t.Errorf("Explain() goes on with %+v, want %d decisions", d, len(tc.want))
			}
			if m, got := op.Metrics(), op.Breaker().Snapshot(); m.HalfOpens != tc.halfOpens || got.Failures != 3 {
				t.Errorf("Metrics() = %+v with %+v, want %d half-opens and 3 failures", m, got, tc.halfOpens)
			}
		})
	}
}

// Observers hear of the end of a restored state when it comes, also when nobody calls.
func TestRestoreIsToldInTime(t *testing.T) {
	for name, s := range map[string]trysail.BreakerSnapshot{
		"an open time": {State: opened},
		"a word":       {State: trysail.ForcedOpen},
	} {
		bubble(t, name, func(t *testing.T) {
			op, r := observed(t, once())
			time.Sleep(time.Hour)
			end := time.Now().Add(30 * time.Second)
			s.Operation, s.NextAttemptAt, s.ExpiresAt = "op", end, end
			if err := op.Breaker().Restore(s); err != nil {
				t.Fatal(err)
			}
			time.Sleep(30*time.Second - 1)
			synctest.Wait()
			if got := r.heard(); len(got) != 1 {
				t.Errorf("heard %+v before the end, want what was restored", got)
			}
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			if got := r.heard(); len(got) != 2 {
				t.Errorf("heard %+v at the end, want it", got)
			}
		})
	}
}

// The longest that there is can be restored.
func TestRestoreOfTheLargest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		s := trysail.BreakerSnapshot{
			Operation: "op", State: opened, Failures: 65535, Reopens: 65535,
			NextAttemptAt: time.Now().Add(31 * 24 * time.Hour), ExpiresAt: time.Now().Add(366 * 24 * time.Hour),
		}
		if err := op.Breaker().Restore(s); err != nil {
			t.Fatalf("Restore() = %v", err)
		}
		if got := op.Breaker().Snapshot(); got.Failures != s.Failures || got.Reopens != s.Reopens || !got.NextAttemptAt.Equal(s.NextAttemptAt) {
			t.Errorf("Snapshot() = %+v, want what was restored", got)
		}
	})
}

// What was due before the restart happens when the state is restored, not before.
func TestRestoreKeepsEventsInOrder(t *testing.T) {
	for name, s := range map[string]trysail.BreakerSnapshot{
		"an open time": {State: opened},
		"a word":       {State: trysail.ForcedOpen},
	} {
		bubble(t, name, func(t *testing.T) {
			op, r := observed(t, once())
			s.Operation, s.NextAttemptAt, s.ExpiresAt = "op", time.Now(), time.Now()
			time.Sleep(time.Hour)
			restored := time.Now()
			if err := op.Breaker().Restore(s); err != nil {
				t.Fatal(err)
			}
			for _, e := range r.heard() {
				if !e.Time.Equal(restored) {
					t.Errorf("heard of %v -> %v at %v, want %v", e.From, e.To, e.Time, restored)
				}
			}
		})
	}
}

// An open period from before says nothing about what the rules would do after a restored word.
func TestRestoredMetricsOnlyBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		trip(t, op)
		if err := op.Breaker().Restore(trysail.BreakerSnapshot{Operation: "op", State: trysail.MetricsOnly}); err != nil {
			t.Fatal(err)
		}
		calls(t, op, "fffff")
		if s := op.Breaker().Snapshot(); s.WouldReject != 0 || s.WouldOpen != 1 {
			t.Errorf("snapshot %+v, want the five failures to open it and nothing refused before", s)
		}
	})
}

// Calls that are under way know nothing of the restored state.
func TestRestoreBeginsAGeneration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		old := hold(t, op)
		s := op.Breaker().Snapshot()
		s.Failures = 4
		if err := op.Breaker().Restore(s); err != nil {
			t.Fatal(err)
		}
		_ = old.end(errDown)
		if s := op.Breaker().Snapshot(); s.State != closed || s.Failures != 4 || s.Stale != 1 {
			t.Errorf("snapshot %+v, want the failure of before dropped", s)
		}
	})
}

func TestRestoreOperations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		orc := newOrchestrator(t, trysail.Config{Default: once()})
		trip(t, orc.Operation("chat").For("tenant]7"))
		names := []string{"chat[tenant]7]", "list]", "a[b", "[x]", "[", "b[]", "c]["} // of which one is that of a key
		for _, name := range names[1:] {
			trip(t, orc.Operation(name))
		}
		next := restarted(t, orc, 0)
		for _, name := range names {
			op, ok := next.Lookup(name)
			if !ok {
				t.Fatalf("Lookup(%q) finds nothing", name)
			}
			wantState(t, op, opened)
		}
		if got := len(next.Operations()); got != len(names) {
			t.Errorf("there are %d operations, want %d", got, len(names))
		}
	})
}

func TestBadSnapshots(t *testing.T) {
	now := time.Now()
	orc := newOrchestrator(t, trysail.Config{Default: once()})
	none := once()
	none.Breaker.Disabled = true
	if _, err := orc.Register("none", trysail.OperationConfig{Policy: none}); err != nil {
		t.Fatal(err)
	}
	err := orc.Restore([]trysail.BreakerSnapshot{
		{Operation: "a", State: 9, Failures: -1, Reopens: -1},
		{Operation: "next", State: trysail.MetricsOnly + 1},
		{Operation: "b", State: opened},
		{Operation: "c", State: opened, NextAttemptAt: now.Add(32 * 24 * time.Hour)},
		{Operation: "d", State: trysail.ForcedOpen, ExpiresAt: now.Add(367 * 24 * time.Hour)},
		{Operation: "e", Failures: 1 << 16, Reopens: 1 << 16},
		{Operation: "f", State: opened, NextAttemptAt: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)},
		{Operation: "none"},
		{Operation: ""},
		{Operation: "old", State: opened, NextAttemptAt: time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC)},
		{Operation: "good", State: opened, NextAttemptAt: now.Add(time.Hour)},
	})
	for _, want := range []string{
		`operation "a": BreakerSnapshot.State is State(9), want one of closed to metrics-only`,
		`operation "next": BreakerSnapshot.State is State(6), want one of closed to metrics-only`,
		"BreakerSnapshot.Failures is -1, want 0 to 65535", "BreakerSnapshot.Reopens is -1, want 0 to 65535",
		`operation "b": BreakerSnapshot.NextAttemptAt is zero, want the time until which it is open`,
		`operation "c": BreakerSnapshot.NextAttemptAt is `, "want at most 744h0m0s from now",
		`operation "f": BreakerSnapshot.NextAttemptAt is 9999`,
		`operation "d": BreakerSnapshot.ExpiresAt is `, "want at most 8784h0m0s from now",
		"BreakerSnapshot.Failures is 65536", "BreakerSnapshot.Reopens is 65536",
		`operation "none": its policy has no breaker`, `operation "": unusable operation name`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Restore() lacks %q:\n%v", want, err)
		}
	}
	if !errors.Is(err, trysail.ErrName) {
		t.Errorf("Restore() = %v, want ErrName in it", err)
	}
	wantState(t, orc.Operation("good"), opened)
	wantState(t, orc.Operation("old"), half)
	wantState(t, orc.Operation("a"), closed)
	if err := orc.Operation("a").Breaker().Restore(trysail.BreakerSnapshot{Operation: "b"}); err == nil ||
		!strings.Contains(err.Error(), `Operation is "b", want "a"`) {
		t.Errorf("Restore() of another's snapshot = %v", err)
	}
}

func TestStateText(t *testing.T) {
	for s := closed; s <= trysail.MetricsOnly; s++ {
		text, err := s.MarshalText()
		var back trysail.State
		if err != nil || back.UnmarshalText(text) != nil || back != s {
			t.Errorf("%v comes back from %q as %v (%v)", s, text, back, err)
		}
	}
	var s trysail.State
	if _, err := trysail.State(6).MarshalText(); err == nil {
		t.Error("MarshalText() of a state that does not exist = nil")
	}
	if err := s.UnmarshalText([]byte("ajar")); err == nil || !strings.Contains(err.Error(), `"ajar" does not exist, want one of closed to metrics-only`) {
		t.Errorf("UnmarshalText() = %v", err)
	}
}

// R9: what operators know from elsewhere is understood.
func TestR9StatesHaveOtherNames(t *testing.T) {
	for name, want := range map[string]trysail.State{
		"isolate": trysail.ForcedOpen, "isolated": trysail.ForcedOpen, "close": trysail.Closed, // Polly
		"CLOSED": trysail.Closed, "OPEN": trysail.Open, "HALF_OPEN": trysail.HalfOpen, // resilience4j
		"FORCED_OPEN": trysail.ForcedOpen, "DISABLED": trysail.Disabled, "METRICS_ONLY": trysail.MetricsOnly,
		"force-open": trysail.ForcedOpen, "force-closed": trysail.MetricsOnly, // Hystrix
	} {
		state := trysail.State(77)
		if err := state.UnmarshalText([]byte(name)); err != nil || state != want {
			t.Errorf("UnmarshalText(%q) = %v, %v; want %v", name, state, err, want)
		}
	}
	for _, name := range []string{"", "forced", "half", "clos", "closed ", "forceclosed", "State(6)"} {
		state := trysail.State(77)
		if err := state.UnmarshalText([]byte(name)); err == nil || state != 77 {
			t.Errorf("UnmarshalText(%q) = %v, %v; want an error, and the state as it was", name, state, err)
		}
	}
}
