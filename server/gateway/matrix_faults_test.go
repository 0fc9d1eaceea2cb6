package gateway_test

import (
	"testing"

	"github.com/trysail-go/trysail/server/gateway"
)

// Every fault that can befall any provider, in all five ways to speak with one: what each target is sent, and what the client sees.
func TestFaultMatrix(t *testing.T) {
	same := func(status int) [2]int { return [2]int{status, status} }
	for name, f := range map[string]struct {
		matrixFault
		but map[gateway.Protocol][2]int // other statuses
		not gateway.Protocol            // a protocol that does not know it
	}{
		"well":                            {matrixFault: matrixFault{script: "ok", plain: fine(), stream: fine()}},
		"an internal error":               {matrixFault: matrixFault{script: "500", plain: again(), stream: again(), status: same(500)}},
		"a bad gateway":                   {matrixFault: matrixFault{script: "502", plain: again(), stream: again(), status: same(502)}, not: gateway.OpenAIProtocol},
		"not available":                   {matrixFault: matrixFault{script: "503", plain: busy(), stream: busy(), status: same(503)}},
		"a gateway's time-out":            {matrixFault: matrixFault{script: "504", plain: once(), stream: once(), status: same(504)}},
		"a request time-out":              {matrixFault: matrixFault{script: "408", plain: again(), stream: again(), status: same(408)}},
		"a conflict":                      {matrixFault: matrixFault{script: "409", plain: again(), stream: again(), status: same(409)}},
		"no such request":                 {matrixFault: matrixFault{script: "400", plain: stay(), stream: stay(), status: same(400)}},
		"a request that cannot be":        {matrixFault: matrixFault{script: "422", plain: stay(), stream: stay(), status: same(422)}},
		"no right":                        {matrixFault: matrixFault{script: "403", plain: leave(), stream: leave(), status: same(403)}},
		"a reset before any byte":         {matrixFault: matrixFault{script: "reset", plain: once(), stream: once(), status: same(502)}},
		"silence":                         {matrixFault: matrixFault{script: "hang", plain: slow(), stream: slow(), status: same(504)}},
		"a slow first token":              {matrixFault: matrixFault{script: "first-token:30s", plain: slow(), stream: slow(), status: same(504)}},
		"keep-alives and no token":        {matrixFault: matrixFault{script: "keep-alive:30s", plain: slow(), stream: slow(), status: same(504)}},
		"a stall before the first token":  {matrixFault: matrixFault{script: "stall:0", plain: slow(), stream: slow(), status: same(504)}},
		"a stall after tokens":            {matrixFault: matrixFault{script: "stall:9", plain: slow(), stream: broken(), status: same(504)}},
		"less than promised":              {matrixFault: matrixFault{script: "short", plain: once(), stream: broken(), status: same(502)}},
		"a web page":                      {matrixFault: matrixFault{script: "html", plain: once(), stream: once(), status: same(502)}},
		"garbage":                         {matrixFault: matrixFault{script: "garbage", plain: once(), stream: once(), status: same(502)}},
		"empty deltas":                    {matrixFault: matrixFault{script: "empty:3", plain: fine(), stream: fine()}},
		"a cut before the first token":    {matrixFault: matrixFault{script: "cut:0", plain: once(), stream: once(), status: same(502)}},
		"a cut after tokens":              {matrixFault: matrixFault{script: "cut:9", plain: once(), stream: broken(), status: same(502)}},
		"an end before the first token":   {matrixFault: matrixFault{script: "end:0", plain: once(), stream: once(), status: same(502)}},
		"an end after tokens":             {matrixFault: matrixFault{script: "end:9", plain: once(), stream: broken(), status: same(502)}},
		"an error before the first token": {matrixFault: matrixFault{script: "error:0", plain: again(), stream: again(), status: [2]int{500, 502}}},
		"an error after tokens":           {matrixFault: matrixFault{script: "error:9", plain: again(), stream: broken(), status: same(500)}},
		"a rate limit":                    {matrixFault: matrixFault{script: "rate-limit", plain: capped(), stream: capped(), status: same(429)}},
		"a rate limit for long":           {matrixFault: matrixFault{script: "429:300", plain: leave(), stream: leave(), status: same(429)}},
		"a rate limit inside":             {matrixFault: matrixFault{script: "error:0:rate-limit", plain: capped(), stream: capped(), status: same(429)}},
		"a quota":                         {matrixFault: matrixFault{script: "quota", plain: leave(), stream: leave(), status: same(429)}},
		"no money":                        {matrixFault: matrixFault{script: "billing", plain: leave(), stream: leave(), status: same(402)}, but: map[gateway.Protocol][2]int{gateway.OpenAIProtocol: same(429)}},
		"no money, told inside":           {matrixFault: matrixFault{script: "error:0:billing", plain: leave(), stream: leave(), status: [2]int{402, 429}}, but: map[gateway.Protocol][2]int{gateway.OpenAIProtocol: same(429)}},
		"an overload":                     {matrixFault: matrixFault{script: "overloaded", plain: busy(), stream: busy(), status: same(503)}, but: map[gateway.Protocol][2]int{gateway.AnthropicProtocol: same(529)}},
		"an overload, told inside":        {matrixFault: matrixFault{script: "error:0:overloaded", plain: busy(), stream: busy(), status: same(503)}, but: map[gateway.Protocol][2]int{gateway.AnthropicProtocol: {529, 503}}},
		"an overload after tokens":        {matrixFault: matrixFault{script: "error:9:overloaded", plain: busy(), stream: broken(), status: same(503)}, but: map[gateway.Protocol][2]int{gateway.AnthropicProtocol: same(529)}},
		"a prompt that is too long":       {matrixFault: matrixFault{script: "context-length", plain: stay(), stream: stay(), status: same(400)}},
		"a prompt that is refused":        {matrixFault: matrixFault{script: "content-policy", plain: stay(), stream: stay(), status: same(400)}, not: gateway.GeminiProtocol},
		"a key that is refused":           {matrixFault: matrixFault{script: "auth", plain: leave(), stream: leave(), status: same(401)}, but: map[gateway.Protocol][2]int{gateway.GeminiProtocol: same(400)}},
		"a key that is refused, inside":   {matrixFault: matrixFault{script: "error:0:auth", plain: leave(), stream: leave(), status: same(401)}, but: map[gateway.Protocol][2]int{gateway.GeminiProtocol: same(400)}},
		"a model that is not there":       {matrixFault: matrixFault{script: "model-not-found", plain: leave(), stream: leave(), status: same(404)}},
	} {
		for protocol, m := range manners() {
			if m.protocol == f.not {
				continue
			}
			row := f.matrixFault
			if other, ok := f.but[m.protocol]; ok {
				row.status = other
			}
			t.Run(name+", "+protocol, func(t *testing.T) {
				t.Parallel()
				row.run(t, m)
			})
		}
	}
}
