package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/server/api"
)

func TestReadOnlyKeys(t *testing.T) {
	admin, err := api.NewKeys("admin-1", "admin-2")
	if err != nil {
		t.Fatal(err)
	}
	both, err := admin.WithReadOnly(" reader-1 ", "", "reader-2")
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]api.Access{
		"admin-1": api.Granted, "admin-2": api.Granted, "reader-1": api.ReadOnly, "reader-2": api.ReadOnly,
		"reader": api.Wrong, "reader-1,reader-2": api.Wrong, "": api.Missing,
	} {
		checkKey(t, both, key, want)
		if got, want := both.Holds(key), want == api.Granted || want == api.ReadOnly; got != want {
			t.Errorf("Holds(%q) = %v, want %v", key, got, want)
		}
	}
	checkKey(t, admin, "reader-1", api.Wrong)
	if both.Empty() || !both.HasAdmin() {
		t.Errorf("Empty() = %v and HasAdmin() = %v, want false and true", both.Empty(), both.HasAdmin())
	}
	readers, err := api.Keys{}.WithReadOnly("reader")
	if err != nil || readers.Empty() || readers.HasAdmin() {
		t.Errorf("a set of one reader: %v, Empty() = %v and HasAdmin() = %v, want no error, false and false", err, readers.Empty(), readers.HasAdmin())
	}
	for name, bad := range map[string]string{"two roles": "admin-2", "a space inside": "top secret"} {
		if _, err := admin.WithReadOnly("reader", bad); err == nil || strings.Contains(err.Error(), bad) {
			t.Errorf("%s: WithReadOnly fails with %v, want an error without the key", name, err)
		}
	}
}

func ExampleKeys_WithReadOnly() {
	keys, err := api.NewKeys("sesame")
	if err != nil {
		fmt.Println(err)
		return
	}
	if keys, err = keys.WithReadOnly("looking-glass"); err != nil {
		fmt.Println(err)
		return
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("X-API-Key", "looking-glass")
	fmt.Println(keys.Check(r))
	// Output: read-only
}
