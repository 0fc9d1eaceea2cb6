package gateway

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestParseModels(t *testing.T) {
	for name, tc := range map[string]struct {
		protocol Protocol
		body     string
		want     int
		bad      bool
	}{
		"a list":                      {OpenAIProtocol, `{"object":"list","data":[{"id":"a"},{"id":"b"}]}`, 2, false},
		"a bare list":                 {OpenAIProtocol, `[{"id":"a"}]`, 1, false},
		"of Gemini":                   {GeminiProtocol, `{"models":[{"name":"models/a"}]}`, 1, false},
		"an empty one":                {OpenAIProtocol, `{"data":[]}`, 0, false},
		"entries that cannot be read": {OpenAIProtocol, `{"data":[{"id":1},"x",{"id":""},{"id":"a"}]}`, 1, false},
		"an error":                    {OpenAIProtocol, `{"error":{}}`, 0, true},
		"no JSON":                     {OpenAIProtocol, `<html>`, 0, true},
		"data of another type":        {OpenAIProtocol, `{"data":{"id":"a"}}`, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := parseModels(tc.protocol, []byte(tc.body))
			if len(list) != tc.want || (err != nil) != tc.bad {
				t.Errorf("parseModels(%s) = %d models, %v; want %d, an error: %v", tc.body, len(list), err, tc.want, tc.bad)
			}
		})
	}
}

// What is known is used for a minute, then asked for again beside, and forgotten after ten.
func TestModelCacheAges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &Gateway{}
		g.background.begin()
		g.Close() // nothing is begun any more: each need to ask shows as an error
		bad := errors.New("bad")
		tg := &target{catalog: modelCache{list: []listed{{name: "a"}}, at: time.Now()}}
		for _, step := range []struct {
			after time.Duration
			err   error // of the newest asking
			known bool
			asks  bool
		}{
			{59 * time.Second, nil, true, false},
			{time.Second, nil, true, true},
			{9*time.Minute - time.Second, bad, true, true},
			{time.Second, nil, false, true},
		} {
			time.Sleep(step.after)
			tg.catalog.err, tg.catalog.tried = step.err, time.Now().Add(-modelsPause)
			list, asking, err := g.cachedModels(tg)
			if asked := tg.catalog.err == ErrStopping; (len(list) > 0) != step.known || asking != nil || asked != step.asks || (err != nil) == step.known { //nolint:errorlint // it is this one
				t.Errorf("after %v: known %v (%v), asked %v; want %v, %v", time.Since(tg.catalog.at), len(list) > 0, err, asked, step.known, step.asks)
			}
		}
		tg.catalog.err, tg.catalog.tried = bad, time.Now().Add(-modelsPause+1)
		if _, _, err := g.cachedModels(tg); !errors.Is(err, bad) {
			t.Errorf("just after a failure: %v, want that failure and no new asking", err)
		}
	})
}
