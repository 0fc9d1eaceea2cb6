package api

import (
	"context"
	"encoding/json"
	"time"

	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/monitor"
)

// A whitelistInput holds a configuration.
type whitelistInput struct {
	Body rawBody[oneConfiguration]
}

func (a *API) whitelist(ctx context.Context, in *whitelistInput) (*whitelistView, error) {
	document, err := configuration(&in.Body)
	if err != nil {
		return nil, err
	}
	uses, report := config.Uses(document)
	a.recordValidation(ctx, monitor.Subject{Operation: "validate_field_whitelist"}, report)
	out := whitelistView{
		Valid:       report.Valid(),
		Errors:      messagesOf(report.Errors),
		Warnings:    messagesOf(report.Warnings),
		Suggestions: listOf(report.Suggestions),
		Analysis:    make(map[string]fieldView, len(uses)),
		Allowed:     allowedFields(),
		ValidatedAt: instant(time.Now()),
	}
	for _, use := range uses {
		out.Analysis[use.Name] = viewOfUse(use)
	}
	return &out, nil
}

func viewOfUse(use config.FieldUse) fieldView {
	view := fieldView{Allowed: use.Allowed, CurrentType: use.Type, CurrentValue: json.RawMessage("null")}
	if !use.Allowed {
		return view
	}
	f := use.Field
	view.Type, view.CurrentValue = typeName(f.Kind), json.RawMessage(use.Value)
	view.Constraints = &constraintsView{Enum: f.Enum}
	switch f.Kind {
	case config.KindInteger, config.KindNumber:
		view.Constraints.Min, view.Constraints.Max = &f.Min, &f.Max
	case config.KindObject:
		view.Constraints.MaxProperties = &f.MaxProperties
	case config.KindBoolean, config.KindString:
	}
	return view
}

// typeName is a kind in the words of the specification's program.
func typeName(k config.Kind) string {
	switch k {
	case config.KindInteger:
		return "int"
	case config.KindNumber:
		return "float"
	case config.KindBoolean:
		return "bool"
	default:
		return string(k)
	}
}

func allowedFields() []string {
	names := []string{}
	for _, f := range config.Fields() {
		names = append(names, f.Name)
	}
	return names
}

func (a *API) securityConfig(context.Context, *nothing) (*securityConfigView, error) {
	limits, q := config.DocumentLimits(), a.checks.quota()
	return &securityConfigView{
		Limits: securityLimitsView{
			Size: limits.Size, Text: limits.Text, Items: limits.Items, Properties: limits.Properties, Depth: limits.Depth,
		},
		Rates: ratesView{PerMinute: q.perMinute, PerHour: q.perHour, Cooldown: q.pause.Seconds()},
		Content: contentView{
			Codepoint: int(limits.Codepoint), Categories: limits.Categories, Repeated: limits.Repeated,
		},
		Allowed:  allowedFields(),
		Patterns: len(limits.Patterns),
		Features: []string{
			"Size limits", "Field whitelisting", "Content filtering", "Rate limiting",
			"Unicode validation", "Nesting depth limits", "Pattern detection",
		},
	}, nil
}

// A rateInput names a client.
type rateInput struct {
	ClientIP clientName `query:"client_ip" default:"unknown" doc:"Whose quota to show: an address, or a name that was given as client_ip. Default: that of the address that the request comes from." example:"203.0.113.7"`
}

func (a *API) rateLimitStatus(ctx context.Context, in *rateInput) (*rateView, error) {
	q, network, name := a.checks.quota(), callerOf(ctx).network, behalfOf(string(in.ClientIP))
	identifier, seen := nameOf(network), usage{}
	if name == "" {
		seen = a.checks.look(network)
	} else {
		identifier, seen = name, a.checks.lookFor(name)
	}
	return &rateView{
		Client: identifier,
		Status: rateStatusView{
			LastMinute: seen.minute, LastHour: seen.hour, MaxMinute: q.perMinute, MaxHour: q.perHour,
			Cooldown: tenths(seen.pause), RemainingMinute: q.perMinute - seen.minute, RemainingHour: q.perHour - seen.hour,
		},
		Limits:    rateLimitsView{PerMinute: q.perMinute, PerHour: q.perHour, Cooldown: q.pause.Seconds()},
		CheckedAt: instant(time.Now()),
	}, nil
}
