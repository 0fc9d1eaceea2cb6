package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/trysail-go/trysail/server/configfile"
	"github.com/trysail-go/trysail/server/gateway"
)

const gatewayOperationsPath = "gateway.operations"

// operationLimitsSection is an operation under gateway.operations of the file: what its requests may use together.
type operationLimitsSection struct {
	// TokensPerMinute is how many tokens, input and output together: 1 to 1e10. 0: any number.
	TokensPerMinute float64

	// DollarsPerDay is how much may be spent in a day of UTC: up to 10 million. All targets need a price. 0: any amount.
	DollarsPerDay float64
}

// operationLimits compiles the limits of operations.
func (p *planner) operationLimits() {
	const mostTokens, mostDollars = 1e10, 1e7
	sections := p.reading.file.gateway.Operations
	for _, name := range slices.Sorted(maps.Keys(sections)) {
		s, path := sections[name], configfile.Path(gatewayOperationsPath, name)
		if !plainWord(name, 64, "._:/-") || strings.HasPrefix(name, "target/") {
			p.fault(path, "found the name %s, want 1 to 64 of the characters A-Z a-z 0-9 . _ : / -, and not one that begins with target/", quotedShort(name))
		}
		if n := s.TokensPerMinute; n != 0 && !(n >= 1 && n <= mostTokens) {
			p.fault(path+".tokens_per_minute", "found %v, want 1 to %v, or 0, which is any number", n, mostTokens)
		}
		if n := s.DollarsPerDay; !(n >= 0 && n <= mostDollars) {
			p.fault(path+".dollars_per_day", "found %v, want 0, which is any amount, to %v", n, mostDollars)
		}
		p.checkPrices(path+".dollars_per_day", s.DollarsPerDay)
		if p.plan.Operations == nil {
			p.plan.Operations = map[string]gateway.OperationLimits{}
		}
		p.plan.Operations[name] = gateway.OperationLimits{Tokens: s.TokensPerMinute, Dollars: s.DollarsPerDay}
	}
}

// checkPrices finds targets without a price where dollars are counted.
func (p *planner) checkPrices(path string, dollars float64) {
	for _, t := range p.plan.Targets {
		if dollars > 0 && (t.Price.Input == 0 || t.Price.Output == 0) {
			p.fault(path, "found it, but the target %s has no price by which to count, want input and output of price there", t.Name)
		}
	}
}

// operations lists the limits of operations.
func (l *lister) operations(limits map[string]gateway.OperationLimits) {
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		path := configfile.Path(gatewayOperationsPath, name)
		l.add(path+".tokens_per_minute", path+".tokens_per_minute", limits[name].Tokens, limits[name].Tokens != 0)
		l.add(path+".dollars_per_day", path+".dollars_per_day", limits[name].Dollars, limits[name].Dollars != 0)
	}
}
