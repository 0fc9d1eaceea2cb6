package gateway

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
)

// However many names there are, the counters stay bounded and their sum is right.
func TestLedgerIsBounded(t *testing.T) {
	var l ledger
	l.begin(1)
	for i := range 3000 {
		l.of(l.targets, fmt.Sprintf("t%d", i)).add(bill{input: 1}, 1, 7)
	}
	if n := len(l.targets); n != 1001 {
		t.Errorf("there are %d counters, want 1000 and %s", n, OtherUsage)
	}
	if n := l.targets[OtherUsage].all.Input; n != 2000 {
		t.Errorf("%s counts %d tokens, want the 2000 of those without a counter", OtherUsage, n)
	}
}

func TestPriceOf(t *testing.T) {
	for name, tc := range map[string]struct {
		price Price
		bill  bill
		want  float64
		known bool
	}{
		"nothing is known":         {Price{}, bill{input: 5}, 0, false},
		"input and output":         {Price{Input: 2, Output: 8}, bill{input: 1000, output: 100}, 0.0028, true},
		"a cache is cheaper":       {Price{Input: 2, CachedInput: 0.5}, bill{input: 1000, cached: 800}, 0.0008, true},
		"a cache without a price":  {Price{Input: 2}, bill{input: 1000, cached: 800}, 0.002, true},
		"output alone has a price": {Price{Output: 8}, bill{input: 1000}, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got, known := tc.price.of(tc.bill); math.Abs(got-tc.want) > 1e-15 || known != tc.known {
				t.Errorf("of(%+v) = %v, %v; want %v, %v", tc.bill, got, known, tc.want, tc.known)
			}
		})
	}
}

func TestTrail(t *testing.T) {
	one, two := &target{Target: Target{Name: "one"}}, &target{Target: Target{Name: "two"}}
	failed := func(at *target, c trysail.Class, wait time.Duration, key string) leg {
		return leg{target: at, key: key, wait: wait, failed: true, class: c}
	}
	e := exchange{legs: []leg{
		failed(one, trysail.ClassTransient, 999*time.Microsecond, ""),
		failed(one, trysail.ClassRateLimited, 250400*time.Microsecond, "first"),
		{target: two, wait: 1500 * time.Millisecond},
	}}
	const want = "one:transient +250ms one/first:rate_limited +1.5s two:ok"
	if got := e.trail(); got != want {
		t.Errorf("trail() = %q, want %q", got, want)
	}
	for range 30 {
		e.legs = append(e.legs, leg{target: two})
	}
	if got := e.trail(); !strings.HasSuffix(got, " two:ok … 17 more") || len(got) > 300 {
		t.Errorf("trail() of 33 sends = %q, want 16 and that there are 17 more", got)
	}
}

func TestTextOf(t *testing.T) {
	for body, want := range map[string]string{
		"short":                    "short",
		"just ten!!":               "just ten!!",
		"more than ten":            "more than … (13 bytes in all)",
		"nine byt\u20ac":           "nine byt… (11 bytes in all)",
		"a\x00b":                   "(3 bytes that are no text)",
		"\xff\xfe\xfd\xfc\xfb\xfa": "(6 bytes that are no text)",
	} {
		if got := textOf([]byte(body), 10); got != want {
			t.Errorf("textOf(%q, 10) = %q, want %q", body, got, want)
		}
	}
}

// A day's counts begin anew at midnight UTC, the others go on.
func TestCountsOfADay(t *testing.T) {
	var c counter
	c.add(bill{input: 3, dollars: 1}, 2, 7)
	c.add(bill{input: 4, dollars: 1}, 1, 7)
	c.add(bill{input: 5, dollars: 1}, 1, 8)
	if c.all != (UsageCount{Requests: 3, Attempts: 4, Input: 12, Dollars: 3}) || c.today != (UsageCount{Requests: 1, Attempts: 1, Input: 5, Dollars: 1}) {
		t.Errorf("counts %+v, want 3 requests in all and the newest today", c)
	}
	all, today := values(map[string]*counter{"a": &c}, 9)
	if len(all) != 1 || len(today) != 0 {
		t.Errorf("a day later %v and %v, want nothing of today", all, today)
	}
}
