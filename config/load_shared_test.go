package config_test

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

// A configuration shares the operations of its document, which nothing that is done to either changes.
func TestDocumentStaysAsItWas(t *testing.T) {
	budget := sharing(t, 0.25)
	for name, operation := range map[string]string{"a name of its own": "translate", "one of two names": "qa"} {
		t.Run(name, func(t *testing.T) {
			own := trysail.Policy{Attempt: 20 * time.Second, Retry: trysail.RetryPolicy{Budget: budget}}
			file := &config.Document{Name: "t.yaml", Operations: map[string]trysail.OperationConfig{
				operation: {Strategy: trysail.Critical, Policy: own}, "other": {Strategy: trysail.Aggressive},
			}}
			want := maps.Clone(file.Operations)
			p := newPlant(t, 0, config.Sources{File: file, Lookup: env(`RESILIENCE_CUSTOM_CONFIG={"operation_overrides": {"` + operation + `": "balanced"}}`)})
			if got := p.orc.Operation(operation); got.Strategy() != trysail.Balanced || got.Policy().Attempt != own.Attempt {
				t.Errorf("%s follows %s with %v, want balanced, which the variable says, with 20s", operation, got.Strategy(), got.Policy().Attempt)
			}
			p.set()
			p.reload(t, config.Request{})
			if got := p.orc.Operation(operation).Strategy(); got != trysail.Critical {
				t.Errorf("%s follows %s without the variable, want critical", operation, got)
			}
			// Earlier versions adopt the budgets that are in use.
			another := trysail.RetryPolicy{Budget: sharing(t, 0.25)}
			start, _ := load(t, config.Sources{File: &config.Document{Name: "t.yaml", Operations: map[string]trysail.OperationConfig{operation: {Policy: trysail.Policy{Retry: another}}}}})
			earlier := p.Versions()
			if _, err := config.NewReloader(config.ReloaderConfig{Orchestrator: p.orc, Start: start, Earlier: earlier, Read: nothingToRead}); err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(file.Operations, want) {
				t.Errorf("the document says %+v, want %+v", file.Operations, want)
			}
		})
	}
}

// A version that an earlier program has kept has no strategies at its operations. It is the same configuration.
func TestVersionOfAnEarlierProgramIsTheSame(t *testing.T) {
	sources := config.Sources{File: &config.Document{Name: "t.yaml", Operations: map[string]trysail.OperationConfig{
		"translate": {Strategy: trysail.Critical, Policy: retries(4)},
	}}}
	p := newPlant(t, 0, sources)
	current := p.Current()
	text, err := current.Encode()
	if err != nil {
		t.Fatal(err)
	}
	before := bytes.Replace(text, []byte(`"operations":{"translate":{"strategy":"critical",`), []byte(`"operations":{"translate":{`), 1)
	if bytes.Equal(before, text) {
		t.Fatalf("the kept version has no strategy at its operation:\n%s", text)
	}
	kept, err := config.DecodeVersion(before)
	if err != nil {
		t.Fatal(err)
	}
	start, _ := load(t, sources)
	again, err := config.NewReloader(config.ReloaderConfig{Orchestrator: p.orc, Start: start, Earlier: []config.Version{kept}, Read: nothingToRead})
	if err != nil {
		t.Fatal(err)
	}
	if got := again.Versions(); len(got) != 1 || got[0].Number != 1 {
		t.Errorf("there are %d versions after a restart with the same file, want the one of before", len(got))
	}
	if got, want := kept.Loaded.Effective(), start.Effective(); !slices.Equal(got, want) {
		t.Errorf("the kept version has the values\n%v\nwant\n%v", got, want)
	}
}

// nothingToRead is for a Reloader that does not reload.
func nothingToRead(context.Context) (config.Sources, error) { return config.Sources{}, nil }

func retries(attempts int) trysail.Policy {
	return trysail.Policy{Retry: trysail.RetryPolicy{Attempts: attempts}}
}
