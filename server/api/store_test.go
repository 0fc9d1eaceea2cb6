package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail/server/api"
)

func storing(t *testing.T, h api.StoreHealth) *api.API {
	t.Helper()
	keys, err := api.NewKeys(key)
	if err != nil {
		t.Fatal(err)
	}
	a, err := api.New(api.Config{Orchestrator: busy(t), Keys: keys, Version: "1.2.3", Store: func() api.StoreHealth { return h }})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The state of the store is told, without where its file is, and makes no service unhealthy.
func TestHealthOfTheStore(t *testing.T) {
	const path = "/srv/secret place/trysail.db"
	for name, tc := range map[string]struct {
		health api.StoreHealth
		want   string
	}{
		"memory": {api.StoreHealth{MaxHeld: 9}, `{"state":"memory","file":null,"since":null,"reason":null,"retry_at":null,` +
			`"held_rows":0,"max_held_rows":9,"refused_writes":0,"lost_events":0,"set_aside":null}`},
		"disk": {api.StoreHealth{Path: path, Lost: 3, SetAside: path + ".corrupt-1"}, `{"state":"disk","file":"trysail.db","since":null,"reason":null,` +
			`"retry_at":null,"held_rows":0,"max_held_rows":0,"refused_writes":0,"lost_events":3,"set_aside":"trysail.db.corrupt-1"}`},
		"degraded": {
			api.StoreHealth{
				Path: path, Degraded: true, Reason: "open " + path + ": no space in /srv/secret place", Held: 5, MaxHeld: 9, Refused: 2,
				Since: time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC), Retry: time.Date(2026, 11, 25, 10, 0, 5, 0, time.UTC),
			},
			`{"state":"degraded","file":"trysail.db","since":"2026-11-25T10:00:00Z","reason":"open trysail.db: no space in the directory",` +
				`"retry_at":"2026-11-25T10:00:05Z","held_rows":5,"max_held_rows":9,"refused_writes":2,"lost_events":0,"set_aside":null}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got, plain struct {
					Status string
					Store  json.RawMessage
				}
				without := send(newAPI(t, busy(t)), get(base+"/health/detailed"))
				w := send(storing(t, tc.health), get(base+"/health/detailed"))
				if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
					t.Fatalf("status %d, %v", w.Code, err)
				}
				if string(got.Store) != tc.want {
					t.Errorf("store is\n%s\nwant\n%s", got.Store, tc.want)
				}
				if strings.Contains(w.Body.String(), "secret place") {
					t.Error("the answer shows the directory")
				}
				if err := json.Unmarshal(without.Body.Bytes(), &plain); err != nil || plain.Status != got.Status {
					t.Errorf("status is %q, want %q as without a store (%v)", got.Status, plain.Status, err)
				}
			})
		})
	}
}
