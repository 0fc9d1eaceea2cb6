package api

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// TestLedgerAgreesWithModel drives a ledger at random beside plain lists of everything that was ever done.
func TestLedgerAgreesWithModel(t *testing.T) {
	const clients = 3
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 47))
		q := quota{perMinute: 1 + random.IntN(8), perHour: 1 + random.IntN(20), pause: time.Duration(random.IntN(3)) * time.Second}
		l := newLedger[int](q, clients)
		done := map[int][]time.Duration{}
		taken, refused, now := 0, 0, time.Duration(0)
		for range 2000 {
			now += time.Duration(random.IntN(8)) * 4 * time.Second
			who := random.IntN(clients)
			got, want := l.look(who, now), model(q, done[who], now)
			if got.minute != want.minute || got.hour != want.hour || got.wait != want.wait {
				t.Fatalf("seed %d at %v: look(%d) = %+v, want %+v", seed, now, who, got, want)
			}
			if got.wait > 0 {
				refused++
				continue
			}
			taken++
			l.note(who, now)
			done[who] = append(done[who], now)
			done[who] = slices.DeleteFunc(done[who], func(at time.Duration) bool { return now-at >= time.Hour })
		}
		if taken == 0 || refused == 0 {
			t.Errorf("seed %d: %d taken and %d refused, want some of both", seed, taken, refused)
		}
	}
}

// model is what judge says, found by trying: the wait is the shortest after which nothing is in the way.
func model(q quota, done []time.Duration, now time.Duration) (u usage) {
	within := func(span, now time.Duration) (n int) {
		for _, at := range done {
			if now-at < span {
				n++
			}
		}
		return n
	}
	u.minute, u.hour = within(time.Minute, now), within(time.Hour, now)
	moments := []time.Duration{now} // at which something may end
	for _, at := range done {
		moments = append(moments, at+time.Minute, at+time.Hour, at+q.pause)
	}
	slices.Sort(moments)
	for _, then := range moments {
		if then < now {
			continue
		}
		u.wait = then - now
		rested := len(done) == 0 || then-done[len(done)-1] >= q.pause
		if rested && within(time.Minute, then) < q.perMinute && within(time.Hour, then) < q.perHour {
			return u
		}
	}
	return u
}

// TestLimiterIsBounded lets more clients come than are remembered.
func TestLimiterIsBounded(t *testing.T) {
	l := newLimiter(quota{perMinute: 2, perHour: 2})
	first := network(0)
	for range 2 {
		l.take(first, "")
	}
	for i := 1; i < maxClients; i++ {
		l.take(network(i), "name "+strconv.Itoa(i))
	}
	if u := l.take(first, ""); u.wait == 0 {
		t.Error("the oldest of as many clients as are remembered is let in, want it to wait")
	}
	for i := range maxClients * 2 {
		l.take(network(maxClients+i), "other "+strconv.Itoa(i))
	}
	if n, m := len(l.addresses.accounts), len(l.names.accounts); n != maxClients || m != maxClients {
		t.Errorf("%d addresses and %d names are remembered, want %d of both", n, m, maxClients)
	}
	if u := l.take(first, ""); u.wait > 0 {
		t.Errorf("a client that was pushed out waits %v, want 0s", u.wait)
	}
}

// TestNamesPushOutNoAddress is about made-up names in client_ip.
func TestNamesPushOutNoAddress(t *testing.T) {
	l := newLimiter(quota{perMinute: 10_000, perHour: 10_000})
	address := network(1)
	for i := range maxClients + 10 {
		l.take(address, strconv.Itoa(i))
	}
	if got := l.look(address).hour; got != maxClients+10 {
		t.Errorf("%d of %d requests are remembered", got, maxClients+10)
	}
}

func TestIdleClientsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(quota{perMinute: 60, perHour: 1000})
		for i := range 100 {
			l.take(network(i), strconv.Itoa(i))
		}
		time.Sleep(time.Hour)
		for range 60 {
			l.take(network(1000), "x")
		}
		if n, m := len(l.addresses.accounts), len(l.names.accounts); n != 1 || m != 1 {
			t.Errorf("%d addresses and %d names are remembered after an hour, want 1 of both", n, m)
		}
	})
}

func network(i int) netip.Prefix {
	return networkOf(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
}

func BenchmarkTakeWhenFull(b *testing.B) {
	l := newLimiter(quota{perMinute: 1000, perHour: 1000})
	for i := range maxClients {
		l.take(network(i), "")
	}
	who := network(0)
	for range 1000 {
		l.take(who, "")
	}
	for b.Loop() {
		l.take(who, "")
	}
}
