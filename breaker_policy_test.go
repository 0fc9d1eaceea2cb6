package trysail_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
)

func TestBadBreakerFields(t *testing.T) {
	type policy = trysail.BreakerPolicy
	rate := func(change func(*policy)) policy {
		b := policy{FailureRate: 0.5}
		change(&b)
		return b
	}
	const share = ", want more than 0 and at most 1, or 0 for no such rule"
	const enforce = ", want more than 0 and at most 1, or 0 for 1; it is Breaker.MetricsOnly that refuses nothing"
	for name, tc := range map[string]struct {
		policy policy
		want   []string
	}{
		"negative failure rate":    {policy{FailureRate: -0.1}, []string{"FailureRate is -0.1" + share}},
		"failure rate over 1":      {policy{FailureRate: 1.5}, []string{"FailureRate is 1.5" + share}},
		"failure rate in per cent": {policy{FailureRate: 50}, []string{"FailureRate is 50" + share}},
		"failure rate NaN":         {policy{FailureRate: math.NaN()}, []string{"FailureRate is NaN" + share}},
		"failure rate infinite":    {policy{FailureRate: math.Inf(1), MinCalls: 1}, []string{"FailureRate is +Inf" + share}},
		"negative slow rate":       {policy{SlowRate: -1, SlowCall: 1}, []string{"SlowRate is -1" + share}},
		"slow rate over 1":         {policy{SlowRate: 1.01, SlowCall: 1}, []string{"SlowRate is 1.01" + share}},
		"slow rate NaN":            {policy{SlowRate: math.NaN(), SlowCall: 1}, []string{"SlowRate is NaN" + share}},
		"slow rate without time":   {policy{SlowRate: 0.5}, []string{"SlowCall is 0s, want more than 0s and at most 1h"}},
		"negative slow call":       {policy{SlowRate: 0.5, SlowCall: -1}, []string{"SlowCall is -1ns, want more than 0s and at most 1h"}},
		"slow call over an hour":   {policy{SlowRate: 0.5, SlowCall: time.Hour + 1}, []string{"SlowCall is 1h0m0.000000001s, want more than 0s"}},
		"negative slow call beside another rate": {
			rate(func(b *policy) { b.SlowCall = -1 }), []string{"SlowCall is -1ns, want more than 0s"},
		},
		"negative window":    {rate(func(b *policy) { b.Window = -1 }), []string{"Window is -1ns, want 1s to 1h"}},
		"short window":       {rate(func(b *policy) { b.Window = time.Second - 1 }), []string{"Window is 999.999999ms, want 1s to 1h"}},
		"long window":        {rate(func(b *policy) { b.Window = time.Hour + 1 }), []string{"Window is 1h0m0.000000001s, want 1s to 1h"}},
		"many window calls":  {rate(func(b *policy) { b.WindowCalls = 10_001 }), []string{"WindowCalls is 10001, want 0 to 10000"}},
		"negative min calls": {rate(func(b *policy) { b.MinCalls = -1 }), []string{"MinCalls is -1, want 1 to 10000"}},
		"many min calls":     {rate(func(b *policy) { b.MinCalls = 10_001 }), []string{"MinCalls is 10001, want 1 to 10000"}},
		"min calls over the window": {
			rate(func(b *policy) { b.MinCalls, b.WindowCalls = 6, 5 }),
			[]string{"MinCalls is 6, which a window of 5 calls can never hold; want at most that"},
		},
		"negative window calls, and that alone": {
			rate(func(b *policy) { b.WindowCalls = -5 }), []string{"WindowCalls is -5, want 0 to 10000"},
		},
		"rates only without a rate": {
			policy{RatesOnly: true},
			[]string{"RatesOnly is true without a rate, so that nothing could open the breaker; want FailureRate or SlowRate, too"},
		},
		"max recovery under recovery": {
			policy{MaxRecovery: time.Minute - 1},
			[]string{"MaxRecovery is 59.999999999s, want at least RecoveryTimeout, which is 1m0s, and at most 24h, or 0s for no growth"},
		},
		"negative max recovery": {policy{MaxRecovery: -1}, []string{"MaxRecovery is -1ns, want at least RecoveryTimeout, which is 1m0s"}},
		"long max recovery":     {policy{MaxRecovery: 24*time.Hour + 1}, []string{"MaxRecovery is 24h0m0.000000001s, want at least"}},
		"negative jitter":       {policy{RecoveryJitter: -0.1}, []string{"RecoveryJitter is -0.1, want 0 to 0.5"}},
		"much jitter":           {policy{RecoveryJitter: 0.51}, []string{"RecoveryJitter is 0.51, want 0 to 0.5"}},
		"jitter NaN":            {policy{RecoveryJitter: math.NaN()}, []string{"RecoveryJitter is NaN, want 0 to 0.5"}},
		"negative ramp":         {policy{RampUp: -time.Second}, []string{"RampUp is -1s, want 0s to 1h"}},
		"long ramp":             {policy{RampUp: time.Hour + 1}, []string{"RampUp is 1h0m0.000000001s, want 0s to 1h"}},
		"slow fails without a failure rate": {
			policy{SlowFails: true, SlowRate: 0.5, SlowCall: 1},
			[]string{"SlowFails is true without FailureRate, in which slow calls would count; want that, too, or SlowRate in place of both"},
		},
		"slow fails without time": {
			rate(func(b *policy) { b.SlowFails = true }), []string{"SlowCall is 0s, want more than 0s and at most 1h"},
		},
		"negative enforcement":    {policy{Enforce: -0.1}, []string{"Enforce is -0.1" + enforce}},
		"enforcement in per cent": {policy{Enforce: 50}, []string{"Enforce is 50" + enforce}},
		"enforcement over 1":      {policy{Enforce: 1.01}, []string{"Enforce is 1.01" + enforce}},
		"enforcement NaN":         {policy{Enforce: math.NaN()}, []string{"Enforce is NaN" + enforce}},
		"all at once": {
			policy{
				FailureThreshold: 101, RecoveryTimeout: 2 * time.Hour, HalfOpenMaxCalls: 11, ProbeTimeout: -1,
				FailureRate: 2, SlowRate: 0.5, SlowCall: 2 * time.Hour, Window: 2 * time.Hour, WindowCalls: 10_001, MinCalls: 10_002,
				MaxRecovery: time.Hour, RecoveryJitter: 1, RampUp: 2 * time.Hour, Enforce: 2,
			},
			[]string{
				"FailureThreshold is 101, want", "RecoveryTimeout is 2h0m0s, want", "HalfOpenMaxCalls is 11, want", "ProbeTimeout is -1ns, want",
				"FailureRate is 2, want", "SlowCall is 2h0m0s, want", "Window is 2h0m0s, want", "WindowCalls is 10001, want",
				"MinCalls is 10002, want 1 to 10000", "MinCalls is 10002, which a window of 10001 calls",
				"MaxRecovery is 1h0m0s, want at least RecoveryTimeout, which is 2h0m0s", "RecoveryJitter is 1, want", "RampUp is 2h0m0s, want",
				"Enforce is 2, want",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			all := func(prefix string) (want []string) {
				for _, w := range tc.want {
					want = append(want, prefix+w)
				}
				return want
			}
			_, err := trysail.New(trysail.Config{Default: trysail.Policy{Breaker: tc.policy}})
			wantFaults(t, err, all("Default.Breaker.")...)
			_, err = newOrchestrator(t, trysail.Config{}).Register("op", trysail.OperationConfig{Policy: trysail.Policy{Breaker: tc.policy}})
			wantFaults(t, err, all("Policy.Breaker.")...)
		})
	}
}

func TestBreakerLimitsAreIncluded(t *testing.T) {
	least := trysail.BreakerPolicy{
		FailureThreshold: 1, RecoveryTimeout: 1, HalfOpenMaxCalls: 1, ProbeTimeout: 1,
		FailureRate: math.SmallestNonzeroFloat64, SlowRate: math.SmallestNonzeroFloat64, SlowFails: true, SlowCall: 1,
		Window: time.Second, WindowCalls: 1, MinCalls: 1, RatesOnly: true,
		MaxRecovery: 1, RecoveryJitter: math.SmallestNonzeroFloat64, HonorRetryAfter: true, RampUp: 1, Enforce: math.SmallestNonzeroFloat64,
	}
	most := trysail.BreakerPolicy{
		FailureThreshold: 100, RecoveryTimeout: time.Hour, HalfOpenMaxCalls: 10, ProbeTimeout: time.Hour,
		FailureRate: 1, SlowRate: 1, SlowCall: time.Hour,
		Window: time.Hour, WindowCalls: 10_000, MinCalls: 10_000,
		MaxRecovery: 24 * time.Hour, RecoveryJitter: 0.5, RampUp: time.Hour, Enforce: 1,
	}
	for name, breaker := range map[string]trysail.BreakerPolicy{"least": least, "most": most} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, trysail.Policy{Retry: once().Retry, Breaker: breaker})
			if got := op.Policy().Breaker; got != breaker {
				t.Errorf("Policy().Breaker = %+v, want %+v", got, breaker)
			}
			for range 300 { // and it works
				calls(t, op, "sfSFn")
				time.Sleep(time.Second)
			}
			op.Breaker().Snapshot()
		})
	}
}

func TestBreakerDefaults(t *testing.T) {
	for name, tc := range map[string]struct {
		policy, want trysail.BreakerPolicy
	}{
		"no rates, no window": {
			trysail.BreakerPolicy{},
			trysail.BreakerPolicy{FailureThreshold: 5, RecoveryTimeout: time.Minute, HalfOpenMaxCalls: 1, ProbeTimeout: 2 * time.Minute, Enforce: 1},
		},
		"a rate": {
			trysail.BreakerPolicy{FailureRate: 0.5},
			trysail.BreakerPolicy{
				FailureThreshold: 5, RecoveryTimeout: time.Minute, HalfOpenMaxCalls: 1, ProbeTimeout: 2 * time.Minute, Enforce: 1,
				FailureRate: 0.5, Window: 2 * time.Minute, MinCalls: 10,
			},
		},
		"a large window by number": {
			trysail.BreakerPolicy{FailureRate: 0.5, WindowCalls: 11},
			trysail.BreakerPolicy{
				FailureThreshold: 5, RecoveryTimeout: time.Minute, HalfOpenMaxCalls: 1, ProbeTimeout: 2 * time.Minute, Enforce: 1,
				FailureRate: 0.5, Window: 2 * time.Minute, WindowCalls: 11, MinCalls: 10,
			},
		},
		"a small window by number": {
			trysail.BreakerPolicy{SlowRate: 0.5, SlowCall: time.Second, WindowCalls: 3},
			trysail.BreakerPolicy{
				FailureThreshold: 5, RecoveryTimeout: time.Minute, HalfOpenMaxCalls: 1, ProbeTimeout: 2 * time.Minute, Enforce: 1,
				SlowRate: 0.5, SlowCall: time.Second, Window: 2 * time.Minute, WindowCalls: 3, MinCalls: 3,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := newOperation(t, trysail.Policy{Breaker: tc.policy}).Policy().Breaker; got != tc.want {
				t.Errorf("Policy().Breaker of %+v = %+v, want %+v", tc.policy, got, tc.want)
			}
		})
	}
}

// An operation's own policy need only say what differs from the default.
func TestBreakerFieldsComeFromTheDefault(t *testing.T) {
	base := trysail.BreakerPolicy{
		FailureThreshold: 7, RecoveryTimeout: 30 * time.Second, HalfOpenMaxCalls: 3, ProbeTimeout: time.Minute,
		FailureRate: 0.5, SlowRate: 0.6, SlowFails: true, SlowCall: 20 * time.Second, Window: time.Minute, WindowCalls: 50, MinCalls: 20, RatesOnly: true,
		MaxRecovery: 5 * time.Minute, RecoveryJitter: 0.2, HonorRetryAfter: true, RampUp: 10 * time.Second, Enforce: 0.25,
	}
	orc := newOrchestrator(t, trysail.Config{Default: trysail.Policy{Breaker: base}})
	op, err := orc.Register("op", trysail.OperationConfig{Policy: trysail.Policy{Breaker: trysail.BreakerPolicy{FailureRate: 0.9}}})
	if err != nil {
		t.Fatal(err)
	}
	want := base
	want.FailureRate = 0.9
	if got := op.Policy().Breaker; got != want {
		t.Errorf("Policy().Breaker = %+v, want %+v", got, want)
	}
	if got := orc.Configuration().Default.Breaker; got != base {
		t.Errorf("Configuration().Default.Breaker = %+v, want %+v", got, base)
	}
}

// Numbers that mean nothing without a rate must be possible nevertheless: the rate may come with the next
// configuration. Faults do not hide each other.
func TestNegativeNumbersWithoutARate(t *testing.T) {
	_, err := trysail.New(trysail.Config{Default: trysail.Policy{Breaker: trysail.BreakerPolicy{
		SlowCall: -1, Window: -1, WindowCalls: -1, MinCalls: -1, MaxRecovery: -1, RecoveryTimeout: -1,
	}}})
	for _, want := range []string{
		"Default.Breaker.SlowCall is -1ns, want 0s or more", "Default.Breaker.Window is -1ns, want 0s or more",
		"Default.Breaker.WindowCalls is -1, want 0 or more", "Default.Breaker.MinCalls is -1, want 0 or more",
		"Default.Breaker.MaxRecovery is -1ns, want at least RecoveryTimeout",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New() lacks %q:\n%v", want, err)
		}
	}
	breaker := trysail.BreakerPolicy{SlowCall: time.Second, Window: time.Minute, WindowCalls: 5, MinCalls: 5}
	if _, err := trysail.New(trysail.Config{Default: trysail.Policy{Breaker: breaker}}); err != nil {
		t.Errorf("New() = %v, want good numbers taken", err)
	}
}
