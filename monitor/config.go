package monitor

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// A Config sets what a [Collector] remembers and when it raises alerts. The zero value is ready to use: each zero
// field takes its stated default.
type Config struct {
	// MaxEvents is how many events of each of three groups are kept, the newest: what happens to the
	// configuration, the transitions of breakers, and the traffic (retries, hedges, fallbacks, calls). The groups are kept
	// apart so that busy traffic does not crowd out what is rare. 1 to 10,000,000, default 10,000.
	//
	// An event takes about 130 bytes and the text of its metadata, which is at most 4 KiB; names that repeat are kept once.
	MaxEvents int

	// MaxAlerts is how many alerts are kept. When there are more, the oldest of the lowest level goes. 1 to
	// 100,000, default 1,000.
	MaxAlerts int

	// Retention is how long events and alerts are kept. At least a second, default 24 hours.
	Retention time.Duration

	// CoolDown is how long an alert keeps an equal one from being raised: it is counted in Alert.Count instead. At least
	// a millisecond, default 5 minutes.
	CoolDown time.Duration

	// MinSamples is how many loads or validations the last hour must hold before a rule about a share looks at
	// them, so that the first failure of a quiet night is no alert. At least 1, default 20.
	MinSamples int

	// MaxPending is how many events may wait to be filed while readers hold the collector; what comes then is
	// dropped and counted. Rounded up to a multiple of 64. 64 to 1,000,000, default 16,384.
	MaxPending int

	// The thresholds of the rules. What is above is an alert, what is equal is none.
	SlowLoad       time.Duration // a load takes longer; default 100 ms
	ErrorShare     float64       // errors per load in an hour; more than 0, at most 1, default 0.05
	ChangesPerHour int           // changes of the configuration in an hour; default 10
	InvalidShare   float64       // failed validations in an hour; more than 0, at most 1, default 0.10
}

// complete returns c with every default filled in.
func (c Config) complete() Config {
	c.MaxEvents = cmp.Or(c.MaxEvents, 10_000)
	c.MaxAlerts = cmp.Or(c.MaxAlerts, 1_000)
	c.Retention = cmp.Or(c.Retention, 24*time.Hour)
	c.CoolDown = cmp.Or(c.CoolDown, 5*time.Minute)
	c.MinSamples = cmp.Or(c.MinSamples, 20)
	c.MaxPending = cmp.Or(c.MaxPending, 16_384)
	c.SlowLoad = cmp.Or(c.SlowLoad, 100*time.Millisecond)
	c.ErrorShare = cmp.Or(c.ErrorShare, 0.05)
	c.ChangesPerHour = cmp.Or(c.ChangesPerHour, 10)
	c.InvalidShare = cmp.Or(c.InvalidShare, 0.10)
	return c
}

func (c Config) check() error {
	var errs []error
	whole := func(name string, n, least, most int) {
		if n < least || n > most {
			errs = append(errs, fmt.Errorf("%s is %d, want %d to %d", name, n, least, most))
		}
	}
	span := func(name string, d, least time.Duration) {
		if d < least {
			errs = append(errs, fmt.Errorf("%s is %v, want at least %v", name, d, least))
		}
	}
	share := func(name string, f float64) {
		if !(f > 0 && f <= 1) { // written so that NaN fails too
			errs = append(errs, fmt.Errorf("%s is %v, want more than 0 and at most 1", name, f))
		}
	}
	whole("MaxEvents", c.MaxEvents, 1, 10_000_000)
	whole("MaxAlerts", c.MaxAlerts, 1, 100_000)
	span("Retention", c.Retention, time.Second)
	span("CoolDown", c.CoolDown, time.Millisecond)
	whole("MinSamples", c.MinSamples, 1, 10_000_000)
	whole("MaxPending", c.MaxPending, 64, 1_000_000)
	span("SlowLoad", c.SlowLoad, time.Nanosecond)
	share("ErrorShare", c.ErrorShare)
	whole("ChangesPerHour", c.ChangesPerHour, 1, 10_000_000)
	share("InvalidShare", c.InvalidShare)
	return errors.Join(errs...)
}
