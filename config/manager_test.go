package config_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

// highThroughput is the specification's example of a custom preset.
func highThroughput() config.Preset {
	return config.Preset{
		Name:                    "HighThroughput",
		Description:             "Optimized for high throughput scenarios",
		RetryAttempts:           2,
		CircuitBreakerThreshold: 20,
		RecoveryTimeout:         30 * time.Second,
		DefaultStrategy:         trysail.Aggressive,
		OperationOverrides:      map[string]trysail.Strategy{"batch_processing": trysail.Balanced},
		EnvironmentContexts:     []string{"production", "staging"},
	}
}

func TestSpecificationsCustomPreset(t *testing.T) {
	m := config.NewManager()
	report := m.Register("high_throughput", highThroughput())
	if !report.Valid() || len(report.Warnings) != 1 {
		t.Fatalf("Register = errors %q, warnings %q, want none, one", messages(report.Errors), messages(report.Warnings))
	}
	if got := report.Warnings[0]; got.Path != "default_strategy" || !strings.Contains(got.Message, "production") {
		t.Errorf("the warning is %+v, want one about aggressive in production", got)
	}
	preset, err := m.Get("high_throughput")
	if err != nil {
		t.Fatal(err)
	}
	want := highThroughput()
	want.Key = "high_throughput"
	if fmt.Sprint(preset) != fmt.Sprint(want) {
		t.Errorf("Get = %+v, want %+v", preset, want)
	}
	orc, err := trysail.New(preset.Config())
	if err != nil {
		t.Fatal(err)
	}
	for operation, want := range map[string]trysail.Strategy{"batch_processing": trysail.Balanced, "chat": trysail.Aggressive} {
		if got := orc.Operation(operation).Strategy(); got != want {
			t.Errorf("strategy of %s = %s, want %s", operation, got, want)
		}
	}
	if got := orc.Operation("chat").Policy(); got.Retry.Attempts != 2 || got.Retry.DelayBudget != 40*time.Second || got.Breaker.FailureThreshold != 20 {
		t.Errorf("policy of chat = %+v, want 2 attempts, 40 s for waits, 20 failures", got)
	}
}

func TestManagerOrder(t *testing.T) {
	m := config.NewManager()
	for _, key := range []string{"zeta", "alpha", "zeta"} { // the second zeta replaces the first
		if err := m.Register(key, highThroughput()).Err(); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"simple", "development", "production", "zeta", "alpha"}
	if got := m.Names(); !slices.Equal(got, want) {
		t.Errorf("Names() = %q, want %q", got, want)
	}
	var listed []string
	for _, p := range m.List() {
		listed = append(listed, p.Key)
	}
	if !slices.Equal(listed, want) {
		t.Errorf("List() = %q, want %q", listed, want)
	}
	if got := config.NewManager().Names(); len(got) != 3 {
		t.Errorf("another manager has %q, want the three built-in presets", got)
	}
}

func TestManagersShareNothing(t *testing.T) {
	one, two := config.NewManager(), config.NewManager()
	for key, m := range map[string]*config.Manager{"one": one, "two": two} {
		if err := m.Register(key, highThroughput()).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for want, m := range map[string]*config.Manager{"one": one, "two": two} {
		if got := m.Names(); len(got) != 4 || got[3] != want {
			t.Errorf("Names() = %q, want %q at the end", got, want)
		}
	}
}

func TestManagerReplaces(t *testing.T) {
	m := config.NewManager()
	if err := m.Register("own", highThroughput()).Err(); err != nil {
		t.Fatal(err)
	}
	before, err := m.Lookup("own")
	if err != nil {
		t.Fatal(err)
	}
	next := highThroughput()
	next.RetryAttempts = 4
	if err := m.Register("own", next).Err(); err != nil {
		t.Fatal(err)
	}
	after, err := m.Lookup("own")
	if err != nil {
		t.Fatal(err)
	}
	if was, is := before.Policy().Retry.Attempts, after.Policy().Retry.Attempts; was != 2 || is != 4 {
		t.Errorf("attempts before and after = %d, %d, want 2, 4", was, is)
	}
	bad := highThroughput()
	bad.RetryAttempts = 0
	if report := m.Register("own", bad); report.Valid() {
		t.Error("a preset without attempts was registered")
	}
	if got, err := m.Get("own"); err != nil || got.RetryAttempts != 4 {
		t.Errorf("after a refused preset there are %d attempts (%v), want 4", got.RetryAttempts, err)
	}
}

func TestManagerRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ key, want string }{
		"a built-in key":    {"simple", "Preset 'simple' is built in and cannot be replaced"},
		"what detects":      {"auto", "Preset key 'auto' has a meaning of its own: auto asks for detection, legacy means the old variables"},
		"the old variables": {"legacy", "Preset key 'legacy' has a meaning of its own: auto asks for detection, legacy means the old variables"},
		"no key":            {"", "Preset key '' is not a name: it must be 1 to 50 lower-case letters, digits, - and _"},
		"capitals":          {"Own", "Preset key 'Own' is not a name: it must be 1 to 50 lower-case letters, digits, - and _"},
		"a line end":        {"own\n", `Preset key 'own\u000a' is not a name: it must be 1 to 50 lower-case letters, digits, - and _`},
		"a long key": {
			strings.Repeat("k", 51),
			"Preset key '" + strings.Repeat("k", 40) + "...' is not a name: it must be 1 to 50 lower-case letters, digits, - and _",
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := config.NewManager()
			report := m.Register(tc.key, highThroughput())
			wantList(t, "errors", tc.key, messages(report.Errors), []string{tc.want})
			if got := m.Names(); len(got) != 3 {
				t.Errorf("Names() = %q, want the built-in ones", got)
			}
		})
	}
}

func TestManagerIsBounded(t *testing.T) {
	m := config.NewManager()
	for i := range 97 {
		if err := m.Register(fmt.Sprintf("own%d", i), highThroughput()).Err(); err != nil {
			t.Fatal(err)
		}
	}
	report := m.Register("more", highThroughput())
	wantList(t, "errors", "more", messages(report.Errors), []string{"Preset 'more' is one too many: there are 100 already (max: 100)"})
	if err := m.Register("own3", highThroughput()).Err(); err != nil {
		t.Errorf("replacing a preset of a full manager: %v", err)
	}
}

func TestUnknownPreset(t *testing.T) {
	m := config.NewManager()
	_, err := m.Get("prod")
	if want := "Invalid preset 'prod'. Available: ['simple', 'development', 'production']"; err == nil || err.Error() != want {
		t.Errorf("Get(prod) = %v, want %s", err, want)
	}
	if err := m.Register("own", highThroughput()).Err(); err != nil {
		t.Fatal(err)
	}
	_, err = m.Get("a\nb")
	if want := `Invalid preset 'a\u000ab'. Available: ['simple', 'development', 'production', 'own']`; err == nil || err.Error() != want {
		t.Errorf("Get of two lines = %v, want %s", err, want)
	}
}

// What a caller does with a preset changes nobody else's.
func TestPresetsAreTheCallers(t *testing.T) {
	m := config.NewManager()
	mine := highThroughput()
	if err := m.Register("own", mine).Err(); err != nil {
		t.Fatal(err)
	}
	entry, err := m.Lookup("own")
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprint(m.List())
	spoil := func(p config.Preset) {
		p.OperationOverrides["qa"] = "spoiled"
		p.EnvironmentContexts[0] = "spoiled"
	}
	spoil(mine)
	spoil(entry.Preset())
	for _, p := range slices.Concat(m.List(), config.Presets()) {
		spoil(p)
	}
	for _, key := range m.Names() {
		p, err := m.Get(key)
		if err != nil {
			t.Fatal(err)
		}
		spoil(p)
		p.Config().Strategies["sentiment"] = "spoiled"
	}
	if found, err := config.Find("production"); err == nil {
		spoil(found)
	}
	m.Names()[0] = "spoiled"
	if got := fmt.Sprint(m.List()); got != want {
		t.Errorf("List() = %s\nwant     %s", got, want)
	}
	if got := entry.Strategy("qa"); got != trysail.Aggressive {
		t.Errorf("strategy of qa = %q, want aggressive", got)
	}
}

func TestNilManagerReads(t *testing.T) {
	var m *config.Manager
	if got, err := m.Get("production"); err != nil || got.RetryAttempts != 5 {
		t.Errorf("Get(production) of nil = %d attempts, %v, want 5", got.RetryAttempts, err)
	}
	var e config.Entry
	if got := e.Preset(); e.Strategy("qa") != trysail.Balanced || e.Policy() != (trysail.Policy{}) || got.Key != "" {
		t.Errorf("the zero Entry = %+v, %s, want nothing and balanced", got, e.Strategy("qa"))
	}
}

func TestManagerIsShared(t *testing.T) {
	m := config.NewManager()
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 50 {
				p := highThroughput()
				p.RetryAttempts = 1 + j%10
				if err := m.Register(fmt.Sprintf("own%d", i), p).Err(); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 200 {
				for _, key := range m.Names() {
					if _, err := m.Get(key); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	if got := m.Names(); len(got) != 7 {
		t.Errorf("Names() = %q, want three and four", got)
	}
}

func TestLookupAllocatesNothing(t *testing.T) {
	m := config.NewManager()
	got := testing.AllocsPerRun(100, func() {
		if entry, err := m.Lookup("production"); err != nil || entry.Strategy("answer_question") != trysail.Critical || entry.Policy().Retry.Attempts != 5 {
			t.Errorf("Lookup(production) = %+v, %v", entry.Preset(), err)
		}
	})
	if got != 0 {
		t.Errorf("Lookup, Strategy and Policy allocate %v times, want 0", got)
	}
}

func BenchmarkLookup(b *testing.B) {
	m := config.NewManager()
	b.ReportAllocs()
	for b.Loop() {
		if entry, err := m.Lookup("production"); err != nil || entry.Strategy("qa") != trysail.Critical {
			b.Fatal(err)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	m := config.NewManager()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Get("production"); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleManager_Register() {
	presets := config.NewManager()
	report := presets.Register("high_throughput", config.Preset{
		Name:                    "HighThroughput",
		Description:             "Optimized for high throughput scenarios",
		RetryAttempts:           2,
		CircuitBreakerThreshold: 20,
		RecoveryTimeout:         30 * time.Second,
		DefaultStrategy:         trysail.Aggressive,
		OperationOverrides:      map[string]trysail.Strategy{"batch_processing": trysail.Balanced},
		EnvironmentContexts:     []string{"production", "staging"},
	})
	fmt.Println(report.Err(), len(report.Warnings))
	preset, err := presets.Get("high_throughput")
	fmt.Println(preset.Name, err)
	fmt.Println(presets.Names())
	// Output:
	// <nil> 1
	// HighThroughput <nil>
	// [simple development production high_throughput]
}

func ExampleManager_Lookup() {
	entry, err := config.NewManager().Lookup("production")
	fmt.Println(entry.Strategy("qa"), entry.Policy().Retry.Attempts, err)
	// Output: critical 5 <nil>
}
