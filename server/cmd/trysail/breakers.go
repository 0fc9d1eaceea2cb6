package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/trysail-go/trysail"
)

// breakersCmd holds the commands about the circuit breakers of a server.
type breakersCmd struct {
	List        breakerListCmd  `cmd:"" default:"withargs" help:"List the circuit breakers of a server."`
	Show        breakerShowCmd  `cmd:"" help:"Show one circuit breaker with its limits and counters."`
	Reset       breakerResetCmd `cmd:"" help:"Close one, and have it forget its failures."`
	ForceOpen   breakerWordCmd  `cmd:"" name:"force-open" help:"Have one refuse every call."`
	Disable     breakerWordCmd  `cmd:"" help:"Have one let every call through and judge none."`
	MetricsOnly breakerWordCmd  `cmd:"" name:"metrics-only" help:"Have one let every call through and only count what it would have done."`
	Close       breakerCloseCmd `cmd:"" help:"Give one back to its rules, closed, with a reason that is kept."`
}

const breakersPath = apiBase + "/circuit-breakers"

// breakerPath is the path of one breaker. A name may be anything, also two dots.
func breakerPath(name, action string) string {
	escaped := url.PathEscape(name)
	if name == "." || name == ".." {
		escaped = strings.ReplaceAll(name, ".", "%2E")
	}
	path := breakersPath + "/" + escaped
	if action != "" {
		path += "/" + action
	}
	return path
}

// breakerAnswer is what the tables show of a breaker.
type breakerAnswer struct {
	Name             string     `json:"name"`
	State            string     `json:"state"`
	Reason           string     `json:"reason"`
	FailureCount     int        `json:"failure_count"`
	FailureThreshold int        `json:"failure_threshold"`
	RecoveryTimeout  int        `json:"recovery_timeout"`
	HalfOpenMaxCalls int        `json:"half_open_max_calls"`
	LastFailure      *time.Time `json:"last_failure"`
	OpenedAt         *time.Time `json:"opened_at"`
	NextAttemptAt    *time.Time `json:"next_attempt_at"`
	Metrics          struct {
		Calls     uint64 `json:"total_calls"`
		Succeeded uint64 `json:"successful_calls"`
		Failed    uint64 `json:"failed_calls"`
		Rejected  uint64 `json:"rejected_calls"`
		Fallbacks uint64 `json:"fallback_calls"`
		Retries   uint64 `json:"retry_attempts"`
		Opens     uint64 `json:"circuit_breaker_opens"`
	} `json:"metrics"`
	Override *struct {
		Reason      string     `json:"reason"`
		Author      string     `json:"author"`
		ExpiresAt   *time.Time `json:"expires_at"`
		WouldOpen   uint64     `json:"would_open"`
		WouldReject uint64     `json:"would_reject"`
	} `json:"override"`
}

// colour is that of its state: red where calls are refused, yellow where it is not as usual.
func (b *breakerAnswer) colour() colour {
	switch b.State {
	case trysail.Closed.String():
		return 0
	case trysail.Open.String(), trysail.ForcedOpen.String():
		return red
	default:
		return yellow
	}
}

// why says what holds it in its state.
func (b *breakerAnswer) why() string {
	if b.Override == nil {
		return b.Reason
	}
	return fmt.Sprintf("%s (by %s)", b.Override.Reason, b.Override.Author)
}

// until is when its state ends by itself, as seen at now.
func (b *breakerAnswer) until(now time.Time) string {
	var end *time.Time
	switch {
	case b.Override != nil && b.Override.ExpiresAt == nil:
		return "until closed"
	case b.Override != nil:
		end = b.Override.ExpiresAt
	default:
		end = b.NextAttemptAt
	}
	if end == nil {
		return ""
	}
	return "for " + brief(end.Sub(now))
}

type breakerListCmd struct {
	output
	connection
}

// Help is shown by "trysail breakers --help".
func (breakerListCmd) Help() string { return exitCodesOfClients }

// Run lists the breakers.
func (c *breakerListCmd) Run(p *program) error {
	var answer struct {
		Breakers  map[string]*breakerAnswer `json:"circuit_breakers"`
		Total     int                       `json:"total_count"`
		Open      int                       `json:"open_count"`
		HalfOpen  int                       `json:"half_open_count"`
		Timestamp time.Time                 `json:"timestamp"`
	}
	return c.ask(p, c.output, question{request: request{method: http.MethodGet, path: breakersPath}, answer: &answer, table: func(s *page) {
		if answer.Total == 0 {
			s.line("There are no circuit breakers yet: each operation has one from its first call on.")
			return
		}
		all := make([]*breakerAnswer, 0, len(answer.Breakers))
		for _, b := range answer.Breakers {
			all = append(all, b)
		}
		slices.SortFunc(all, func(a, b *breakerAnswer) int { return strings.Compare(a.Name, b.Name) })
		rows, colours := make([][]string, len(all)), make([]colour, len(all))
		for i, b := range all {
			colours[i] = b.colour()
			rows[i] = []string{
				b.Name, b.State, b.until(answer.Timestamp), fmt.Sprintf("%d of %d", b.FailureCount, b.FailureThreshold),
				count(b.Metrics.Calls), count(b.Metrics.Failed), count(b.Metrics.Rejected), b.why(),
			}
		}
		s.colouredTable([]string{"NAME", "STATE", "STILL", "FAILURES", "CALLS", "FAILED", "REFUSED", "WHY"}, rows, colours)
		s.line("")
		s.line("%d in all, %d open, %d half-open.", answer.Total, answer.Open, answer.HalfOpen)
	}})
}

type breakerShowCmd struct {
	Name string `arg:"" help:"Its name, which is that of its operation."`
	output
	connection
}

// Help is shown by "trysail breakers show --help".
func (breakerShowCmd) Help() string { return exitCodesOfClients }

// Run shows one breaker.
func (c *breakerShowCmd) Run(p *program) error {
	var b breakerAnswer
	return c.ask(p, c.output, question{request: request{method: http.MethodGet, path: breakerPath(c.Name, "")}, answer: &b, table: b.show})
}

func (b *breakerAnswer) show(s *page) {
	s.line("%s is %s", s.paint(bold, harmless(b.Name)), s.paint(b.colour(), harmless(b.State)))
	if why := b.why(); why != "" {
		s.line("%s", harmless(why))
	}
	s.line("")
	rows := [][]string{
		{"failures in a row", fmt.Sprintf("%d, opens at %d", b.FailureCount, b.FailureThreshold)},
		{"recovers in", seconds(b.RecoveryTimeout)},
		{"probes at once", strconv.Itoa(b.HalfOpenMaxCalls)},
		{"calls", count(b.Metrics.Calls)},
		{"succeeded", count(b.Metrics.Succeeded)},
		{"failed", count(b.Metrics.Failed)},
		{"refused", count(b.Metrics.Rejected)},
		{"answered by a fallback", count(b.Metrics.Fallbacks)},
		{"retries", count(b.Metrics.Retries)},
		{"opened", times(b.Metrics.Opens)},
	}
	for _, at := range []struct {
		name string
		time *time.Time
	}{{"last failure", b.LastFailure}, {"open since", b.OpenedAt}, {"next attempt", b.NextAttemptAt}} {
		if at.time != nil {
			rows = append(rows, []string{at.name, moment(*at.time)})
		}
	}
	if o := b.Override; o != nil {
		end := "it is closed or reset"
		if o.ExpiresAt != nil {
			end = moment(*o.ExpiresAt)
		}
		rows = append(rows, []string{"stays so until", end})
		if b.State == trysail.MetricsOnly.String() {
			rows = append(rows, []string{"would have opened", times(o.WouldOpen)}, []string{"would have refused", count(o.WouldReject)})
		}
	}
	s.table([]string{"FIELD", "VALUE"}, rows)
}

// breakerChange is the answer to whatever changes a breaker.
type breakerChange struct {
	Name      string     `json:"name"`
	Previous  string     `json:"previous_state"`
	New       string     `json:"new_state"`
	ExpiresAt *time.Time `json:"expires_at"`
}

func (b *breakerChange) show(s *page) {
	until := ""
	if b.ExpiresAt != nil {
		until = ", until " + moment(*b.ExpiresAt)
	}
	s.line("%s: %s -> %s%s", s.paint(bold, harmless(b.Name)), harmless(b.Previous), harmless(b.New), until)
}

type breakerResetCmd struct {
	Name string `arg:"" help:"Its name, which is that of its operation."`
	output
	connection
}

// Help is shown by "trysail breakers reset --help".
func (breakerResetCmd) Help() string {
	return `Counters stay. An operator's word ends, too.

` + exitCodesOfClients
}

// Run resets one breaker.
func (c *breakerResetCmd) Run(p *program) error {
	return changeBreaker(p, c.output, &c.connection, request{path: breakerPath(c.Name, "reset")})
}

type breakerWordCmd struct {
	Name   string        `arg:"" help:"Its name, which is that of its operation."`
	Reason string        `required:"" placeholder:"TEXT" help:"Why, for those who look later."`
	For    time.Duration `placeholder:"TIME" help:"How long, such as 10m; up to 366 days. Default: until it is closed or reset."`
	output
	connection
}

// Help is shown by "trysail breakers force-open --help".
func (breakerWordCmd) Help() string {
	return `The word goes before all rules, until the breaker is closed or reset, or until it expires.

` + exitCodesOfClients
}

// Run gives one breaker an operator's word, which is the name of the command.
func (c *breakerWordCmd) Run(p *program, ctx *kong.Context) error {
	const longest = 366 * 24 * time.Hour // the server's
	if c.For != 0 && (c.For < time.Second || c.For > longest || c.For%time.Second != 0) {
		return usageError{fmt.Errorf("for is %v, want whole seconds from 1s to 8784h (366 days), or nothing: until it is closed or reset", c.For)}
	}
	word := struct {
		Reason  string `json:"reason"`
		Expires int    `json:"expires_in_seconds,omitempty"`
	}{c.Reason, int(c.For / time.Second)}
	body, err := json.Marshal(word)
	if err != nil {
		return err
	}
	return changeBreaker(p, c.output, &c.connection, request{path: breakerPath(c.Name, ctx.Selected().Name), body: body})
}

type breakerCloseCmd struct {
	Name   string `arg:"" help:"Its name, which is that of its operation."`
	Reason string `required:"" placeholder:"TEXT" help:"Why, for those who look later."`
	output
	connection
}

// Help is shown by "trysail breakers close --help".
func (breakerCloseCmd) Help() string { return exitCodesOfClients }

// Run ends an operator's word about one breaker.
func (c *breakerCloseCmd) Run(p *program) error {
	word := struct {
		Reason string `json:"reason"`
	}{c.Reason}
	body, err := json.Marshal(word)
	if err != nil {
		return err
	}
	return changeBreaker(p, c.output, &c.connection, request{path: breakerPath(c.Name, "close"), body: body})
}

func changeBreaker(p *program, o output, c *connection, r request) error {
	r.method = http.MethodPost
	var b breakerChange
	return c.ask(p, o, question{request: r, answer: &b, table: b.show})
}
