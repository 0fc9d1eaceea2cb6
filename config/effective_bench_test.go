package config_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

// BenchmarkEffective lists the values of a configuration with a thousand operations, which is done for each entry of the audit log that is
// about a reload.
func BenchmarkEffective(b *testing.B) {
	d := &config.Document{
		Name: "trysail.yaml", Operations: map[string]trysail.OperationConfig{},
		Line: func(path string) int { return len(path) },
	}
	for i := range 1000 {
		d.Operations[fmt.Sprintf("operation-%d", i)] = trysail.OperationConfig{
			Strategy: trysail.Strategies()[i%4],
			Policy:   trysail.Policy{Attempt: time.Duration(i+1) * time.Second, Retry: trysail.RetryPolicy{Attempts: 3}},
		}
	}
	loaded, err := config.Sources{File: d}.Load()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if values := loaded.Effective(); len(values) < 3000 {
			b.Fatalf("%d values, want three of each operation", len(values))
		}
	}
}
