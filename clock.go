package trysail

import "time"

// A clock tells the time as nanoseconds since its base, by the monotonic clock.
// Reading it costs half of what time.Now costs. Instants of one clock are only
// ever compared with each other, as signed numbers: inside a synctest bubble
// they may be negative. The base itself is instant 1, because 0 stands for never.
type clock struct{ base time.Time }

func (c clock) now() int64 { return int64(time.Since(c.base)) + 1 }

// instant turns a time of day into an instant, at most a century from the base, so that arithmetic
// on it cannot overflow. The zero time stands for never.
func (c clock) instant(t time.Time) int64 {
	const century = 100 * 366 * 24 * time.Hour
	if t.IsZero() {
		return 0
	}
	return int64(min(max(t.Sub(c.base), -century), century)) + 1
}

// wall turns an instant into a time of day; 0 stands for never.
func (c clock) wall(at int64) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return c.base.Add(time.Duration(at - 1)).Round(0).UTC()
}
