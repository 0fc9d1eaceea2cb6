package config_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

// Whatever the document: no panic, whole or nothing, every fault with words, and what is valid on top of a preset
// is taken by the library.
func FuzzValidate(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `[]`, `{"retry_attempts": 3.0}`, `{"retry_attempts": "3"}`, `{"retry_attempts": 3,}`, `{"exponential_min": 9}`,
		`{"exponential_min": 5, "exponential_max": 5.00000000000000000000001}`, `{"jitter_max": 1e-1, "jitter_enabled": false}`,
		`{"operation_overrides": {"qa": "critical", "batch_processing": "balanced"}}`, `{"default_strategy": "\u0062alanced"}`,
		`{"max_delay_seconds": 600, "timeout_seconds": 1, "recovery_timeout": 10, "circuit_breaker_threshold": 20}`,
		`{"a": [[[[[[[[[[[[1]]]]]]]]]]]]}`, `{"a": "\ud800"}`, "{\"a\": \"\xff\"}", `{"a": 1e999999999999999999999}`,
	} {
		f.Add([]byte(seed), uint8(0))
	}
	f.Fuzz(func(t *testing.T, document []byte, options uint8) {
		preset := config.Presets()[options>>2%3]
		opts := config.ValidateOptions{Base: &preset, Strict: options&1 > 0, AllowEmpty: options&2 > 0, Operations: []string{"batch_processing"}}
		custom, report := config.Validate(document, opts)
		checkReport(t, document, report)
		if !report.Valid() {
			if got := text(t, custom); got != "{}" {
				t.Errorf("of the refused %q there is %s", document, got)
			}
			return
		}
		if !json.Valid(document) || !utf8.Valid(document) {
			t.Errorf("%q is found valid, but it is no JSON", document)
		}
		if _, err := trysail.New(preset.With(custom)); err != nil {
			t.Errorf("%q is found valid on top of %s, but trysail.New says: %v", document, preset.Key, err)
		}
		if again := custom.Check(config.ValidateOptions{Base: &preset, AllowEmpty: true, Operations: opts.Operations}); !again.Valid() {
			t.Errorf("%q is found valid, what it holds is not: %v", document, again.Err())
		}
	})
}

func checkReport(t *testing.T, document []byte, report config.Report) {
	t.Helper()
	if report.Size != len(document) {
		t.Errorf("size of %q = %d, want %d", document, report.Size, len(document))
	}
	syntax := false
	for _, f := range append(report.Errors, report.Warnings...) {
		syntax = syntax || f.Rule == config.RuleSyntax
		if f.Message == "" || f.Rule == "" || !utf8.ValidString(f.Message) || strings.ContainsAny(f.Message+f.Path, "\n\x00\x1b") {
			t.Errorf("a finding of %q without words, or with what cannot be shown: %+v", document, f)
		}
	}
	if syntax && json.Valid(document) && utf8.Valid(document) {
		t.Errorf("%q is JSON, but: %v", document, report.Err())
	}
	if lines := strings.Count(string(document), "\n") + 1; len(report.Errors) > 0 && report.Errors[0].Line > lines {
		t.Errorf("%q has %d lines, but: %v", document, lines, report.Err())
	}
}

// The security pass refuses no less than the whole check in its own words.
func FuzzSecurity(f *testing.F) {
	f.Add([]byte(`{"default_strategy": "<script>"}`))
	f.Add([]byte(`{"retry_attempts": 3, "retry_attempts": 4}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		report := config.Security(document)
		checkReport(t, document, report)
		if _, whole := config.Validate(document, config.ValidateOptions{Strict: true}); whole.Valid() && !report.Valid() {
			t.Errorf("Validate takes %q, Security does not: %v", document, report.Err())
		}
		uses, again := config.Uses(document)
		if again.Valid() != report.Valid() || len(uses) != report.Fields {
			t.Errorf("Uses of %q = %d fields, valid %t; want %d, %t", document, len(uses), again.Valid(), report.Fields, report.Valid())
		}
	})
}
