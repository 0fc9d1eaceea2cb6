package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/trysail-go/trysail/server/store"
)

// What was stored is there after a restart.
func ExampleStore() {
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx := context.Background()

	s, err := store.Open(ctx, store.Config{Dir: dir})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = s.Audit(ctx, store.Entry{
		Who: "ann", What: "breaker.force_open", Target: "openai", Before: json.RawMessage(`"closed"`), After: json.RawMessage(`"forced-open"`),
	})
	fmt.Println("stored:", err == nil, "degraded:", s.Health().Degraded, "closed:", s.Close(ctx) == nil)

	s, err = store.Open(ctx, store.Config{Dir: dir})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = s.Close(ctx) }()
	entries, err := s.AuditLog(ctx, store.AuditQuery{Target: "openai", Limit: 10})
	for _, e := range entries {
		fmt.Printf("%s did %s to %s: %s, then %s\n", e.Who, e.What, e.Target, e.Before, e.After)
	}
	fmt.Println(err)
	// Output:
	// stored: true degraded: false closed: true
	// ann did breaker.force_open to openai: "closed", then "forced-open"
	// <nil>
}
