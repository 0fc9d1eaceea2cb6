package gateway_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
	"github.com/trysail-go/trysail/server/gateway"
	"github.com/trysail-go/trysail/trysailtest"
)

// A course is how a call goes that meets a fault: what each target is sent when the fault passes after its first time, and when it lasts; with one
// target and with two of which the second is well.
type course struct {
	name          string
	passes, lasts [2]string
}

// The courses: see the table in ADR 17.
func again() course  { return course{"again", [2]string{"2", "2 0"}, [2]string{"3", "3 1"}} }
func once() course   { return course{"once", [2]string{"2", "2 0"}, [2]string{"2", "2 1"}} }
func busy() course   { return course{"busy", [2]string{"2", "2 0"}, [2]string{"3", "2 1"}} }
func capped() course { return course{"capped", [2]string{"2", "1 1"}, [2]string{"3", "1 1"}} }
func slow() course   { return course{"slow", [2]string{"2", "1 1"}, [2]string{"2", "1 1"}} }
func leave() course  { return course{"leave", [2]string{"1", "1 1"}, [2]string{"1", "1 1"}} }
func stay() course   { return course{"stay", [2]string{"1", "1 0"}, [2]string{"1", "1 0"}} }
func fine() course   { return course{"fine", [2]string{"1", "1 0"}, [2]string{"1", "1 0"}} }
func broken() course { return course{"broken", [2]string{"1", "1 0"}, [2]string{"1", "1 0"}} }

// A fault is a row of the matrix.
type matrixFault struct {
	script        string // one entry
	plain, stream course
	status        [2]int // that the client gets for a plain answer and for a stream, if nobody gives a good one
	retryAfter    string // that it gets then
	provider      llm.Provider
}

// A cell is one way to meet a fault.
type cell struct {
	streamed, lasts bool
	targets         int
}

func (c cell) String() string {
	kind, how := "plain", "passes"
	if c.streamed {
		kind = "stream"
	}
	if c.lasts {
		how = "lasts"
	}
	return fmt.Sprintf("%s, %s, %d targets", kind, how, c.targets)
}

func cells() (all []cell) {
	for i := range 8 {
		all = append(all, cell{i&1 != 0, i&2 != 0, 1 + i>>2})
	}
	return all
}

// expected says what a cell of a row comes to: what the targets are sent, and whether the client gets a whole answer.
func (f matrixFault) expected(c cell) (course, string, bool) {
	way := f.plain
	if c.streamed {
		way = f.stream
	}
	sent := way.passes
	if c.lasts {
		sent = way.lasts
	}
	got := sent[c.targets-1]
	second := c.targets == 2 && !strings.HasSuffix(got, " 0")
	return way, got, way.name == "fine" || second || !c.lasts && got[0] > '1'
}

// limitsOfMatrix are short where a fault makes the gateway wait.
func limitsOfMatrix() gateway.Limits {
	const short = 300 * time.Millisecond
	return gateway.Limits{FirstToken: short, Plain: short, Total: 20 * time.Second}
}

// run plays a row in all its cells.
func (f matrixFault) run(t *testing.T, m manner) {
	t.Helper()
	for _, c := range cells() {
		_, _, whole := f.expected(c)
		script := f.script
		if !c.lasts {
			script += ",ok"
		}
		var limits gateway.Limits // as they are: where nothing waits, a busy machine is no fault
		if way, _, _ := f.expected(c); way.name == "slow" {
			limits = limitsOfMatrix()
		} else if strings.HasPrefix(f.script, "stall") {
			limits.Idle = limitsOfMatrix().Plain
		}
		fleet := f.fleet(t, m, []string{script, "ok"}[:c.targets], limits)
		fleet.oneOfMany = c != cells()[7] // the last one finds what they all have lost: it is one process
		path, body := m.path, m.body
		if c.streamed {
			path, body = m.streamPath, m.streamBody
		}
		got := fleet.post(path, body)
		f.checkSends(t, c, got, fleet.totals())
		if whole {
			f.checkWhole(t, m, c, got)
		} else {
			f.checkFailure(t, m, c, got)
		}
		fleet.stop()
	}
}

// checkSends checks what was sent where, and that the client is told so.
func (f matrixFault) checkSends(t *testing.T, c cell, got reply, totals string) {
	t.Helper()
	_, want, _ := f.expected(c)
	if totals != want {
		t.Errorf("%s: the targets were sent %s, want %s (status %d)\n%.300s", c, totals, want, got.status, got.body)
		return
	}
	sum, target, before := 0, "a", "none"
	for n := range strings.SplitSeq(want, " ") {
		k, _ := strconv.Atoi(n)
		sum += k
	}
	if c.targets == 2 && !strings.HasSuffix(want, " 0") {
		target, before = "b", "a"
	}
	for header, want := range map[string]string{
		gateway.AttemptsHeader: strconv.Itoa(sum), gateway.TargetHeader: target, gateway.FallbackHeader: before,
	} {
		if got.header.Get(header) != want {
			t.Errorf("%s: %s is %q, want %q", c, header, got.header.Get(header), want)
		}
	}
	if got.header.Get(gateway.RequestIDHeader) == "" || got.header.Get(gateway.BreakerHeader) == "" {
		t.Errorf("%s: the answer has no request id, or no breaker: %v", c, got.header)
	}
}

// checkWhole checks that the client has a good answer, whole, and each part of it once.
func (f matrixFault) checkWhole(t *testing.T, m manner, c cell, got reply) {
	t.Helper()
	text, failures, err := m.heard(c.streamed, got.body)
	if got.status != 200 || got.err != nil || err != nil || failures != 0 {
		t.Errorf("%s: status %d, %v, %v, %d errors inside; want 200 and none\n%.300s", c, got.status, got.err, err, failures, got.body)
		return
	}
	if text != m.fair(t) {
		t.Errorf("%s: the client reads %q, want %q", c, text, m.fair(t))
	}
	if c.streamed && strings.Count(got.body, m.last) < 1 {
		t.Errorf("%s: the stream has no end: %.300s", c, got.body)
	}
	if got.header.Get("X-Should-Retry") != "" {
		t.Errorf("%s: x-should-retry on a good answer", c)
	}
}

// checkFailure checks what the client hears of a call that no target has answered well: an error object of its protocol, or the begin of a
// stream and an error behind it.
func (f matrixFault) checkFailure(t *testing.T, m manner, c cell, got reply) {
	t.Helper()
	way, sent, _ := f.expected(c)
	if way.name == "broken" {
		text, failures, err := m.heard(c.streamed, got.body)
		if got.status != 200 || got.err == nil || err != nil || failures != 1 {
			t.Errorf("%s: status %d, end %v, %v, %d errors inside; want 200, a cut connection, one error\n%.600s",
				c, got.status, got.err, err, failures, got.body)
		}
		if text == "" || text == m.fair(t) || !strings.HasPrefix(m.fair(t), text) {
			t.Errorf("%s: the client reads %q, want a begin of %q", c, text, m.fair(t))
		}
		return
	}
	want := f.status[0]
	if c.streamed && f.status[1] != 0 {
		want = f.status[1]
	}
	if got.status != want || got.err != nil || !json.Valid([]byte(got.body)) {
		t.Errorf("%s: status %d, %v; want %d and JSON\n%.300s", c, got.status, got.err, want, got.body)
		return
	}
	if _, failures, _ := m.heard(false, got.body); f.provider == "" && got.status >= 400 && failures != 1 {
		t.Errorf("%s: the body has no error: %.300s", c, got.body)
	}
	if sent[0] > '1' && got.status >= 400 && got.header.Get("X-Should-Retry") != "false" {
		t.Errorf("%s: x-should-retry is %q after %s attempts, want false", c, got.header.Get("X-Should-Retry"), sent)
	}
	if f.retryAfter != "" && got.header.Get("Retry-After") != f.retryAfter {
		t.Errorf("%s: Retry-After is %q, want %q", c, got.header.Get("Retry-After"), f.retryAfter)
	}
}

// fleet starts a fleet that speaks m's protocol and waits little.
func (f matrixFault) fleet(t *testing.T, m manner, scripts []string, limits gateway.Limits) *fleet {
	t.Helper()
	return f.fleetWith(t, m, scripts, limits, nil)
}

func (f matrixFault) fleetWith(t *testing.T, m manner, scripts []string, limits gateway.Limits, change func(*gateway.Config)) *fleet {
	t.Helper()
	budget, err := trysail.NewRetryBudget(trysail.RetryBudgetConfig{Share: 1, Floor: 1000})
	if err != nil {
		t.Fatal(err)
	}
	made := &fleet{rig: rig{t: t}}
	made.orchestrator, err = trysail.New(trysail.Config{Default: trysail.Policy{Retry: trysail.RetryPolicy{
		Backoff: trysail.BackoffNone, Budget: budget, DelayBudget: 200 * time.Millisecond,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if f.plain.name == "broken" || f.stream.name == "broken" {
		made.tokenDelay = 4 * time.Millisecond // so that the client has tokens before the stream breaks
	}
	return made.start(scripts, func(c *gateway.Config) {
		c.Limits = limits
		for i := range c.Plan.Targets {
			target := &c.Plan.Targets[i]
			target.Provider = f.provider
			if target.Protocol = m.protocol; m.protocol != gateway.OpenAIProtocol {
				target.BaseURL = strings.TrimSuffix(target.BaseURL, "/v1")
			}
		}
		if change != nil {
			change(c)
		}
	})
}

// fair is the answer to m's question, as a provider that is well gives it.
func (m manner) fair(t *testing.T) string {
	t.Helper()
	provider, err := trysailtest.NewProvider(trysailtest.ProviderConfig{})
	if err != nil {
		t.Fatal(err)
	}
	text, _, err := m.heard(false, recorded(provider, m.path, m.body))
	if err != nil || len(text) < 40 {
		t.Fatalf("the provider answers %q, %v", text, err)
	}
	return text
}
