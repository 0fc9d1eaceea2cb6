package config

import (
	"slices"

	"github.com/trysail-go/trysail"
)

// A StrategyInfo is what people want to know about a strategy, in the words of the specification.
type StrategyInfo struct {
	Strategy        trysail.Strategy
	Description     string
	UseCase         string
	Characteristics []string
	Policy          trysail.Policy // its numbers, for operations of which it is not the default strategy
}

// Strategies returns all strategies, from the quickest to give up to the most patient. The caller owns them.
func Strategies() []StrategyInfo {
	return []StrategyInfo{
		{
			Strategy:        trysail.Aggressive,
			Description:     "Fast failures, minimal delays, quick recovery",
			UseCase:         "Development, testing, fast feedback loops",
			Characteristics: []string{"Low latency", "Quick failure detection", "Minimal retry delays"},
			Policy:          trysail.Aggressive.Policy(),
		},
		{
			Strategy:        trysail.Balanced,
			Description:     "Moderate approach balancing speed and reliability",
			UseCase:         "General production use, default choice",
			Characteristics: []string{"Balanced performance", "Good for most scenarios", "Reasonable fault tolerance"},
			Policy:          trysail.Balanced.Policy(),
		},
		{
			Strategy:        trysail.Conservative,
			Description:     "Higher reliability with longer delays and more retries",
			UseCase:         "Critical operations, high reliability requirements",
			Characteristics: []string{"Maximum fault tolerance", "Higher latency tolerance", "Comprehensive retry coverage"},
			Policy:          trysail.Conservative.Policy(),
		},
		{
			Strategy:        trysail.Critical,
			Description:     "Maximum resilience for mission-critical operations",
			UseCase:         "Business-critical operations, maximum uptime required",
			Characteristics: []string{"Highest reliability", "Extensive retry attempts", "Long recovery timeouts"},
			Policy:          trysail.Critical.Policy(),
		},
	}
}

// StrategyByName returns the strategy of that name, which is in lower case.
func StrategyByName(name string) (StrategyInfo, error) {
	strategy, err := trysail.ParseStrategy(name)
	if err != nil {
		return StrategyInfo{}, err
	}
	all := Strategies()
	return all[slices.IndexFunc(all, func(s StrategyInfo) bool { return s.Strategy == strategy })], nil
}
