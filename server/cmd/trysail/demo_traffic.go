package main

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/trysail-go/trysail/server/gateway"
	"github.com/trysail-go/trysail/trysailtest"
)

// traffic sends calls through the gateway at a steady rate.
type traffic struct {
	url    string
	every  time.Duration
	client *http.Client
	screen *screen
	phases []demoPhase
	sent   int
	under  sync.WaitGroup // calls under way
}

func newTraffic(url string, rate float64, s *screen) *traffic {
	return &traffic{
		url: url, every: time.Duration(float64(time.Second) / rate), screen: s, phases: demoPhases(),
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
}

// run sends calls, phase after phase, until ctx ends, and waits for those under way.
func (t *traffic) run(ctx context.Context) {
	defer t.client.CloseIdleConnections()
	defer t.under.Wait()
	for {
		for _, phase := range t.phases {
			t.screen.phase(phase)
			if !t.runPhase(ctx, phase) {
				return
			}
		}
	}
}

// runPhase reports whether the phase came to its end.
func (t *traffic) runPhase(ctx context.Context, phase demoPhase) bool {
	over := time.NewTimer(phase.lasts)
	defer over.Stop()
	call := time.NewTicker(t.every)
	defer call.Stop()
	line := time.NewTicker(screenStep)
	defer line.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-over.C:
			return true
		case <-line.C:
			t.screen.line()
		case <-call.C:
			t.sent++
			script := phase.scripts[t.sent%len(phase.scripts)]
			t.under.Go(func() { t.call(ctx, script) })
		}
	}
}

// call makes one streamed completion and notes how it ended.
func (t *traffic) call(ctx context.Context, script string) {
	const question = `{"model":"demo-1","stream":true,"max_tokens":20,"messages":[{"role":"user","content":"Is the wind fair?"}]}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url+"/v1/chat/completions", strings.NewReader(question))
	if err != nil {
		return // the address is the server's own
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(gateway.OperationHeader, demoOperation)
	req.Header.Set(trysailtest.SimulateHeader, script)
	resp, err := t.client.Do(req)
	if err != nil {
		t.screen.count(result{failed: ctx.Err() == nil})
		return
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end below
	_, err = io.Copy(io.Discard, resp.Body)
	attempts, _ := strconv.Atoi(resp.Header.Get(gateway.AttemptsHeader))
	t.screen.count(result{
		answered: resp.StatusCode == http.StatusOK && err == nil,
		refused:  resp.StatusCode == http.StatusServiceUnavailable && attempts == 0,
		failed:   ctx.Err() == nil && (resp.StatusCode != http.StatusOK || err != nil),
		attempts: attempts,
	})
}
