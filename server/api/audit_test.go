package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/server/api"
)

// An auditAnswer is an answer of the audit log.
type auditAnswer struct {
	Entries    []auditEntry `json:"entries"`
	Count      int          `json:"count"`
	NextBefore *int64       `json:"next_before"`
	Unwritten  int          `json:"unwritten"`
}

type auditEntry struct {
	ID        int64          `json:"id"`
	Time      time.Time      `json:"timestamp"`
	Who       string         `json:"who"`
	What      string         `json:"what"`
	Target    string         `json:"target"`
	Before    map[string]any `json:"before"`
	After     map[string]any `json:"after"`
	RequestID string         `json:"request_id"`
	Address   string         `json:"address"`
	User      string         `json:"claimed_user"`
}

func auditLog(t *testing.T, a *api.API, query string) auditAnswer {
	t.Helper()
	w := send(a, get(base+"/audit-log"+query))
	if w.Code != http.StatusOK {
		t.Fatalf("GET /audit-log%s: status %d\n%s", query, w.Code, w.Body)
	}
	return decode[auditAnswer](t, w)
}

// TestEveryRouteLeavesItsEntry walks the route table: what changes something leaves one entry, everything else none.
func TestEveryRouteLeavesItsEntry(t *testing.T) {
	makes := map[string]request{}
	for _, r := range changes {
		path, _, _ := strings.Cut(strings.TrimPrefix(r.target, base), "?")
		path = strings.Replace(path, "/circuit-breakers/chat/", "/circuit-breakers/{breaker_name}/", 1)
		path = strings.Replace(path, "/targets/well/", "/targets/{target_name}/", 1)
		makes[path] = request{r.method, strings.Replace(r.target, "chat", "x", 1), strings.Replace(r.body, "chat", "x", 1), r.header, false}
	}
	makes["/config/versions/{number}/rollback"] = post(base+"/config/versions/1/rollback", "")
	for _, row := range newShip(t, map[string]string{}).Rows() {
		t.Run(row.Method+" "+row.Path, func(t *testing.T) {
			s := newShip(t, map[string]string{})
			s.orc.Operation("x")
			send(s.API, post(base+"/config/reload", `{"preset":"production"}`)) // so that there is something to roll back
			if strings.HasSuffix(row.Path, "/undrain") {
				send(s.API, post(base+"/gateway/targets/well/drain", `{"reason":"so that there is something to take back"}`))
			}
			before := auditLog(t, s.API, "").Count
			ask, want := askFor(row, map[string]string{"X-API-Key": key}), 0
			if !row.Reads && row.Path != base+"/performance/benchmark" { // which changes nothing that is live
				var ok bool
				if ask, ok = makes[strings.TrimPrefix(row.Path, base)]; !ok {
					t.Fatal("this row needs a key that may change something; give the request that does in changes, and audit it")
				}
				want = 1
			}
			w := send(s.API, ask.with("X-User-Context", "Ann Ünal"))
			got := auditLog(t, s.API, "")
			if got.Count-before != want {
				t.Fatalf("%d entries more after status %d, want %d", got.Count-before, w.Code, want)
			}
			if want == 0 {
				return
			}
			if w.Code != http.StatusOK {
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
			e := got.Entries[0]
			if e.Who != "admin-1" || e.What == "" || e.Before == nil || e.After == nil || e.RequestID != "req-1" || e.Address != "192.0.2.1" ||
				e.User != "Ann Ünal" || e.Time.IsZero() {
				t.Errorf("entry %+v, want every part of it", e)
			}
		})
	}
}

// What changes nothing leaves nothing: it is refused, is only tried, or comes to the same.
func TestNothingChangedLeavesNoEntry(t *testing.T) {
	s := newShip(t, map[string]string{})
	other := func(name, value string, r request) request { return r.with(name, value) }
	for name, tc := range map[string]struct {
		ask    request
		status int
	}{
		"without a key":                   {other("X-API-Key", "", post(base+"/circuit-breakers/chat/reset", "")), 401},
		"a wrong key":                     {other("X-API-Key", "guess", post(base+"/circuit-breakers/chat/reset", "")), 401},
		"an unknown breaker":              {post(base+"/circuit-breakers/nobody/reset", ""), 404},
		"a word without a reason":         {post(base+"/circuit-breakers/chat/force-open", "{}"), 422},
		"another member":                  {post(base+"/circuit-breakers/chat/reset", `{"a":1}`), 422},
		"another type":                    {other("Content-Type", "text/plain", post(base+"/metrics/reset", "a")), 415},
		"a reset not confirmed":           {post(base+"/metrics/reset", `{"confirm":false}`), 422},
		"counters of nothing":             {post(base+"/metrics/reset?operation_name=nobody", ""), 200},
		"a reload of the same":            {post(base+"/config/reload", ""), 200},
		"a dry run":                       {post(base+"/config/reload", `{"preset":"development","dry_run":true}`), 200},
		"an unknown preset":               {post(base+"/config/reload", `{"preset":"prod"}`), 400},
		"bad numbers":                     {post(base+"/config/reload", `{"custom_config":{"retry_attempts":99}}`), 400},
		"an unknown version":              {post(base+"/config/versions/9/rollback", ""), 404},
		"a rollback to what is in force":  {post(base+"/config/versions/1/rollback", ""), 200},
		"a cleanup of a bad time":         {post(base+"/monitoring/cleanup?hours=-1", ""), 422},
		"a check of a configuration":      {post(base+"/config/validate", `{"configuration":{}}`), 200},
		"a method that the path has not":  {request{method: "DELETE", target: base + "/audit-log", header: get("").header}, 405},
		"benchmarks":                      {post(base+"/performance/benchmark", `{"iterations": 1}`), 200},
		"a benchmark of an operation":     {post(base+"/performance/benchmark", `{"operation_name": "chat"}`), 200},
		"a page of the log itself":        {get(base + "/audit-log"), 200},
		"the documentation of everything": {get("/internal/openapi.json"), 200},
	} {
		t.Run(name, func(t *testing.T) {
			if w := send(s.API, tc.ask); w.Code != tc.status {
				t.Errorf("status %d, want %d: %s", w.Code, tc.status, w.Body)
			}
			if got := auditLog(t, s.API, ""); got.Count != 0 {
				t.Errorf("entries %+v, want none", got.Entries)
			}
		})
	}
}

// Who names the key, never tells it; and a key that may only read may read the log.
func TestAuditLogNamesKeys(t *testing.T) {
	keys, err := api.NewKeys("", "first-key", " ", "second-key", "first-key")
	must(t, err)
	keys, err = keys.WithReadOnly(readOnlyKey)
	must(t, err)
	orc := newOrchestrator(t, trysail.Config{})
	orc.Operation("x")
	a, err := api.New(api.Config{Orchestrator: orc, Keys: keys})
	must(t, err)
	for _, key := range []string{"second-key", "first-key"} {
		send(a, post(base+"/circuit-breakers/x/reset", "").with("X-API-Key", key))
	}
	w := send(a, get(base+"/audit-log").with("X-API-Key", readOnlyKey))
	got := decode[auditAnswer](t, w)
	if len(got.Entries) != 2 || got.Entries[0].Who != "admin-1" || got.Entries[1].Who != "admin-2" {
		t.Errorf("entries %+v, want one of admin-2 and then one of admin-1", got.Entries)
	}
	if strings.Contains(w.Body.String(), "-key") {
		t.Errorf("the answer tells a key: %s", w.Body)
	}
	open, err := api.New(api.Config{Orchestrator: orc})
	must(t, err)
	send(open, post(base+"/circuit-breakers/x/reset", ""))
	if got := auditLog(t, open, "").Entries; len(got) != 1 || got[0].Who != "anyone" {
		t.Errorf("entries %+v, want one of anyone: there are no keys", got)
	}
}

// Of admins who act at once each entry tells what it has ended, and so does the answer of the request: together they form a chain.
func TestAuditOfAdminsAtOnce(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{})
	b := orc.Operation("x").Breaker()
	a := newAPI(t, orc)
	const each = 20
	var acting sync.WaitGroup
	for _, verb := range []string{"reset", "force-open", "disable", "close"} {
		acting.Go(func() {
			for i := range each {
				body := fmt.Sprintf(`{"reason":"%s %d"}`, verb, i)
				if verb == "reset" {
					body = ""
				}
				ask := post(base+"/circuit-breakers/x/"+verb, body).with("X-Request-ID", fmt.Sprint(verb, i))
				w := send(a, ask)
				said := decode[struct {
					Previous string `json:"previous_state"`
				}](t, w)
				log := auditLog(t, a, "?limit=1000").Entries
				at := slices.IndexFunc(log, func(e auditEntry) bool { return e.RequestID == ask.header["X-Request-ID"] })
				if at < 0 || log[at].Before["state"] != said.Previous {
					t.Errorf("%s %d: the answer says it ended %q, the log has it at %d", verb, i, said.Previous, at)
				}
			}
		})
	}
	acting.Wait()
	log := auditLog(t, a, "?limit=1000").Entries
	if len(log) != 4*each {
		t.Fatalf("%d entries, want %d", len(log), 4*each)
	}
	slices.SortFunc(log, func(x, y auditEntry) int {
		return int(x.After["generation"].(float64) - y.After["generation"].(float64))
	})
	for i, e := range log[1:] {
		if was := log[i].After; fmt.Sprint(e.Before) != fmt.Sprint(was) {
			t.Errorf("an entry has ended %v, want what the one before has begun: %v", e.Before, was)
		}
	}
	if s := b.Snapshot(); s.State.String() != log[len(log)-1].After["state"] {
		t.Errorf("the breaker is %v, and the last entry says %v", s.State, log[len(log)-1].After)
	}
}

// Every call that was counted is in the entry of one of the admins who reset at once.
func TestAuditOfCountersAtOnce(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{Default: trysail.Policy{Breaker: trysail.BreakerPolicy{Disabled: true}}})
	op := orc.Operation("x")
	a := newAPI(t, orc)
	const calls = 300
	var acting sync.WaitGroup
	acting.Go(func() {
		for range calls {
			_, _ = trysail.Do(t.Context(), op, func(context.Context) (int, error) { return 0, nil })
		}
	})
	for range 3 {
		acting.Go(func() {
			for range 20 {
				send(a, post(base+"/metrics/reset", ""))
			}
		})
	}
	acting.Wait()
	send(a, post(base+"/metrics/reset", ""))
	sum := 0.0
	for _, e := range auditLog(t, a, "?limit=1000").Entries {
		sum += e.Before["total_calls"].(float64)
	}
	if sum != calls {
		t.Errorf("entries tell of %v calls, want %d", sum, calls)
	}
}

// Pages by next_before have every entry once, whatever comes meanwhile.
func TestPagesOfTheAuditLog(t *testing.T) {
	a := newAPI(t, newOrchestrator(t, trysail.Config{}))
	write := func(what string) {
		t.Helper()
		must(t, a.Audit(t.Context(), api.AuditEntry{Who: "me", What: what}))
	}
	for i := range 25 {
		write(fmt.Sprint("n", i))
		write("other")
	}
	var got []string
	query := "?limit=5&who=me"
	for pages := 0; ; pages++ {
		page := auditLog(t, a, query)
		for _, e := range page.Entries {
			got = append(got, e.What)
		}
		if page.NextBefore == nil {
			if pages != 9 {
				t.Errorf("%d pages, want 10", pages+1)
			}
			break
		}
		write("late")
		query = fmt.Sprintf("?limit=5&who=me&before=%d", *page.NextBefore)
	}
	var want []string
	for i := 24; i >= 0; i-- {
		want = append(want, "other", fmt.Sprint("n", i))
	}
	if !slices.Equal(got, want) {
		t.Errorf("pages have %q, want %q", got, want)
	}
}

// Without a log of its own the API remembers a bounded number of entries, and of bytes.
func TestAuditLogInMemoryIsBounded(t *testing.T) {
	for name, tc := range map[string]struct {
		after json.RawMessage
		write int
		most  int
	}{
		"by number": {nil, 10_050, 10_000},
		"by bytes":  {json.RawMessage(`{"text":"` + strings.Repeat("x", 60_000) + `"}`), 200, 8 << 20 / 60_000},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t, newOrchestrator(t, trysail.Config{}))
			for range tc.write {
				must(t, a.Audit(t.Context(), api.AuditEntry{Who: "me", What: "x", After: tc.after}))
			}
			newest := auditLog(t, a, "?limit=1").Entries[0].ID
			count, query := 0, "?limit=1000"
			for {
				page := auditLog(t, a, query)
				count += page.Count
				if page.NextBefore == nil {
					break
				}
				query = fmt.Sprint("?limit=1000&before=", *page.NextBefore)
			}
			if newest != int64(tc.write) || count > tc.most || count < tc.most*9/10 {
				t.Errorf("%d entries up to %d, want about %d up to %d", count, newest, tc.most, tc.write)
			}
		})
	}
}

// A bad entry of the program's is refused with every fault named.
func TestAuditOfABadEntry(t *testing.T) {
	a := newAPI(t, newOrchestrator(t, trysail.Config{}))
	err := a.Audit(t.Context(), api.AuditEntry{
		ID: 7, Time: time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), What: strings.Repeat("x", 1025), Target: "\xff",
		Before: json.RawMessage(`[1]`), After: json.RawMessage(`{"a":"` + strings.Repeat("x", 64<<10) + `"}`),
	})
	for _, want := range []string{"audit: ID is 7", "Time is 1900", "Who has 0 bytes", "What has 1025", "Target has 1 bytes", "Before has 3 bytes", "After has 65544 bytes"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Audit() = %v, want %q in it", err, want)
		}
	}
	if got := auditLog(t, a, "").Count; got != 0 {
		t.Errorf("%d entries, want none", got)
	}
}

// Reloads by a signal or a changed file are in the log once, and those of the API are not there twice.
func TestAuditOfReloadsFromOutside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShip(t, map[string]string{})
		reload := func(req config.Request, preset string) {
			t.Helper()
			s.set("RESILIENCE_PRESET", preset)
			_, err := s.reloader.Reload(t.Context(), req)
			must(t, err)
		}
		reload(config.Request{Trigger: config.TriggerSignal}, "production")
		reload(config.Request{Trigger: config.TriggerFile}, "development")
		reload(config.Request{Trigger: config.TriggerFile}, "development") // nothing new
		reload(config.Request{By: "cron", Why: "night"}, "simple")
		send(s.API, post(base+"/config/reload", `{"preset":"production"}`))
		send(s.API, post(base+"/config/versions/1/rollback", ""))
		var got []string
		for _, e := range slices.Backward(auditLog(t, s.API, "").Entries) {
			got = append(got, fmt.Sprintf("%s %s %v %v->%v %v", e.Who, e.What, e.Address, e.Before["preset_name"], e.After["preset_name"], e.After["config_version"]))
		}
		want := []string{
			"signal config.reload  simple->production 2",
			"file config.reload  production->development 3",
			"cron config.reload  development->simple 4",
			"admin-1 config.reload 192.0.2.1 simple->production 5",
			"admin-1 config.rollback 192.0.2.1 production->simple 6",
		}
		if !slices.Equal(got, want) {
			t.Errorf("entries\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		values, _ := auditLog(t, s.API, "?who=signal").Entries[0].After["values"].(map[string]any)
		if values["retry_attempts"] != "5" {
			t.Errorf("values %v, want the new number of attempts", values)
		}
	})
}
