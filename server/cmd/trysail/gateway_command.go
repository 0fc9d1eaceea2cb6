package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// gatewayCmd holds the commands about the gateway of a server.
type gatewayCmd struct {
	Targets gatewayTargetsCmd `cmd:"" default:"withargs" help:"Say how the gateway's targets stand."`
	Usage   gatewayUsageCmd   `cmd:"" help:"Say what was used: requests, tokens, dollars."`
	Drain   gatewayDrainCmd   `cmd:"" help:"Have one target get no new calls."`
	Undrain gatewayDrainCmd   `cmd:"" help:"Have one target get calls again."`
}

const gatewayPath = apiBase + "/gateway"

// targetAnswer is what the table shows of a target.
type targetAnswer struct {
	Name      string     `json:"name"`
	Protocol  string     `json:"protocol"`
	Takes     bool       `json:"takes_calls"`
	State     *string    `json:"circuit_breaker_state"`
	Reason    string     `json:"circuit_breaker_reason"`
	OpenUntil *time.Time `json:"next_attempt_at"`
	Draining  bool       `json:"draining"`
	Drained   bool       `json:"drained_by_operator"`
	Calls     int64      `json:"calls_in_flight"`
	Accounts  []struct {
		Name   string     `json:"name"`
		Closed *time.Time `json:"closed_until"`
		Parked *time.Time `json:"parked_until"`
		Reason string     `json:"parked_reason"`
	} `json:"accounts"`
	Tokens *struct {
		Limit float64 `json:"limit"`
		Left  float64 `json:"left"`
	} `json:"tokens_per_minute"`
	Dollars *struct {
		Limit float64    `json:"limit"`
		Left  float64    `json:"left"`
		Back  *time.Time `json:"closed_until"`
	} `json:"dollars_per_day"`
}

// colour is that of how it stands: red where it takes no calls, yellow where not all of it does.
func (t *targetAnswer) colour() colour {
	switch {
	case t.Draining:
		return yellow
	case !t.Takes:
		return red
	}
	for _, a := range t.Accounts {
		if a.Closed != nil || a.Parked != nil {
			return yellow
		}
	}
	return 0
}

// word says in a word how it stands.
func (t *targetAnswer) word() string {
	switch {
	case t.Drained:
		return "drained"
	case t.Draining:
		return "draining"
	case t.Dollars != nil && t.Dollars.Back != nil:
		return "no money"
	case t.State == nil:
		return "ready"
	case *t.State == "closed" && t.Takes:
		return "ready"
	case *t.State == "closed":
		return "accounts closed"
	default:
		return *t.State
	}
}

// accounts says how many can be used, as seen at now, and what keeps the first that cannot.
func (t *targetAnswer) accounts(now time.Time) (open, why string) {
	n := 0
	for _, a := range t.Accounts {
		switch {
		case a.Parked != nil && why == "":
			why = fmt.Sprintf("%s is parked for %s: %s", a.Name, brief(a.Parked.Sub(now)), a.Reason)
		case a.Closed != nil && why == "":
			why = fmt.Sprintf("%s is closed for %s by a rate limit", a.Name, brief(a.Closed.Sub(now)))
		}
		if a.Parked == nil && a.Closed == nil {
			n++
		}
	}
	if len(t.Accounts) == 0 {
		return "clients'", ""
	}
	return fmt.Sprintf("%d of %d", n, len(t.Accounts)), why
}

// left is what is free of a limit.
func left(free, limit float64) string {
	return strconv.FormatFloat(free, 'f', -1, 64) + " of " + strconv.FormatFloat(limit, 'f', -1, 64)
}

type gatewayTargetsCmd struct {
	output
	connection
}

// Help is shown by "trysail gateway targets --help".
func (gatewayTargetsCmd) Help() string { return exitCodesOfClients }

// Run lists the targets.
func (c *gatewayTargetsCmd) Run(p *program) error {
	var answer struct {
		Targets   []*targetAnswer `json:"targets"`
		Timestamp time.Time       `json:"timestamp"`
	}
	return c.ask(p, c.output, question{request: request{method: http.MethodGet, path: gatewayPath + "/targets"}, answer: &answer, table: func(s *page) {
		rows, colours := [][]string{}, []colour{}
		for _, t := range answer.Targets {
			open, why := t.accounts(answer.Timestamp)
			if why == "" {
				why = t.Reason
			}
			tokens, dollars := "", ""
			if t.Tokens != nil {
				tokens = left(t.Tokens.Left, t.Tokens.Limit)
			}
			if t.Dollars != nil {
				dollars = left(t.Dollars.Left, t.Dollars.Limit)
			}
			until := ""
			if t.OpenUntil != nil {
				until = "for " + brief(t.OpenUntil.Sub(answer.Timestamp))
			}
			rows = append(rows, []string{t.Name, t.Protocol, t.word(), until, strconv.FormatInt(t.Calls, 10), open, tokens, dollars, why})
			colours = append(colours, t.colour())
		}
		s.colouredTable([]string{"NAME", "PROTOCOL", "STATE", "STILL", "CALLS", "ACCOUNTS", "TOKENS LEFT", "DOLLARS LEFT", "WHY"}, rows, colours)
	}})
}

type gatewayUsageCmd struct {
	output
	connection
}

// Help is shown by "trysail gateway usage --help".
func (gatewayUsageCmd) Help() string { return exitCodesOfClients }

// usageAnswer is what the table shows under one name.
type usageAnswer struct {
	Name       string `json:"name"`
	All, Today struct {
		Requests uint64  `json:"requests"`
		Attempts uint64  `json:"attempts"`
		Input    int64   `json:"input_tokens"`
		Cached   int64   `json:"cached_tokens"`
		Output   int64   `json:"output_tokens"`
		Dollars  float64 `json:"dollars"`
	}
}

// Run shows what was used.
func (c *gatewayUsageCmd) Run(p *program) error {
	var answer struct {
		Since      time.Time     `json:"since"`
		Day        string        `json:"day"`
		Targets    []usageAnswer `json:"targets"`
		Operations []usageAnswer `json:"operations"`
		Clients    []usageAnswer `json:"clients"`
	}
	return c.ask(p, c.output, question{request: request{method: http.MethodGet, path: gatewayPath + "/usage"}, answer: &answer, table: func(s *page) {
		rows := [][]string{}
		for _, kind := range []struct {
			word string
			list []usageAnswer
		}{{"target", answer.Targets}, {"operation", answer.Operations}, {"client", answer.Clients}} {
			for _, u := range kind.list {
				rows = append(rows, []string{
					kind.word, u.Name, count(u.All.Requests), count(u.All.Attempts), whole(u.All.Input), whole(u.All.Cached), whole(u.All.Output),
					money(u.All.Dollars), count(u.Today.Requests), money(u.Today.Dollars),
				})
			}
		}
		if len(rows) == 0 {
			s.line("Nothing was asked of the gateway yet.")
			return
		}
		s.table([]string{"OF", "NAME", "REQUESTS", "ATTEMPTS", "INPUT", "CACHED", "OUTPUT", "DOLLARS", "TODAY", "DOLLARS TODAY"}, rows)
		s.line("")
		s.line("Since %s; today is %s (UTC).", moment(answer.Since), harmless(answer.Day))
	}})
}

func whole(n int64) string { return strconv.FormatInt(n, 10) }

func money(dollars float64) string { return strconv.FormatFloat(dollars, 'f', -1, 64) }

type gatewayDrainCmd struct {
	Name   string `arg:"" help:"The target's name."`
	Reason string `required:"" placeholder:"TEXT" help:"Why, for those who look later."`
	output
	connection
}

// Help is shown by "trysail gateway drain --help".
func (gatewayDrainCmd) Help() string {
	return `Calls under way finish. It holds over reloads, until it is taken back or the server ends.

` + exitCodesOfClients
}

// Run drains one target or takes that back, which is the name of the command.
func (c *gatewayDrainCmd) Run(p *program, ctx *kong.Context) error {
	body, err := json.Marshal(map[string]string{"reason": c.Reason})
	if err != nil {
		return err
	}
	escaped := url.PathEscape(c.Name)
	if c.Name == "." || c.Name == ".." {
		escaped = strings.ReplaceAll(c.Name, ".", "%2E")
	}
	var answer struct {
		Message string `json:"message"`
	}
	r := request{method: http.MethodPost, path: gatewayPath + "/targets/" + escaped + "/" + ctx.Selected().Name, body: body}
	return c.ask(p, c.output, question{request: r, answer: &answer, table: func(s *page) { s.line("%s", harmless(answer.Message)) }})
}
