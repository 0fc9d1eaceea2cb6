package main

import (
	"fmt"
	"time"

	"github.com/trysail-go/trysail/server/api"
)

// A timeout is a flag of serve that says how long something may take, with its value.
type timeout struct {
	flag  string
	limit time.Duration
}

// timeouts lists all of them: each is more than nothing, and at most 59 minutes.
func (s *serveCmd) timeouts() []timeout {
	return []timeout{
		{"shutdown-timeout", s.ShutdownTimeout},
		{"connect-timeout", s.ConnectTimeout},
		{"first-token-timeout", s.FirstTokenTimeout},
		{"answer-timeout", s.AnswerTimeout},
		{"idle-timeout", s.IdleTimeout},
		{"total-timeout", s.TotalTimeout},
		{"client-timeout", s.ClientTimeout},
	}
}

// maxValidations is the most that [api.ValidationLimits] takes.
const maxValidations = 10_000

// validations is how many validations an address may ask for.
func (s *serveCmd) validations() api.ValidationLimits {
	return api.ValidationLimits{PerMinute: s.ValidationsPerMinute, PerHour: s.ValidationsPerHour, Cooldown: s.ValidationCooldown}
}

// checkValidations has bad told of what is wrong with them. Nothing stands for a default here: 0 validations would be a strange way to say 60.
func (s *serveCmd) checkValidations(bad func(flag string, err error)) {
	for _, f := range []struct {
		flag string
		n    int
	}{{"validations-per-minute", s.ValidationsPerMinute}, {"validations-per-hour", s.ValidationsPerHour}} {
		if f.n < 1 || f.n > maxValidations {
			bad(f.flag, fmt.Errorf("%s is %d, want 1 to %d", f.flag, f.n, maxValidations))
		}
	}
	if s.ValidationCooldown < 0 || s.ValidationCooldown > time.Minute {
		bad("validation-cooldown", fmt.Errorf("validation-cooldown is %v, want 0s to 1m", s.ValidationCooldown))
	}
}
