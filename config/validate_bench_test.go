package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/config"
)

// largest returns two legal documents of the largest size: one that is filled up with white space, and one whose
// operations have the longest names.
func largest() map[string]struct {
	document   string
	operations []string
} {
	const most = 4096
	fields := `"retry_attempts": 10, "circuit_breaker_threshold": 20, "recovery_timeout": 300, "default_strategy": "conservative", ` +
		`"exponential_multiplier": 1.25, "exponential_min": 2.5, "exponential_max": 120.0, "jitter_enabled": true, "jitter_max": 10.0, ` +
		`"max_delay_seconds": 600, "timeout_seconds": 600, "operation_overrides": {%s}`
	document := func(operations []string) string {
		var members []string
		for _, op := range operations {
			members = append(members, fmt.Sprintf(`"%s": "conservative"`, op))
		}
		text := "{" + fmt.Sprintf(fields, strings.Join(members, ", ")) + "}"
		return text + strings.Repeat(" ", most-len(text))
	}
	var short, long []string
	for name, alias := range config.Aliases() {
		short = append(short, name, alias)
	}
	for i := range 10 {
		long = append(long, strings.Repeat(fmt.Sprintf("batch_%d.part:", i), 15))
	}
	return map[string]struct {
		document   string
		operations []string
	}{
		"white space": {document(short), nil},
		"long names":  {document(long), long},
	}
}

func BenchmarkValidate(b *testing.B) {
	preset := config.Presets()[0]
	for name, tc := range largest() {
		b.Run(name, func(b *testing.B) {
			document := []byte(tc.document)
			b.SetBytes(int64(len(document)))
			b.ReportAllocs()
			for b.Loop() {
				if _, report := config.Validate(document, config.ValidateOptions{Base: &preset, Operations: tc.operations}); !report.Valid() {
					b.Fatal(report.Err())
				}
			}
		})
	}
}

func BenchmarkValidateTypical(b *testing.B) {
	document := []byte(`{"retry_attempts": 4, "circuit_breaker_threshold": 8, "recovery_timeout": 90, "default_strategy": "balanced"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, report := config.Validate(document, config.ValidateOptions{}); !report.Valid() {
			b.Fatal(report.Err())
		}
	}
}
