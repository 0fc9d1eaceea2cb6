package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
	"github.com/trysail-go/trysail/trysailhttp"
)

// A Probe asks a target again and again whether it is there, also while no client does. One that fails counts as a failed call for the target's breaker, and
// opens it by its rules; while that is closed one that is good counts as nothing. A good one closes a breaker that is open before its time, but neither
// one that an operator has opened, nor one that is open for what the provider has said of a quota or an account. The zero value asks nothing.
type Probe struct {
	Path     string        // behind BaseURL, such as "/models"; it is asked for with GET. Empty: there are no probes
	Interval time.Duration // 100 ms to 1 h. Default 30 s
	Timeout  time.Duration // at most Interval. Default 5 s, or Interval if that is less
}

// probe checks a target's probe and fills in what is not given.
func (c *compiler) probe(where string, t *target) {
	p := &t.Probe
	if *p == (Probe{}) {
		return
	}
	u, err := url.Parse(p.Path)
	if err != nil || !strings.HasPrefix(p.Path, "/") || strings.HasPrefix(p.Path, "//") || u.Fragment != "" {
		c.bad(where, `Probe.Path is %q, want a path behind BaseURL, such as "/models"`, p.Path)
	}
	p.Interval = cmp.Or(p.Interval, 30*time.Second)
	p.Timeout = cmp.Or(p.Timeout, min(5*time.Second, p.Interval))
	if p.Interval < 100*time.Millisecond || p.Interval > time.Hour {
		c.bad(where, "Probe.Interval is %v, want 100ms to 1h", p.Interval)
	}
	if p.Timeout <= 0 || p.Timeout > p.Interval {
		c.bad(where, "Probe.Timeout is %v, want more than 0s, and at most the interval, %v", p.Timeout, p.Interval)
	}
}

// startProbes ends the probes of the plan before and begins those of the next. g.applying is held.
func (g *Gateway) startProbes(next *snapshot) {
	if g.stopProbes != nil {
		g.stopProbes()
		g.stopProbes = nil
	}
	for _, t := range next.targets {
		if t.Probe.Path == "" {
			continue
		}
		if g.stopProbes == nil {
			g.probing, g.stopProbes = context.WithCancel(g.background.ctx)
		}
		ctx := g.probing
		g.background.start(func(context.Context) { g.keepProbing(ctx, t) })
	}
}

// keepProbing probes a target until ctx ends.
func (g *Gateway) keepProbing(ctx context.Context, t *target) {
	ticker := time.NewTicker(t.Probe.Interval)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		switch good, err := g.probeOnce(ctx, t); {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			failing = true
			g.log.Warn("probe", "target", t.Name, "error", clip(reason(err)))
		case good && failing:
			failing = false
			g.log.Info("probe", "target", t.Name, "outcome", "ok")
		}
	}
}

// probeOnce sends one probe and tells the target's breaker. An answer that is neither good nor the target's failure, such as one about the path or
// the key, says nothing.
func (g *Gateway) probeOnce(ctx context.Context, t *target) (good bool, failure error) {
	ctx, cancel := context.WithTimeoutCause(ctx, t.Probe.Timeout, timeoutError{"an answer to a probe", t.Probe.Timeout})
	defer cancel()
	good, failure = g.askProbe(ctx, t)
	b := t.breaker()
	if b == nil || errors.Is(context.Cause(ctx), context.Canceled) {
		return good, failure
	}
	switch state := b.State(); {
	case failure != nil, good && state == trysail.HalfOpen:
		// The time for the answer may have passed. It takes no place from a client.
		permit, err := t.operation.Acquire(trysail.WithPriority(context.WithoutCancel(ctx), trysail.PriorityBackground))
		if err == nil {
			permit.Done(failure)
		}
	case good && state == trysail.Open && !t.parkedOpen.Load() && t.exhausted.Load() <= g.now():
		b.Close(trysail.Override{Reason: "a probe was answered", Author: "gateway"})
	}
	return good, failure
}

// askProbe sends the request of a probe.
func (g *Gateway) askProbe(ctx context.Context, t *target) (good bool, failure error) {
	v := &visit{target: t}
	if v.unlock(g.now(), false) != nil {
		return false, nil // without a key nothing is learned
	}
	resp, err := g.transport.RoundTrip(g.probeRequest(ctx, t, v.key))
	if err != nil {
		var late timeoutError
		if errors.As(context.Cause(ctx), &late) {
			err = late
		}
		return false, trysail.Transient(fmt.Errorf("probe: %w", err))
	}
	defer resp.Body.Close() //nolint:errcheck // nothing can be done, and nothing is lost
	body, err := io.ReadAll(io.LimitReader(resp.Body, llm.MaxBody))
	if resp.StatusCode >= http.StatusOK && resp.StatusCode < http.StatusMultipleChoices {
		if err != nil {
			return false, trysail.Transient(fmt.Errorf("probe: read the answer: %w", err))
		}
		return true, nil
	}
	verdict := llm.Classify(llm.Response{Provider: t.provider, Status: resp.StatusCode, Header: resp.Header, Body: body})
	if !counts(verdict.Class) {
		return false, nil
	}
	return false, verdict.Mark(fmt.Errorf("probe: %w", &trysailhttp.StatusError{Status: resp.StatusCode, After: verdict.Delay}))
}

func (g *Gateway) probeRequest(ctx context.Context, t *target, with *credential) *http.Request {
	key := ""
	if with != nil {
		key = with.key
	}
	asked, _ := url.Parse(t.Probe.Path) // it has been checked
	to := *t.base
	to.Path, to.RawPath, to.RawQuery = t.base.Path+asked.Path, t.base.EscapedPath()+asked.EscapedPath(), asked.RawQuery
	header := g.forwarded(http.Header{}, t, key)
	if t.Protocol == AnthropicProtocol {
		header.Set("Anthropic-Version", anthropicVersion)
	}
	return (&http.Request{
		Method: http.MethodGet, URL: &to, Host: to.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
}

// anthropicVersion is that of requests that no client's version is known for (https://docs.anthropic.com/en/api/versioning, 2025).
const anthropicVersion = "2023-06-01"
