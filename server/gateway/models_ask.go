package gateway

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/trysail-go/trysail"
)

// longestList is how many bytes a target's list of models may have.
const longestList = 8 << 20

// askModels asks a target for its models: with its own key, or with that of a client's request. It is no call of the target's operation, and says
// nothing to its breaker; but one that is open is not bothered.
func (g *Gateway) askModels(ctx context.Context, t *target, client *http.Request) ([]listed, error) {
	req, err := g.modelsRequest(ctx, t, client)
	if err != nil {
		return nil, fmt.Errorf("list the models of target %q: %w", t.Name, err)
	}
	resp, err := g.transport.RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("list the models of target %q: %w", t.Name, err)
	}
	defer resp.Body.Close() //nolint:errcheck // nothing can be done, and nothing is lost
	body, err := io.ReadAll(io.LimitReader(resp.Body, longestList+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("list the models of target %q: %w", t.Name, err)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("list the models of target %q: HTTP status %d", t.Name, resp.StatusCode)
	case len(body) > longestList:
		return nil, fmt.Errorf("list the models of target %q: the list is longer than %d bytes", t.Name, longestList)
	}
	list, err := parseModels(t.Protocol, body)
	if err != nil {
		return nil, fmt.Errorf("list the models of target %q: %w", t.Name, err)
	}
	return list, nil
}

// modelsRequest returns the request for the list. The largest pages there are hold 1000 models: Anthropic's by limit
// (https://docs.anthropic.com/en/api/models-list, 2025), Gemini's by pageSize (https://ai.google.dev/api/models, 2025).
func (g *Gateway) modelsRequest(ctx context.Context, t *target, client *http.Request) (*http.Request, error) {
	if b := t.breaker(); b != nil && (b.State() == trysail.Open || b.State() == trysail.ForcedOpen) {
		return nil, errNotAsked
	}
	v := &visit{target: t}
	if err := v.unlock(g.now(), false); err != nil {
		return nil, err
	}
	to := *t.base
	path, query := modelsPath(t.Protocol), url.Values{}
	switch t.Protocol {
	case AnthropicProtocol:
		query.Set("limit", "1000")
	case GeminiProtocol:
		query.Set("pageSize", "1000")
	default:
		path = strings.TrimPrefix(path, "/v1") // the base URL brings it
	}
	header, key := http.Header{}, ""
	if v.key != nil {
		key = v.key.key
	}
	if client != nil {
		header = client.Header
		if own, err := url.ParseQuery(g.query(client.URL.RawQuery, t.Protocol, key)); err == nil && own.Get("key") != "" && t.Protocol == GeminiProtocol {
			query.Set("key", own.Get("key"))
		}
	}
	to.Path, to.RawPath, to.RawQuery = t.base.Path+path, t.base.EscapedPath()+path, query.Encode()
	req := (&http.Request{
		Method: http.MethodGet, URL: &to, Host: to.Host, Header: g.forwarded(header, t, key),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	for _, name := range []string{"Content-Type", "Range", "If-None-Match", "If-Modified-Since"} { // the list is wanted whole
		req.Header.Del(name)
	}
	if t.Protocol == AnthropicProtocol && req.Header.Get("Anthropic-Version") == "" {
		req.Header.Set("Anthropic-Version", anthropicVersion)
	}
	return req, nil
}
