package trysail

import (
	"context"
	"errors"
	"math/big"
	"testing"
	"time"
)

// FuzzDelay looks at the arithmetic itself: no policy that New accepts, no
// attempt and no hint of a server may overflow, or undercut what it must not.
func FuzzDelay(f *testing.F) {
	const second = int64(time.Second)
	f.Add(second, 2*second, 10*second, 2*second, 1, int64(0), uint8(ClassTransient))
	f.Add(int64(1), int64(1), int64(time.Hour), int64(time.Hour), 20, int64(1<<63-1), uint8(ClassRateLimited))
	f.Add(int64(time.Hour), int64(time.Hour), int64(time.Hour), int64(1), 20, int64(-1<<63), uint8(ClassRateLimited))
	f.Add(int64(0), int64(0), int64(2), int64(0), 1, int64(0), uint8(ClassTransient))
	f.Add(int64(-1<<63), int64(1<<63-1), int64(0), int64(-1), 1<<40, int64(1), uint8(ClassOverloaded))
	f.Fuzz(func(t *testing.T, base, least, most, jitter int64, attempt int, after int64, class uint8) {
		p := completed(Balanced.Policy())
		r := &p.Retry
		r.Base, r.MinDelay, r.MaxDelay, r.Jitter = span(base), span(least), span(most), span(jitter)
		r.MinDelay, r.MaxDelay = min(r.MinDelay, r.MaxDelay), max(r.MinDelay, r.MaxDelay)
		if err := p.check("Policy"); err != nil {
			t.Fatal(err)
		}
		attempt = 1 + int(uint(attempt)%64)
		v := judge(WithClass(errors.New("x"), Class(class%uint8(classes)), time.Duration(after)))

		r.NoJitter = false
		got := new(pacer).delay(r, attempt, v)
		if got < r.MinDelay || got < v.after {
			t.Errorf("delay(%d, %+v) = %v, want at least %v and %v", attempt, v, got, r.MinDelay, v.after)
		}
		if limit := max(r.MaxDelay+r.Jitter, v.after+time.Second); got > limit {
			t.Errorf("delay(%d, %+v) = %v, want at most %v", attempt, v, got, limit)
		}
		r.NoJitter = true
		without := new(pacer).delay(r, attempt, v)
		if want := formula(r, attempt, v); without != want || without > got {
			t.Errorf("delay(%d, %+v) without jitter = %v, want %v, and no more than %v with it", attempt, v, without, want, got)
		}
		if next := new(pacer).delay(r, attempt+1, v); next < without {
			t.Errorf("delay(%d, %+v) = %v, want at least the %v of the attempt before", attempt+1, v, next, without)
		}
	})
}

// formula is the specification's, in numbers that cannot overflow.
func formula(r *RetryPolicy, attempt int, v verdict) time.Duration {
	d := new(big.Int).Lsh(big.NewInt(int64(r.Base)), uint(attempt-1))
	least, most := big.NewInt(int64(r.MinDelay)), big.NewInt(int64(r.MaxDelay))
	if d.Cmp(least) < 0 {
		d = least
	}
	if v.class == ClassRateLimited && v.after == 0 {
		d = new(big.Int).Lsh(d, 1)
	}
	if d.Cmp(most) > 0 {
		d = most
	}
	return max(time.Duration(d.Int64()), v.after)
}

// span makes any number a duration that a policy may have.
func span(n int64) time.Duration {
	return 1 + time.Duration(uint64(n)%uint64(time.Hour))
}

func TestHostileHintsAreBounded(t *testing.T) {
	for after, want := range map[time.Duration]time.Duration{
		-1 << 63: 0, -1: 0, 0: 0, 1: 1, longestHint: longestHint, longestHint + 1: longestHint, 1<<63 - 1: longestHint,
	} {
		if got := judge(RateLimited(errors.New("x"), after)).after; got != want {
			t.Errorf("judge(RateLimited(x, %d)).after = %v, want %v", after, got, want)
		}
		if got := judge(&Error{RetryAfter: after, Err: errors.New("x")}).after; got != want {
			t.Errorf("judge(Error{RetryAfter: %d}).after = %v, want %v", after, got, want)
		}
	}
}

// When the end of a wait and the end of the caller's context are both there to be
// seen, select takes either. The context must win: no attempt follows it.
func TestPauseNeverOutlivesItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, d := range []time.Duration{0, 1, time.Hour} {
		for range 2000 {
			if pause(ctx, d) {
				t.Fatalf("pause(cancelled, %v) = true, want false", d)
			}
		}
	}
}

// The server's wait is spread where it is the longer one, not where both are equal.
func TestServersWaitThatEqualsOurs(t *testing.T) {
	r := &RetryPolicy{Base: time.Minute, MaxDelay: time.Minute}
	for range 20 {
		if got := new(pacer).delay(r, 1, verdict{after: time.Minute}); got != time.Minute {
			t.Fatalf("delay() = %v, want 1m0s", got)
		}
	}
}
