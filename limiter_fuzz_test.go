package trysail

import (
	"math"
	"math/big"
	"testing"
)

// FuzzLimiter looks at the arithmetic itself: for every rate, burst and amount that is
// accepted, costs are exact to a nanosecond, nothing overflows, and what is reserved and
// used is at most Burst + Rate·t, whatever is taken, settled and waited for.
func FuzzLimiter(f *testing.F) {
	f.Add(2000.0, 12_000.0, 1.0, 0.5, int64(500_000), uint64(0x1b1b1b))
	f.Add(1e-6, 315.36, 315.0, 1e300, int64(1)<<60, uint64(0xffffffff))
	f.Add(1e9, 3e17, 1e17, 0.0, int64(1), uint64(0x0123456789abcdef))
	f.Add(1.0/3, 1e-300, 1e-301, 5e-324, int64(0), uint64(0x5555))
	f.Add(math.NaN(), math.Inf(1), -1.0, math.NaN(), int64(-1), uint64(1))
	f.Fuzz(func(t *testing.T, rate, burst, n, used float64, gap int64, program uint64) {
		var faulty faults
		faulty.pace("", rate, burst)
		if len(faulty.errs) > 0 {
			if good := rate >= minRate && rate <= maxRate && burst > 0 && burst <= rate*longestRefill*0.999; good {
				t.Errorf("rate %v and burst %v are refused: %v", rate, burst, faulty.errs)
			}
			return
		}
		p := newPace(rate, burst)
		checkCost(t, &p, n)
		checkCost(t, &p, used)
		checkCost(t, &p, burst)
		if p.fits(n) {
			if p.cost(n) > p.depth {
				t.Errorf("cost(%v) = %d, want at most the %d of the burst %v", n, p.cost(n), p.depth, burst)
			}
			runProgram(t, p, n, used, gap, program)
		}
	})
}

// checkCost compares a cost with the formula in numbers that are exact.
func checkCost(t *testing.T, p *pace, n float64) {
	if !(n >= 0 && n <= math.MaxFloat64) {
		return
	}
	exact := new(big.Rat).SetFloat64(n)
	exact.Mul(exact, big.NewRat(1e9, 1)).Quo(exact, new(big.Rat).SetFloat64(p.rate))
	want, _ := exact.Float64()
	got := float64(p.cost(n))
	if slack := 1 + want*0x1p-51; want < longestDebt && (got < want-slack || got > want+slack) || want >= longestDebt && got < 0.99*longestDebt {
		t.Errorf("cost(%v) at %v a second = %v, want %v", n, p.rate, got, want)
	}
}

// runProgram runs two bits of the program at a time on a limiter with a clock of its own.
func runProgram(t *testing.T, p pace, n, used float64, gap int64, program uint64) {
	l := &Limiter{pace: p, full: longAgo, notBefore: longAgo}
	gap &= 1<<58 - 1 // nine years
	cost, actual := p.cost(n), p.cost(used)
	if !p.fits(used) {
		actual = p.depth
	}
	now, elapsed, spent, open := int64(1), int64(0), big.NewInt(0), 0
	for ; program != 0 && elapsed < 1<<59; program >>= 2 {
		switch program & 3 {
		case 0: // time passes
			now, elapsed = now+gap, elapsed+gap
		case 1, 2: // an amount is taken
			before := l.full
			at, full := l.take(now, cost)
			if at < now || full < max(before, now) || at > now == (l.full != before) && cost > 0 {
				t.Fatalf("take(%d, %d) = %d, %d; the bucket is full at %d, before at %d", now, cost, at, full, l.full, before)
			}
			if at > now {
				break
			}
			open++
			spent.Add(spent, big.NewInt(cost))
			if most := new(big.Int).Add(big.NewInt(p.depth), big.NewInt(elapsed)); spent.Cmp(most) > 0 {
				t.Fatalf("used and reserved = %v, want at most %v", spent, most)
			}
		case 3: // an amount is settled
			if open == 0 {
				break
			}
			open--
			spent.Add(spent, big.NewInt(actual-cost))
			if actual < cost {
				l.credit(now, cost-actual)
			} else {
				l.charge(now, actual-cost)
			}
		}
		if l.full > now+longestDebt || l.full < longAgo {
			t.Fatalf("the bucket is full at %d, which is %d from now", l.full, l.full-now)
		}
	}
	for range 4 {
		l.charge(now, longestDebt)
		if at, full := l.next(now, longestDebt); at < now || full < now {
			t.Fatalf("next() = %d, %d with an endless debt, want instants after %d", at, full, now)
		}
	}
	l.setPace(now, newPace(minRate, 1))
	if l.full < now || l.full > now+longestDebt {
		t.Fatalf("an endless debt is %d at another rate, want it within %d", l.full-now, int64(longestDebt))
	}
}
