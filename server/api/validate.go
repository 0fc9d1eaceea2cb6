package api

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/monitor"
)

// A validateInput holds a configuration, or a batch of them.
type validateInput struct {
	Body rawBody[someConfigurations]
}

func (a *API) validate(ctx context.Context, in *validateInput) (*validatedView, error) {
	return a.each(&in.Body, func(document []byte) validationView {
		return a.check(ctx, document, config.ValidateOptions{})
	})
}

// A secureInput is a validateInput with the name of whom it is asked for.
type secureInput struct {
	ClientIP clientName `query:"client_ip" default:"unknown" doc:"For whom you ask, such as the address of your own client. It gets a quota of its own, beside that of the address that the request comes from, which always counts." example:"203.0.113.7"`
	Body     rawBody[someConfigurations]
}

func (a *API) validateSecure(ctx context.Context, in *secureInput) (*validatedView, error) {
	return a.each(&in.Body, func(document []byte) validationView {
		return a.check(ctx, document, config.ValidateOptions{Strict: true})
	})
}

// each checks every configuration of a body.
func (a *API) each(body *rawBody[someConfigurations], check func([]byte) validationView) (*validatedView, error) {
	documents, batch, err := configurations(body)
	if err != nil {
		return nil, err
	}
	if !batch {
		one := check(documents[0])
		return &validatedView{one: &one}, nil
	}
	out := batchView{Results: []validationView{}, Summary: batchSummaryView{Total: len(documents)}}
	for _, document := range documents {
		result := check(document)
		out.Results = append(out.Results, result)
		if result.Valid {
			out.Summary.Valid++
		}
	}
	out.Summary.Invalid = out.Summary.Total - out.Summary.Valid
	return &validatedView{batch: &out}, nil
}

// A textInput holds a configuration as a text.
type textInput struct {
	Query string `query:"json_config" minLength:"1" doc:"The configuration as a text, in place of the body. Prefer the body: addresses end up in logs." example:"{\"retry_attempts\": 3}"`
	Body  *rawBody[configurationText]
}

func (a *API) validateText(ctx context.Context, in *textInput) (*validationView, error) {
	text, err := in.Query, error(nil)
	switch {
	case in.Body == nil && text == "":
		return nil, unusable("body.json_config", "wanted it, a text with a JSON object, in the body or in the query")
	case in.Body != nil && text != "":
		return nil, unusable("query.json_config", "wanted it in the body or in the query, not in both")
	case in.Body != nil:
		if text, err = textOf(in.Body); err != nil {
			return nil, err
		}
	}
	view := a.check(ctx, []byte(text), config.ValidateOptions{})
	return &view, nil
}

// check validates one configuration, and has the monitor remember it.
func (a *API) check(ctx context.Context, document []byte, opts config.ValidateOptions) validationView {
	opts.Operations = a.knownOperations()
	_, report := config.Validate(document, opts)
	operation := "validate"
	if opts.Strict {
		operation = "validate_secure"
	}
	a.recordValidation(ctx, monitor.Subject{Operation: operation}, report)
	view := viewOfReport(report)
	if opts.Strict {
		view.Security.value = &securityView{
			Size: report.Size, MaxSize: config.DocumentLimits().Size, Fields: report.Fields, ValidatedAt: instant(time.Now()),
		}
	}
	return view
}

// recordValidation has the monitor remember a validation of what, which the request's session and user are added to. Of faults it learns
// the kind and the field: their texts repeat what was sent, which may be a secret.
func (a *API) recordValidation(ctx context.Context, what monitor.Subject, report config.Report) {
	var faults []string
	for _, f := range report.Errors {
		fault := string(f.Rule)
		for _, field := range config.Fields() {
			if rest, ok := strings.CutPrefix(f.Path, field.Name); ok && (rest == "" || rest[0] == '.') {
				fault += ": " + field.Name
			}
		}
		faults = append(faults, fault)
	}
	subject := subjectOf(ctx)
	subject.Preset, subject.Operation = what.Preset, what.Operation
	a.monitor.RecordValidation(subject, report.Valid(), faults...)
}

// knownOperations returns the operations that there are, and those that the configuration plans.
func (a *API) knownOperations() []string {
	return append(a.operationNames(), slices.Collect(maps.Keys(a.orc.Configuration().Strategies))...)
}
