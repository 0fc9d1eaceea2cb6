package gateway

import (
	"math"
	"net/http"
	"strings"

	"github.com/trysail-go/trysail/llm"
)

// A bill is what sends have used, and what that costs.
type bill struct {
	input, cached, output int64
	dollars               float64
	priced                bool // the price of a target that was used is known
	estimated             bool // the provider did not tell all of it
}

func (b *bill) add(other bill) {
	b.input += other.input
	b.cached += other.cached
	b.output += other.output
	b.dollars += other.dollars
	b.priced = b.priced || other.priced
	b.estimated = b.estimated || other.estimated
}

func (b bill) empty() bool { return b.input == 0 && b.output == 0 }

// total returns what all sends have used.
func (e *exchange) total() (sum bill) {
	for _, l := range e.legs {
		sum.add(l.bill)
	}
	return sum
}

// bill returns what the newest send has used. What a provider tells is taken as it is. A stream that did not tell, because it broke or because
// nobody asked it to, is estimated by the prompt and by its events. So is a good answer that cannot be read, by its bytes. A send that
// failed without an answer has used nothing that could be known.
func (e *exchange) bill(t *target, failed bool) bill {
	if !e.billable() {
		return bill{}
	}
	told, events := e.usage.told, int64(e.usage.events)
	b := bill{input: told.Input, cached: min(told.Cached, told.Input), output: max(told.Output, events), estimated: events > 0}
	unread := b.empty() && (!failed || e.committed)
	if unread {
		b.estimated = true
		if e.committed && e.dialect != llm.OtherEvents {
			b.output = e.sent / 4 // a token has about four bytes
		}
	}
	if b.input == 0 && (b.output > 0 || unread) {
		e.estimate()
		b.input = int64(e.usage.prompt)
	}
	if b.empty() {
		return bill{}
	}
	b.dollars, b.priced = t.Price.of(b)
	return b
}

// of returns what tokens cost in dollars. Without a price of their own, tokens from a cache cost what others do.
func (p Price) of(b bill) (dollars float64, known bool) {
	cached := p.CachedInput
	if cached == 0 {
		cached = p.Input
	}
	sum := float64(b.input-b.cached)*p.Input + float64(b.cached)*cached + float64(b.output)*p.Output
	return sum / 1e6, p != Price{}
}

// billable reports whether a model works for the request. Counting tokens costs nothing.
func (e *exchange) billable() bool {
	path := e.client.URL.Path
	return e.client.Method == http.MethodPost && e.model != "" && !strings.HasSuffix(path, "/count_tokens") && !strings.HasSuffix(path, ":countTokens")
}

// usageIn returns the usage that a plain answer tells.
func (e *exchange) usageIn(body []byte) llm.Usage {
	if !e.billable() {
		return llm.Usage{}
	}
	dialect := e.dialect
	if dialect == llm.OtherEvents && e.protocol == OpenAIProtocol {
		dialect = llm.OpenAIChat // embeddings and others tell it in the same form
	}
	return llm.UsageOf(dialect, body)
}

// nanodollars rounds an amount for people: a sum of binary fractions is not what they expect to see.
func nanodollars(amount float64) float64 { return math.Round(amount*1e9) / 1e9 }
