package api

import (
	"container/list"
	"fmt"
	"sort"
	"time"
)

// A quota is how often a client may do something, in windows that slide: what was done
// exactly a minute ago no longer counts.
type quota struct {
	perMinute, perHour int
	pause              time.Duration // between one time and the next; may be 0
}

// A usage is what a client has done lately, seen against its quota.
type usage struct {
	minute, hour int           // times in the last minute and hour
	wait         time.Duration // until the client may do it again; 0 is now
	pause        time.Duration // the part of it that is there only for quota.pause
	window       string        // why it must wait: "minute" or "hour", "" for the pause
	limit        int           // of the window
}

// reason says why a client must wait before it does what once more.
func (u usage) reason(what string) string {
	if u.window == "" {
		return fmt.Sprintf("wait %.1fs before next %s", tenths(u.wait), what)
	}
	return fmt.Sprintf("%d/%d %ss per %s", u.limit, u.limit, what, u.window)
}

// tenths is d in seconds with one decimal, rounded up: who waits for that long has waited enough.
func tenths(d time.Duration) float64 {
	const tenth = 100 * time.Millisecond
	return float64((d+tenth-1)/tenth) / 10
}

// judge looks at the times at which a client did it, oldest first, all of them within the last hour.
func (q quota) judge(at []time.Duration, now time.Duration) usage {
	u := usage{minute: len(since(at, now-time.Minute)), hour: len(at)}
	if n := len(at); n > 0 {
		u.pause = max(at[n-1]+q.pause-now, 0)
	}
	u.wait = u.pause
	if u.minute >= q.perMinute {
		u.mustWait(at[len(at)-q.perMinute]+time.Minute-now, "minute", q.perMinute)
	}
	if u.hour >= q.perHour {
		u.mustWait(at[len(at)-q.perHour]+time.Hour-now, "hour", q.perHour)
	}
	return u
}

// mustWait keeps the longest wait, and its reason.
func (u *usage) mustWait(wait time.Duration, window string, limit int) {
	if wait > u.wait {
		u.wait, u.window, u.limit = wait, window, limit
	}
}

// since returns the times after start. Times come oldest first.
func since(at []time.Duration, start time.Duration) []time.Duration {
	return at[sort.Search(len(at), func(i int) bool { return at[i] > start }):]
}

// A ledger remembers what many clients have done within the last hour, each up to its quota. When there are
// too many of them it forgets the one that was heard of the longest time ago.
type ledger[Client comparable] struct {
	quota
	most     int // clients
	accounts map[Client]*list.Element
	recent   *list.List // of *account[Client], those that were heard of last in front
}

type account[Client comparable] struct {
	client Client
	at     []time.Duration
}

func newLedger[Client comparable](q quota, most int) *ledger[Client] {
	return &ledger[Client]{quota: q, most: most, accounts: map[Client]*list.Element{}, recent: list.New()}
}

// look returns what a client has done. It changes nothing.
func (l *ledger[Client]) look(who Client, now time.Duration) usage {
	var at []time.Duration
	if e, ok := l.accounts[who]; ok {
		at = since(of[Client](e).at, now-time.Hour)
	}
	return l.judge(at, now)
}

// note writes down that a client does it once more.
func (l *ledger[Client]) note(who Client, now time.Duration) {
	l.forget(now)
	e, ok := l.accounts[who]
	if !ok {
		if len(l.accounts) >= l.most {
			l.drop(l.recent.Back())
		}
		e = l.recent.PushFront(&account[Client]{client: who})
		l.accounts[who] = e
	}
	l.recent.MoveToFront(e)
	a := of[Client](e)
	kept := copy(a.at, since(a.at, now-time.Hour)) // in place, so that an account never outgrows its quota
	a.at = append(a.at[:kept], now)
}

// forget drops clients that have done nothing for an hour: two at most, which is more than note adds.
func (l *ledger[Client]) forget(now time.Duration) {
	for range 2 {
		e := l.recent.Back()
		if e == nil {
			return
		}
		if at := of[Client](e).at; at[len(at)-1] > now-time.Hour {
			return
		}
		l.drop(e)
	}
}

func (l *ledger[Client]) drop(e *list.Element) {
	delete(l.accounts, of[Client](e).client)
	l.recent.Remove(e)
}

func of[Client comparable](e *list.Element) *account[Client] {
	a, _ := e.Value.(*account[Client]) // nothing else is in the list
	return a
}
