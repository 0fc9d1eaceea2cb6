package main

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// monitorCmd holds the commands about what a server has recorded.
type monitorCmd struct {
	Statistics monitorStatisticsCmd `cmd:"" default:"withargs" help:"Show how configurations were used."`
	Alerts     monitorAlertsCmd     `cmd:"" help:"List what somebody should look at, of the last 24 hours."`
	Export     monitorExportCmd     `cmd:"" help:"Write all events, or those of the last hours."`
}

const monitorPath = apiBase + "/monitoring"

// window is a query for that many hours, 0 for the server's default.
func window(hours int) url.Values {
	query := url.Values{}
	if hours != 0 {
		query.Set("time_window_hours", strconv.Itoa(hours))
	}
	return query
}

type monitorStatisticsCmd struct {
	Hours int `placeholder:"N" help:"How far to look back, 1 to 720. Default: the server's, 24."`
	output
	connection
}

// Help is shown by "trysail monitor --help".
func (monitorStatisticsCmd) Help() string { return exitCodesOfClients }

// Run shows the statistics.
func (c *monitorStatisticsCmd) Run(p *program) error {
	var answer struct {
		Hours      int `json:"time_window_hours"`
		Statistics struct {
			Loads     int            `json:"total_loads"`
			Usage     map[string]int `json:"preset_usage_count"`
			ErrorRate float64        `json:"error_rate"`
			AverageMS float64        `json:"avg_load_time_ms"`
			Custom    float64        `json:"custom_config_usage_rate"`
			Legacy    float64        `json:"legacy_config_usage_rate"`
			Alerts    []alertAnswer  `json:"active_alerts"`
		} `json:"statistics"`
		Summary struct {
			Healthy bool `json:"healthy"`
		} `json:"summary"`
	}
	r := request{method: http.MethodGet, path: monitorPath + "/usage-statistics", query: window(c.Hours)}
	return c.ask(p, c.output, question{request: r, answer: &answer, table: func(s *page) {
		state := s.paint(green, "healthy")
		if !answer.Summary.Healthy {
			state = s.paint(red, "too many errors")
		}
		s.line("Configurations of the last %d h: %s", answer.Hours, state)
		s.line("")
		stats := &answer.Statistics
		rows := [][]string{
			{"loaded", strconv.Itoa(stats.Loads)},
			{"errors per load", percent(stats.ErrorRate)},
			{"average time of a load", milliseconds(stats.AverageMS)},
			{"about custom configurations", percent(stats.Custom)},
			{"about old variables", percent(stats.Legacy)},
			{"alerts", strconv.Itoa(len(stats.Alerts))},
		}
		for _, preset := range slices.Sorted(maps.Keys(stats.Usage)) {
			rows = append(rows, []string{"preset " + preset + " used", times(uint64(max(stats.Usage[preset], 0)))})
		}
		s.table([]string{"FIELD", "VALUE"}, rows)
	}})
}

// alertAnswer is what the table shows of an alert.
type alertAnswer struct {
	Last        time.Time `json:"last_timestamp"`
	Level       string    `json:"level"`
	Title       string    `json:"title"`
	Description string    `json:"description"`
	Count       int       `json:"count"`
}

func (a *alertAnswer) colour() colour {
	switch a.Level {
	case "error", "critical":
		return red
	case "warning":
		return yellow
	default:
		return 0
	}
}

type monitorAlertsCmd struct {
	Level string `placeholder:"LEVEL" help:"Only this level: info, warning, error or critical."`
	Max   int    `placeholder:"N" help:"How many, the newest, 1 to 1000. Default: the server's, 50."`
	output
	connection
}

// Help is shown by "trysail monitor alerts --help".
func (monitorAlertsCmd) Help() string { return exitCodesOfClients }

// Run lists the alerts.
func (c *monitorAlertsCmd) Run(p *program) error {
	query := url.Values{}
	if c.Level != "" {
		query.Set("level", c.Level)
	}
	if c.Max != 0 {
		query.Set("max_alerts", strconv.Itoa(c.Max))
	}
	var answer struct {
		Alerts  []alertAnswer `json:"alerts"`
		Summary struct {
			Omitted int `json:"omitted_alerts"`
		} `json:"summary"`
	}
	r := request{method: http.MethodGet, path: monitorPath + "/alerts", query: query}
	return c.ask(p, c.output, question{request: r, answer: &answer, table: func(s *page) {
		if len(answer.Alerts) == 0 {
			s.line("No alerts in the last 24 hours.")
			return
		}
		rows, colours := make([][]string, len(answer.Alerts)), make([]colour, len(answer.Alerts))
		for i, a := range answer.Alerts {
			rows[i], colours[i] = []string{moment(a.Last), a.Level, strconv.Itoa(a.Count), a.Title, a.Description}, a.colour()
		}
		s.colouredTable([]string{"LAST", "LEVEL", "TIMES", "TITLE", "WHAT"}, rows, colours)
		if answer.Summary.Omitted > 0 {
			s.line("")
			s.line("%d older ones are left out (--max).", answer.Summary.Omitted)
		}
	}})
}

type monitorExportCmd struct {
	Format string `default:"json" enum:"json,csv,ndjson" placeholder:"FORMAT" help:"json: an array of events. ndjson: one to a line. csv: for spreadsheets, with what they would run as a formula made harmless (${default})."`
	Hours  int    `placeholder:"N" help:"How far to look back, 1 to 720. Default: as far as the server remembers."`
	Out    string `short:"o" placeholder:"FILE" help:"The file to write, which is there when all of it is. Default: the standard output."`
	connection
}

// Help is shown by "trysail monitor export --help".
func (monitorExportCmd) Help() string {
	return `The events come as the server reads them, oldest first, however many there are. If fewer events were written than there
were, because newer ones needed their place, the standard error says how many.

` + exitCodesOfClients
}

// Run exports the events.
func (c *monitorExportCmd) Run(p *program) error {
	if slices.Contains([]string{"json", "csv", "ndjson", "yaml", "table"}, c.Out) {
		return usageError{fmt.Errorf("out is %q, which names a format: want --format %s, and -o with a file (./%s if it is to have that name)", c.Out, c.Out, c.Out)}
	}
	query := window(c.Hours)
	query.Set("stream", "true")
	query.Set("format", "json")
	if c.Format == "csv" {
		query.Set("format", "csv")
	}
	cl, err := c.open(p, defaultTimeout)
	if err != nil {
		return err
	}
	resp, err := cl.do(p.ctx, request{method: http.MethodGet, path: monitorPath + "/export", query: query})
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	return c.save(p, resp)
}
