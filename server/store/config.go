package store

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// A Config sets where a [Store] is and how much it keeps. The zero value is ready to use: each zero field takes its
// stated default.
type Config struct {
	// Dir is the directory of the file, trysail.db; it is made if it does not exist. Default "": nothing is written to a
	// disk, and everything ends with the process.
	Dir string

	// How long, and how many at most, is kept of each. What is older or more is removed, the oldest first, when the
	// store is opened and then every PruneEvery; without Dir also whenever 1,000 rows or 1 MiB have come.
	Events   Keep // default 7 days, 100,000 of each of the three groups of monitor.Config.MaxEvents; without Dir 10,000
	Alerts   Keep // default 30 days, 10,000
	Runs     Keep // default 730 days, 10,000
	Versions Keep // default 730 days, 10,000; the newest always stays
	Audit    Keep // default 730 days, 1,000,000; without Dir 10,000

	// MaxMemoryBytes is how much the database may take without Dir, whatever the rows hold: when it takes more, the limits above are
	// halved until it does not. Space that was taken once is used again, not given back. At least 1 MiB, default 64 MiB.
	MaxMemoryBytes int

	// BatchRows and FlushEvery are how much is committed at once: what came within FlushEvery of the first, or
	// sooner when it is BatchRows. A caller waits that much longer. 1 to 100,000, default 1,000; 0 takes the default
	// of 5 ms, or without Dir, where there is no sync to share, of 1 ns; at most 10 s.
	BatchRows  int
	FlushEvery time.Duration

	// Queue is how many calls may wait for the batch before them; more wait for a place. 1 to 100,000, default 256.
	Queue int

	// MaxHeld and MaxHeldBytes are how much is held in memory while the disk cannot be written: rows, 1 to 10,000,000,
	// default 50,000; and bytes, at least 4,096, default 64 MiB.
	MaxHeld      int
	MaxHeldBytes int

	// RetryEvery is how often a disk that could not be written is tried again. At least 1 ms, default 5 s.
	RetryEvery time.Duration

	// PruneEvery is how often old rows are removed. At least 1 ms, default 1 minute.
	PruneEvery time.Duration

	// Log is told when the disk fails, is well again, or a file was set aside. Default: nobody.
	Log *slog.Logger
}

// A Keep says how much of something is kept. A zero field takes the default of what it is about; no field may be negative.
type Keep struct {
	For  time.Duration // how long; at least 1 s
	Most int           // how many, the newest
}

const day = 24 * time.Hour

func (k Keep) or(def Keep) Keep {
	return Keep{For: cmp.Or(k.For, def.For), Most: cmp.Or(k.Most, def.Most)}
}

// complete returns c with every default filled in.
func (c Config) complete() Config {
	events, audit, flush := 100_000, 1_000_000, 5*time.Millisecond
	if c.Dir == "" {
		events, audit, flush = 10_000, 10_000, time.Nanosecond
	}
	c.Events = c.Events.or(Keep{7 * day, events})
	c.Alerts = c.Alerts.or(Keep{30 * day, 10_000})
	c.Runs = c.Runs.or(Keep{730 * day, 10_000})
	c.Versions = c.Versions.or(Keep{730 * day, 10_000})
	c.Audit = c.Audit.or(Keep{730 * day, audit})
	c.MaxMemoryBytes = cmp.Or(c.MaxMemoryBytes, 64<<20)
	c.BatchRows = cmp.Or(c.BatchRows, 1000)
	c.FlushEvery = cmp.Or(c.FlushEvery, flush)
	c.Queue = cmp.Or(c.Queue, 256)
	c.MaxHeld = cmp.Or(c.MaxHeld, 50_000)
	c.MaxHeldBytes = cmp.Or(c.MaxHeldBytes, 64<<20)
	c.RetryEvery = cmp.Or(c.RetryEvery, 5*time.Second)
	c.PruneEvery = cmp.Or(c.PruneEvery, time.Minute)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) check() error {
	var errs []error
	whole := func(name string, n, least, most int) {
		if n < least || n > most {
			errs = append(errs, fmt.Errorf("%s is %d, want %d to %d", name, n, least, most))
		}
	}
	span := func(name string, d, least, most time.Duration) {
		if d < least || d > most {
			errs = append(errs, fmt.Errorf("%s is %v, want %v to %v", name, d, least, most))
		}
	}
	keep := func(name string, k Keep) {
		span(name+".For", k.For, time.Second, 36500*day)
		whole(name+".Most", k.Most, 1, 1_000_000_000)
	}
	keep("Events", c.Events)
	keep("Alerts", c.Alerts)
	keep("Runs", c.Runs)
	keep("Versions", c.Versions)
	keep("Audit", c.Audit)
	whole("MaxMemoryBytes", c.MaxMemoryBytes, 1<<20, 1<<40)
	whole("BatchRows", c.BatchRows, 1, 100_000)
	span("FlushEvery", c.FlushEvery, time.Nanosecond, 10*time.Second)
	whole("Queue", c.Queue, 1, 100_000)
	whole("MaxHeld", c.MaxHeld, 1, 10_000_000)
	whole("MaxHeldBytes", c.MaxHeldBytes, 4096, 1<<40)
	span("RetryEvery", c.RetryEvery, time.Millisecond, day)
	span("PruneEvery", c.PruneEvery, time.Millisecond, 365*day)
	return errors.Join(errs...)
}
