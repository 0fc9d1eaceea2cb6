package api_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/monitor"
	"github.com/trysail-go/trysail/server/api"
)

const validate = base + "/config/validate"

// limited returns an API with the key and with these settings.
func limited(t *testing.T, cfg api.Config) *api.API {
	t.Helper()
	keys, err := api.NewKeys(key)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Orchestrator, cfg.Keys = newOrchestrator(t, trysail.Config{}), keys
	a, err := api.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestValidationsOfAMinute meets the limit exactly, from both sides.
func TestValidationsOfAMinute(t *testing.T) {
	t.Run("too many validations", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := limited(t, api.Config{})
			start := time.Now()
			asks := []request{
				post(validate, specSecure), post(validate+"-secure", specSecure), post(validate+"-secure?client_ip=unknown", specSecure),
				post(validate+"/field-whitelist", specSecure), post(validate+"-template", `{"template_name": "production"}`),
			}
			unusable := post(validate, specSecure).with("X-Session-ID", "a b")
			for i := range 60 {
				checkProblem(t, send(a, unusable), 422, "VALIDATION_ERROR") // and does not count
				if w := send(a, asks[i%len(asks)]); w.Code != 200 {
					t.Fatalf("validation %d is answered %d: %s", i+1, w.Code, w.Body)
				}
				time.Sleep(500 * time.Millisecond)
			}
			golden(t, send(a, post(validate, specSecure)))
			for _, ask := range asks {
				checkProblem(t, send(a, ask), 429, "RATE_LIMIT_EXCEEDED")
			}
			time.Sleep(time.Minute - time.Since(start) - time.Nanosecond)
			w := send(a, post(validate+"-json", `{"json_config": "{}"}`))
			p := checkProblem(t, w, 429, "RATE_LIMIT_EXCEEDED")
			if got := w.Header().Get("Retry-After"); got != "1" || !strings.Contains(p.Detail, "60/60 validations per minute") {
				t.Errorf("Retry-After = %q and detail %q, want 1 and 60/60", got, p.Detail)
			}
			time.Sleep(time.Nanosecond)
			if w := send(a, post(validate, specSecure)); w.Code != 200 {
				t.Errorf("a minute after the first, one is answered %d: %s", w.Code, w.Body)
			}
			checkProblem(t, send(a, post(validate, specSecure)), 429, "RATE_LIMIT_EXCEEDED")
			if w := send(a, get(base+"/config/validate/security-config")); w.Code != 200 {
				t.Errorf("what is no validation is answered %d, want 200", w.Code)
			}
		})
	})
}

// TestWhoeverWaitsAsToldIsLetIn spends the hour's quota, and comes back when Retry-After says so.
func TestWhoeverWaitsAsToldIsLetIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := limited(t, api.Config{Validations: api.ValidationLimits{PerMinute: 7, PerHour: 20, Cooldown: 1500 * time.Millisecond}})
		done, refused := 0, map[string]bool{}
		for range 200 {
			w := send(a, post(validate, specSecure))
			if w.Code == 200 {
				done++
				continue
			}
			p := checkProblem(t, w, 429, "RATE_LIMIT_EXCEEDED")
			refused[strings.TrimPrefix(p.Detail, "Rate limit exceeded: ")[:4]] = true
			seconds, err := strconv.Atoi(w.Header().Get("Retry-After"))
			if err != nil || seconds < 1 || seconds > 3600 {
				t.Fatalf("Retry-After = %q, want 1 to 3600", w.Header().Get("Retry-After"))
			}
			time.Sleep(time.Duration(seconds) * time.Second)
			if w := send(a, post(validate, specSecure)); w.Code != 200 {
				t.Fatalf("after waiting %d s as told: %d %s", seconds, w.Code, w.Body)
			}
			done++
		}
		if !refused["wait"] || !refused["7/7 "] || !refused["20/2"] || done < 100 {
			t.Errorf("%d done, reasons of refusals %v; want all three", done, refused)
		}
	})
}

func TestAddressesDoNotShareTheirQuota(t *testing.T) {
	for name, tc := range map[string]struct {
		one, other, forwarded string
		shared                bool
	}{
		"two addresses":                  {one: "192.0.2.1:1", other: "192.0.2.2:1"},
		"two ports":                      {one: "192.0.2.1:1", other: "192.0.2.1:2", shared: true},
		"one IPv6 network":               {one: "[2001:db8::1]:1", other: "[2001:db8::ffff:2]:1", shared: true},
		"two IPv6 networks":              {one: "[2001:db8::1]:1", other: "[2001:db8:0:1::1]:1"},
		"one claims to be another":       {one: "192.0.2.1:1", other: "192.0.2.1:1", forwarded: "198.51.100.9", shared: true},
		"a client behind the proxy":      {one: "10.0.0.1:1", other: "10.0.0.1:1", forwarded: "198.51.100.9"},
		"no address, as on Unix sockets": {one: "@", other: "@", shared: true},
	} {
		t.Run(name, func(t *testing.T) {
			a := limited(t, api.Config{
				Validations:    api.ValidationLimits{PerMinute: 1},
				TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
			})
			sendFrom(a, tc.one, post(validate, specSecure))
			w := sendFrom(a, tc.other, post(validate, specSecure).with("X-Forwarded-For", tc.forwarded))
			if shared := w.Code == 429; shared != tc.shared {
				t.Errorf("the second is answered %d; shared %v, want %v", w.Code, shared, tc.shared)
			}
		})
	}
}

// TestClientIPWinsNothing is about the name that a client gives: it has a quota of its own, and the address counts as well.
func TestClientIPWinsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := limited(t, api.Config{Validations: api.ValidationLimits{PerMinute: 3}})
		as := func(name string) request { return post(validate+"-secure?client_ip="+name, specSecure) }
		for i := range 3 {
			if w := send(a, as("made-up-"+strconv.Itoa(i))); w.Code != 200 {
				t.Fatalf("answer %d: %s", w.Code, w.Body)
			}
		}
		checkProblem(t, send(a, as("made-up-4")), 429, "RATE_LIMIT_EXCEEDED")
		for range 2 {
			sendFrom(a, "192.0.2.9:1", as("made-up-1")) // with the one above it has three
		}
		checkProblem(t, sendFrom(a, "192.0.2.10:1", as("made-up-1")), 429, "RATE_LIMIT_EXCEEDED")
		if w := sendFrom(a, "192.0.2.10:1", as("another")); w.Code != 200 {
			t.Errorf("an address whose request was refused for its name is answered %d, want 200", w.Code)
		}
		if w := sendFrom(a, "192.0.2.10:1", post(validate, specSecure)); w.Code != 200 {
			t.Errorf("without a name the address is answered %d, want 200", w.Code)
		}
	})
}

type status struct {
	Client string `json:"client_identifier"`
	Now    struct {
		Minute          int     `json:"requests_last_minute"`
		Hour            int     `json:"requests_last_hour"`
		Cooldown        float64 `json:"cooldown_remaining"`
		RemainingMinute int     `json:"remaining_minute"`
	} `json:"current_status"`
}

// TestAskingForTheQuotaUsesNothing asks many times, for many names.
func TestAskingForTheQuotaUsesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := limited(t, api.Config{Validations: api.ValidationLimits{PerMinute: 5, Cooldown: 2 * time.Second}})
		send(a, post(validate+"-secure?client_ip=tenant", specSecure))
		ask := func(query string) status {
			return decode[status](t, send(a, get(base+"/config/validate/rate-limit-status"+query)))
		}
		time.Sleep(500 * time.Millisecond)
		for range 100 {
			for query, want := range map[string]string{"": "192.0.2.1", "?client_ip=unknown": "192.0.2.1", "?client_ip=tenant": "tenant", "?client_ip=192.0.2.1": "192.0.2.1"} {
				got := ask(query)
				if got.Client != want || got.Now.Minute != 1 || got.Now.Hour != 1 || got.Now.Cooldown != 1.5 || got.Now.RemainingMinute != 4 {
					t.Fatalf("status of %q is %+v, want 1 request of %s and 1.5 s to go", query, got, want)
				}
			}
			if got := ask("?client_ip=nobody"); got.Now.Minute != 0 || got.Now.RemainingMinute != 5 {
				t.Fatalf("status of nobody is %+v", got)
			}
		}
		time.Sleep(time.Hour)
		if got := ask(""); got.Now.Hour != 0 || got.Now.Cooldown != 0 {
			t.Errorf("status after an hour is %+v, want nothing", got)
		}
	})
}

// TestWrongKeysDoNotLockOutGoodOnes tries many keys from the address of somebody who has one.
func TestWrongKeysDoNotLockOutGoodOnes(t *testing.T) {
	t.Run("too many wrong keys", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			a := limited(t, api.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
			guess := func(target string) request { return get(target).with("X-API-Key", "guess-hunter2") }
			for range 10 {
				checkProblem(t, send(a, guess(base+"/metrics")), 401, "AUTHENTICATION_ERROR")
			}
			golden(t, send(a, guess(base+"/metrics")))
			for range 50 {
				checkProblem(t, send(a, guess(base+"/health")), 429, "RATE_LIMIT_EXCEEDED")
			}
			if w := send(a, get(base+"/metrics")); w.Code != 200 {
				t.Errorf("the good key is answered %d: %s", w.Code, w.Body)
			}
			checkProblem(t, send(a, get(base+"/metrics").with("X-API-Key", "")), 401, "AUTHENTICATION_ERROR")
			checkProblem(t, sendFrom(a, "192.0.2.77:1", guess(base+"/metrics")), 401, "AUTHENTICATION_ERROR")
			if n := strings.Count(log.String(), "wrong API key"); n != 11 || strings.Contains(log.String(), "hunter2") {
				t.Errorf("%d lines in the log, want 11 without the key: %s", n, log.String())
			}
			time.Sleep(time.Minute)
			checkProblem(t, send(a, guess(base+"/metrics")), 401, "AUTHENTICATION_ERROR")
		})
	})
}

func TestBadLimits(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg  api.Config
		want string
	}{
		"negative minute":     {api.Config{Validations: api.ValidationLimits{PerMinute: -1}}, "ValidationLimits.PerMinute is -1, want 1 to 10000"},
		"too many in an hour": {api.Config{Validations: api.ValidationLimits{PerHour: 10_001}}, "ValidationLimits.PerHour is 10001"},
		"negative cooldown":   {api.Config{Validations: api.ValidationLimits{Cooldown: -1}}, "ValidationLimits.Cooldown is -1ns, want 0s to 1m"},
		"long cooldown":       {api.Config{Validations: api.ValidationLimits{Cooldown: time.Hour}}, "ValidationLimits.Cooldown is 1h0m0s"},
		"no network":          {api.Config{TrustedProxies: []netip.Prefix{{}}}, "TrustedProxies[0] is no network"},
	} {
		t.Run(name, func(t *testing.T) {
			tc.cfg.Orchestrator = newOrchestrator(t, trysail.Config{})
			if _, err := api.New(tc.cfg); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("New fails with %v, want %q", err, tc.want)
			}
		})
	}
}

// TestValidationsAreRemembered looks for them in the monitor, where nothing of what was sent may be.
func TestValidationsAreRemembered(t *testing.T) {
	m, err := monitor.New(monitor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	a := limited(t, api.Config{Monitor: m})
	for _, ask := range []request{
		post(validate, specValidate),
		post(validate+"-secure", `{"configurations": [{"retry_attempts": 3}, {"default_strategy": "hunter2", "hunter2": 1, "operation_overrides": {"hunter2": "hunter2"}}]}`),
		post(validate+"-json", `{"json_config": "hunter2"}`),
		post(validate+"/field-whitelist", `{"configuration": {"retry_attempts": "hunter2"}}`),
		post(validate, `{}`), // none
		post(base+"/config/validate-template", `{"template_name": "low_latency", "overrides": {"retry_attempts": "hunter2", "hunter2": 1}}`),
		post(base+"/config/validate-template", `{"template_name": "hunter2"}`),
	} {
		send(a, ask)
	}
	events, _ := m.After(0, 100)
	got := []string{}
	for _, e := range events {
		got = append(got, e.Kind.String()+" "+e.Operation+" "+string(e.Metadata))
		if strings.Contains(fmt.Sprintf("%+v", e), "hunter2") {
			t.Errorf("the monitor remembers what was sent: %+v", e)
		}
	}
	want := []string{
		`validation_event validate {"is_valid":true,"validation_errors":[]}`,
		`validation_event validate_secure {"is_valid":true,"validation_errors":[]}`,
		`validation_event validate_secure {"is_valid":false,"validation_errors":["shape: default_strategy","shape","shape: operation_overrides","shape: operation_overrides"]}`,
		`validation_event validate {"is_valid":false,"validation_errors":["syntax"]}`,
		`validation_event validate_field_whitelist {"is_valid":false,"validation_errors":["shape: retry_attempts"]}`,
		`validation_event validate_template {"is_valid":false,"validation_errors":["shape: retry_attempts","shape"]}`,
		`validation_event validate_template {"is_valid":false,"validation_errors":["shape"]}`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the monitor remembers\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
