package config_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

// A plant is an orchestrator under a Reloader whose sources a test changes.
type plant struct {
	*config.Reloader
	orc     *trysail.Orchestrator
	mu      sync.Mutex
	sources config.Sources
	readErr error
	alerts  []config.Failure
	applied []config.Version
}

func newPlant(t testing.TB, keep int, sources config.Sources) *plant {
	t.Helper()
	loaded, err := sources.Load()
	if err != nil {
		t.Fatal(err)
	}
	p := &plant{sources: sources}
	if p.orc, err = trysail.New(loaded.Trysail); err != nil {
		t.Fatal(err)
	}
	p.Reloader, err = config.NewReloader(config.ReloaderConfig{
		Orchestrator: p.orc, Start: loaded, Keep: keep,
		Read: func(context.Context) (config.Sources, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.sources, p.readErr
		},
		Applied: func(v config.Version) { p.applied = append(p.applied, v) },
		Alert:   func(f config.Failure) { p.alerts = append(p.alerts, f) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *plant) set(pairs ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sources.Lookup = env(pairs...)
}

func (p *plant) reload(t *testing.T, req config.Request) config.Result {
	t.Helper()
	result, err := p.Reload(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func (p *plant) attempts() int { return p.orc.Operation("chat").Policy().Retry.Attempts }

func TestReload(t *testing.T) {
	p := newPlant(t, 0, config.Sources{Lookup: env("RESILIENCE_PRESET=production")})
	chat, qa := p.orc.Operation("chat"), p.orc.Operation("qa")
	for range 4 { // below the old threshold of 10, over the new one of 3
		_, _ = trysail.Do(t.Context(), chat, func(context.Context) (int, error) {
			return 0, trysail.WithClass(errors.New("no money"), trysail.ClassQuotaExhausted, 0) // counts, without a retry
		})
	}
	p.set("RESILIENCE_PRESET=development")
	result := p.reload(t, config.Request{Trigger: config.TriggerSignal, By: "root", Why: "too patient"})
	if !result.Changed || result.Previous.Number != 1 || result.Current.Number != 2 || result.Current.By != "root" || result.Current.Why != "too patient" {
		t.Errorf("result %+v, want version 2 after version 1", result)
	}
	if !slices.Equal(result.Change.Operations, []string{"chat", "qa"}) {
		t.Errorf("changed operations %v, want chat and qa", result.Change.Operations)
	}
	if got := numbers(chat.Policy()); got != "2 in 40s, 500ms 1s-5s +2s, breaker 3 30s" {
		t.Errorf("chat: %s, want the numbers of development", got)
	}
	if got := qa.Strategy(); got != trysail.Balanced {
		t.Errorf("strategy of qa = %s, want that of development: the override of production is gone", got)
	}
	// The breaker keeps its count, and the lower threshold opens it with the next failure only.
	if s := chat.Breaker().Snapshot(); s.State != trysail.Closed || s.Failures != 4 || s.FailureThreshold != 3 {
		t.Errorf("breaker %v with %d failures of %d, want closed with 4 of 3", s.State, s.Failures, s.FailureThreshold)
	}
	want := config.Event{
		Kind: config.EventChange, Operation: "sighup", Preset: "development",
		Metadata: map[string]string{"old_preset": "production", "new_preset": "development"},
	}
	if got := result.Events[len(result.Events)-1]; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the last event is %+v, want %+v", got, want)
	}
	if len(p.applied) != 1 || p.applied[0].Number != 2 || len(p.alerts) != 0 {
		t.Errorf("told of %d versions and %d alerts, want version 2 alone", len(p.applied), len(p.alerts))
	}
}

func TestReloadOfTheSame(t *testing.T) {
	file := trysailFile()
	p := newPlant(t, 0, config.Sources{File: file, Templates: patient})
	p.mu.Lock()
	moved := *file
	moved.Line = func(string) int { return 77 }
	p.sources.File = &moved
	p.mu.Unlock()
	result := p.reload(t, config.Request{Trigger: config.TriggerFile})
	if result.Changed || result.Current.Number != 1 || len(p.Versions()) != 1 || len(p.applied) != 0 {
		t.Errorf("result %+v and %d versions, want none anew", result, len(p.Versions()))
	}
	current := p.Current().Loaded
	if got := value(&current, "preset").Origin.Detail; got != "trysail.yaml:77" {
		t.Errorf("the preset is from %s, want its new line", got)
	}
}

// A reload that fails leaves everything as it was and tells of it.
func TestReloadThatFails(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*plant)
		req    config.Request
		want   string
	}{
		"a bad preset":          {func(p *plant) { p.set("RESILIENCE_PRESET=prod") }, config.Request{}, "Invalid preset 'prod'. Available: ['simple', 'development', 'production']"},
		"a bad custom one":      {func(p *plant) { p.set(`RESILIENCE_CUSTOM_CONFIG={"retry_attempts": 99}`) }, config.Request{}, "retry_attempts must be between 1 and 10"},
		"a file nobody reads":   {func(p *plant) { p.readErr = errors.New("disk on fire") }, config.Request{}, "disk on fire"},
		"a preset of the API":   {nil, config.Request{Trigger: config.TriggerAPI, Preset: "prod"}, "Invalid preset 'prod'"},
		"numbers of the API":    {nil, config.Request{Trigger: config.TriggerAPI, Custom: []byte(`{"jitter_max": 99}`)}, "jitter_max must be between 0.1 and 10"},
		"JSON that is none":     {nil, config.Request{Trigger: config.TriggerAPI, Custom: []byte(`{`)}, "Invalid JSON"},
		"what the engine finds": {func(p *plant) { p.sources.File = &config.Document{Name: "t.yaml", Policy: trysail.Policy{Total: -1}} }, config.Request{}, "Default.Total is -1ns"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlant(t, 0, config.Sources{Lookup: env("RESILIENCE_PRESET=production")})
			if tc.change != nil {
				tc.change(p)
			}
			_, err := p.Reload(t.Context(), tc.req)
			var failed *config.ReloadError
			if !errors.As(err, &failed) || failed.Kept != 1 || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Reload() = %v, want a ReloadError with %q", err, tc.want)
			}
			if p.attempts() != 5 || len(p.Versions()) != 1 || len(p.applied) != 0 {
				t.Errorf("%d attempts in %d versions, want 5 in 1", p.attempts(), len(p.Versions()))
			}
			if len(p.alerts) != 1 || !errors.Is(p.alerts[0].Err, failed) {
				t.Fatalf("alerts %+v, want one", p.alerts)
			}
			errorsOf := slices.DeleteFunc(slices.Clone(p.alerts[0].Events), func(e config.Event) bool { return e.Kind != config.EventError })
			if len(errorsOf) != 1 || !strings.Contains(errorsOf[0].Error, tc.want) {
				t.Errorf("events %+v, want one error", p.alerts[0].Events)
			}
			tc.req.DryRun = true
			if _, err := p.Reload(t.Context(), tc.req); err == nil || len(p.alerts) != 1 {
				t.Errorf("the dry run: %v and %d alerts, want the error and no alert", err, len(p.alerts)-1)
			}
		})
	}
}

func TestDryRun(t *testing.T) {
	p := newPlant(t, 0, config.Sources{Lookup: env("RESILIENCE_PRESET=production")})
	p.orc.Operation("chat")
	result := p.reload(t, config.Request{Trigger: config.TriggerAPI, Preset: "development", DryRun: true})
	if !result.Changed || !result.DryRun || result.Current.Number != 0 || !slices.Equal(result.Change.Operations, []string{"chat"}) {
		t.Errorf("result %+v, want what would change", result)
	}
	if p.attempts() != 5 || len(p.Versions()) != 1 || len(p.applied) != 0 {
		t.Errorf("%d attempts in %d versions after a dry run, want nothing changed", p.attempts(), len(p.Versions()))
	}
	if result := p.reload(t, config.Request{DryRun: true}); result.Changed {
		t.Errorf("result %+v, want no change", result)
	}
	// The dry run has left nothing behind that a later request would go on from.
	if result := p.reload(t, config.Request{Custom: []byte(`{"retry_attempts": 4}`)}); result.Current.Loaded.Preset.Key != "production" {
		t.Errorf("preset %s, want production still", result.Current.Loaded.Preset.Key)
	}
}

// What the API sets stays through other requests of the API, and ends with a plain reload.
func TestReloadThroughTheAPI(t *testing.T) {
	p := newPlant(t, 0, config.Sources{Lookup: env(`RESILIENCE_CUSTOM_CONFIG={"retry_attempts": 4, "exponential_min": 3}`), File: &config.Document{
		Name: "t.yaml", Custom: config.Custom{TimeoutSeconds: new(50)}, Policy: trysail.Policy{Hedge: trysail.HedgePolicy{After: time.Second}},
	}})
	api := func(preset, custom string) config.Request {
		req := config.Request{Trigger: config.TriggerAPI, By: "ana", Preset: preset}
		if custom != "" {
			req.Custom = []byte(custom)
		}
		return req
	}
	for _, tc := range []struct {
		name string
		req  config.Request
		want []string
	}{
		{"a preset", api("production", ""), []string{
			"preset production reload ana", "retry_attempts 4 variable RESILIENCE_CUSTOM_CONFIG", "timeout_seconds 50 file t.yaml",
		}},
		{"numbers", api("", `{"retry_attempts": 6, "operation_overrides": {"qa": "balanced"}}`), []string{
			"preset production reload ana", "retry_attempts 6 reload ana", "exponential_min 2 preset production", "timeout_seconds none default",
			"operations.qa.strategy balanced override ana", "policy.hedge.after 1s file t.yaml",
		}},
		{"another preset", api("development", ""), []string{"preset development reload ana", "retry_attempts 6 reload ana"}},
		{"no numbers", api("", "null"), []string{"preset development reload ana", "retry_attempts 2 preset development"}},
		{"all anew", config.Request{Trigger: config.TriggerSignal}, []string{
			"preset simple default", "retry_attempts 4 variable RESILIENCE_CUSTOM_CONFIG", "timeout_seconds 50 file t.yaml",
		}},
	} {
		result := p.reload(t, tc.req)
		got := listed(&result.Current.Loaded)
		for _, want := range tc.want {
			if !slices.Contains(got, want) {
				t.Errorf("%s:\n%s\nwant %s in it", tc.name, strings.Join(got, "\n"), want)
			}
		}
		if ended := slices.Contains(result.Warnings, "what ana had set no longer applies"); ended != (tc.name == "all anew") {
			t.Errorf("%s: warnings %q", tc.name, result.Warnings)
		}
		if want := map[bool]string{true: "custom", false: "reload"}[tc.name == "all anew"]; result.Current.Loaded.Kind() != want {
			t.Errorf("%s: kind %s, want %s", tc.name, result.Current.Loaded.Kind(), want)
		}
	}
}

func TestVersions(t *testing.T) {
	p := newPlant(t, 3, config.Sources{})
	for attempts := 4; attempts <= 7; attempts++ {
		p.reload(t, config.Request{Trigger: config.TriggerAPI, Custom: fmt.Appendf(nil, `{"retry_attempts": %d}`, attempts)})
	}
	var kept []int
	for _, v := range p.Versions() {
		kept = append(kept, v.Number)
	}
	if !slices.Equal(kept, []int{3, 4, 5}) {
		t.Errorf("versions %v, want 3, 4, 5", kept)
	}
	got, err := p.Diff(3, 5)
	want := []config.Difference{{
		Name: "retry_attempts", Old: "5", New: "7",
		OldOrigin: config.Origin{Source: config.FromReload, Detail: "api"}, NewOrigin: config.Origin{Source: config.FromReload, Detail: "api"},
	}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("Diff(3, 5) = %+v, %v; want %+v", got, err, want)
	}
	for _, number := range []int{2, 6, 0, -1} {
		_, err := p.Rollback(t.Context(), number, config.Request{})
		if want := fmt.Sprintf("unknown version: %d, want one of those that are kept, 3 to 5", number); !errors.Is(err, config.ErrVersion) || !strings.Contains(err.Error(), want) {
			t.Errorf("Rollback(%d) = %v, want %s", number, err, want)
		}
		if _, err := p.Diff(number, 5); !errors.Is(err, config.ErrVersion) {
			t.Errorf("Diff(%d, 5) = %v, want ErrVersion", number, err)
		}
	}
}

func TestRollback(t *testing.T) {
	p := newPlant(t, 0, config.Sources{Lookup: env("RESILIENCE_PRESET=production")})
	p.reload(t, config.Request{Trigger: config.TriggerAPI, Custom: []byte(`{"retry_attempts": 1}`)})
	result, err := p.Rollback(t.Context(), 1, config.Request{By: "ana", Why: "worse", DryRun: true})
	if err != nil || !result.Changed || p.attempts() != 1 {
		t.Errorf("the dry run: %+v, %v and %d attempts; want a change and 1", result, err, p.attempts())
	}
	result, err = p.Rollback(t.Context(), 1, config.Request{By: "ana", Why: "worse"})
	if err != nil || p.attempts() != 5 {
		t.Fatalf("Rollback(1) = %v and %d attempts, want 5", err, p.attempts())
	}
	if v := result.Current; v.Number != 3 || v.Of != 1 || v.Trigger != config.TriggerRollback || v.By != "ana" || v.Why != "worse" {
		t.Errorf("version %+v, want 3, a rollback to 1", v)
	}
	if result, err := p.Rollback(t.Context(), 1, config.Request{}); err != nil || result.Changed || len(p.Versions()) != 3 {
		t.Errorf("Rollback(1) again = %+v, %v; want no new version", result, err)
	}
}

func TestDifferences(t *testing.T) {
	was := []config.Value{{Name: "a", Value: "1"}, {Name: "gone", Value: "x"}, {Name: "same", Value: "s"}}
	now := []config.Value{{Name: "same", Value: "s", Origin: config.Origin{Source: config.FromFile}}, {Name: "a", Value: "2"}, {Name: "new", Value: "y"}}
	want := []config.Difference{{Name: "a", Old: "1", New: "2"}, {Name: "new", New: "y"}, {Name: "gone", Old: "x"}}
	if got := config.Differences(was, now); !slices.Equal(got, want) {
		t.Errorf("Differences() = %+v, want %+v", got, want)
	}
}

func TestReloaderConfig(t *testing.T) {
	_, err := config.NewReloader(config.ReloaderConfig{Keep: 1})
	for _, want := range []string{"Orchestrator is nil", "Read is nil", "Keep is 1, want 2 to 1000"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewReloader() = %v, want %q in it", err, want)
		}
	}
}

// Who waits for another reload waits no longer than its context lasts.
func TestReloadThatDoesNotGetItsTurn(t *testing.T) {
	p := newPlant(t, 0, config.Sources{})
	reading, free := make(chan struct{}), make(chan struct{})
	slow, err := config.NewReloader(config.ReloaderConfig{Orchestrator: p.orc, Start: p.Current().Loaded, Read: func(context.Context) (config.Sources, error) {
		close(reading)
		<-free
		return config.Sources{}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		_, err := slow.Reload(context.Background(), config.Request{})
		done <- err
	}()
	<-reading
	gone, leave := context.WithCancelCause(t.Context())
	leave(errors.New("the caller has gone"))
	if _, err := slow.Reload(gone, config.Request{}); err == nil || !strings.Contains(err.Error(), "the caller has gone") {
		t.Errorf("Reload() = %v, want the context's cause", err)
	}
	if got := slow.Current().Number; got != 1 { // asking does not wait
		t.Errorf("version %d, want 1", got)
	}
	close(free)
	if err := <-done; err != nil {
		t.Errorf("the first reload: %v", err)
	}
}

// Reloads from all sides under traffic: each call finds one configuration, whole, and versions are numbered without a gap.
func TestReloadStress(t *testing.T) {
	p := newPlant(t, 1000, config.Sources{})
	op := p.orc.Operation("chat")
	var stop atomic.Bool
	var calls, traffic sync.WaitGroup
	for range 2 {
		traffic.Go(func() {
			for !stop.Load() {
				// attempts and the threshold are set together
				policy := op.Policy()
				if want := policy.Retry.Attempts; policy.Breaker.FailureThreshold != want && want != 3 {
					t.Errorf("%d attempts with a threshold of %d", want, policy.Breaker.FailureThreshold)
				}
				if _, err := trysail.Do(t.Context(), op, func(context.Context) (int, error) { return 1, nil }); err != nil {
					t.Errorf("a call: %v", err)
				}
			}
		})
	}
	for worker := range 4 {
		calls.Go(func() {
			for i := range 25 {
				n := 4 + (worker+i)%5
				_, err := p.Reload(t.Context(), config.Request{Custom: fmt.Appendf(nil, `{"retry_attempts": %d, "circuit_breaker_threshold": %d}`, n, n)})
				if i%10 == 9 {
					_, err = p.Rollback(t.Context(), 1, config.Request{})
				}
				if err != nil {
					t.Errorf("a reload: %v", err)
				}
			}
		})
	}
	calls.Wait()
	stop.Store(true)
	traffic.Wait()
	for i, v := range p.Versions() {
		if v.Number != i+1 {
			t.Fatalf("version %d at place %d", v.Number, i)
		}
	}
	if n := len(p.Versions()); n < 2 || n != len(p.applied)+1 {
		t.Errorf("%d versions and %d told of", n, len(p.applied))
	}
}

// BenchmarkReload changes all of 1,000 operations that have policies of their own, back and forth.
func BenchmarkReload(b *testing.B) {
	document := func(more int) *config.Document {
		d := &config.Document{Name: "trysail.yaml", Operations: map[string]trysail.OperationConfig{}}
		for i := range 1000 {
			d.Operations[fmt.Sprintf("operation-%d", i)] = trysail.OperationConfig{
				Strategy: trysail.Strategies()[i%4],
				Policy:   trysail.Policy{Attempt: time.Duration(i+more+1) * time.Second, Retry: trysail.RetryPolicy{Attempts: 3 + more}},
			}
		}
		return d
	}
	files := []*config.Document{document(0), document(1)}
	p := newPlant(b, 2, config.Sources{File: files[0]})
	for name := range files[0].Operations {
		p.orc.Operation(name)
	}
	b.ReportAllocs()
	for i := 1; b.Loop(); i++ {
		p.sources.File = files[i%2]
		if result, err := p.Reload(b.Context(), config.Request{Trigger: config.TriggerFile}); err != nil || len(result.Change.Operations) != 1000 {
			b.Fatal(err, len(result.Change.Operations))
		}
		p.applied = nil
	}
}
