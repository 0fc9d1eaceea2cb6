package gateway

import "github.com/trysail-go/trysail/llm"

// assumedOutput is how many tokens an answer may have whose request does not bound them, as far as money is reserved for it.
const assumedOutput = 4096

// mayCost returns what the request may cost at the dearest of its targets.
func (e *exchange) mayCost() (dollars float64) {
	for _, p := range e.route.places {
		dollars = max(dollars, e.mayCostAt(p.target))
	}
	return dollars
}

// mayCostAt returns what one send of the request may cost at a target.
func (e *exchange) mayCostAt(t *target) float64 {
	e.estimate()
	b := bill{input: int64(e.usage.prompt), output: int64(e.usage.output)}
	if b.output == 0 && e.dialect != llm.OtherEvents {
		b.output = assumedOutput * int64(max(e.choices, 1))
	}
	dollars, _ := t.Price.of(b)
	return dollars
}
