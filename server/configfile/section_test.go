package configfile_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trysail-go/trysail/server/configfile"
)

type target struct {
	URL     string        `file:"url,required"`
	Weight  uint8         `json:"weight,omitempty"`
	Timeout time.Duration // how long it may take
	Hidden  string        `file:"-"`
	Hook    func()
	private string //nolint:unused // what is not exported is no key
}

type common struct{ Level *int }

type section struct {
	common  // its field is the section's own
	Targets []target
	ByName  map[string]target
	MaxBody configfile.Size
	Bind    netip.Addr
	Ratio   float32
}

func decodeSection(t *testing.T, text string) (section, error) {
	t.Helper()
	s := section{MaxBody: 1, Ratio: 0.5}
	return s, mustParse(t, text, nil).Section("gateway").Decode(&s)
}

func TestSection(t *testing.T) {
	s := section{MaxBody: 1, Ratio: 0.5}
	f := mustParse(t, `
gateway:
  level: 3
  targets:
    - {url: a, weight: 200}
    - url: b
      timeout: 1m30s
  by_name: {main: {url: c}}
  max_body: 32MiB
  bind: 127.0.0.1
another: 1
`, nil)
	if err := f.Section("gateway").Decode(&s); err != nil {
		t.Fatal(err)
	}
	want := section{
		common: common{new(3)}, Targets: []target{{URL: "a", Weight: 200}, {URL: "b", Timeout: 90 * time.Second}},
		ByName: map[string]target{"main": {URL: "c"}}, MaxBody: 32 << 20, Bind: netip.MustParseAddr("127.0.0.1"),
		Ratio: 0.5, // what the file does not say stays
	}
	opts := cmp.Options{cmp.AllowUnexported(section{}, common{}, target{}), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })}
	opts = append(opts, cmp.Comparer(func(a, b func()) bool { return a == nil && b == nil }))
	if diff := cmp.Diff(want, s, opts); diff != "" {
		t.Error(diff)
	}
	if !f.Section("gateway").Present() || f.Section("server").Present() {
		t.Error("Present says what is not so")
	}
}

func TestBadSection(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"an element without what it needs": {"targets: [{weight: 1}]", "1:21: gateway.targets[0]: found no url, want it: it is required"},
		"a number that does not fit":       {"by_name: {a: {url: x, weight: 256}}", "gateway.by_name.a.weight: found 256, want a whole number from 0 that is not as large"},
		"a negative number":                {"by_name: {a: {url: x, weight: -1}}", "gateway.by_name.a.weight: found -1, want a whole number from 0"},
		"a hidden field":                   {"targets: [{url: x, hidden: a}]", "gateway.targets[0].hidden: found a key that is not known, want url, weight or timeout"},
		"a function":                       {"targets: [{url: x, hook: a}]", "gateway.targets[0].hook: found a key that is not known"},
		"what is not exported":             {"targets: [{url: x, private: a}]", "gateway.targets[0].private: found a key that is not known"},
		"a text that is refused":           {"bind: localhost", `gateway.bind: found the text "localhost", which is refused: ParseAddr("localhost")`},
		"a size that is none":              {"max_body: 5 stones", `gateway.max_body: found the text "5 stones", want a number of bytes such as "32MiB"`},
		"a part of a byte":                 {"max_body: 0.3B", `gateway.max_body: found the text "0.3B", want a whole number of bytes`},
		"a size beyond counting":           {"max_body: 99999999TB", `gateway.max_body: found the text "99999999TB", want a whole number of bytes that is not as large`},
		"a mapping for a list":             {"targets: {url: x}", "gateway.targets: found a mapping, want a list"},
		"a list for a text":                {"targets: [{url: [x]}]", "gateway.targets[0].url: found a list, want a text"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decodeSection(t, "gateway: {"+tc.text+"}")
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q in it", err, tc.want)
			}
		})
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]configfile.Size{
		"0": 0, "65536": 65536, "10B": 10, "1KiB": 1024, "1K": 1024, "1k": 1024, "1kB": 1000, "32MiB": 32 << 20, "32 MiB": 32 << 20,
		"1.5GiB": 3 << 29, "10MB": 10_000_000, "2TB": 2_000_000_000_000,
	} {
		s, err := decodeSection(t, "gateway: {max_body: "+text+"}")
		if _ = s; err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got section
		if err := mustParse(t, "gateway: {max_body: "+text+"}", nil).Section("gateway").Decode(&got); err != nil || got.MaxBody != want {
			t.Errorf("%s is %d, %v; want %d", text, got.MaxBody, err, want)
		}
	}
	for size, want := range map[configfile.Size]string{0: "0B", 1: "1B", 1 << 10: "1KiB", 3 << 29: "1536MiB", 1 << 40: "1024GiB"} {
		if got := size.String(); got != want {
			t.Errorf("Size(%d) is %q, want %q", int64(size), got, want)
		}
	}
}

// The sections of others are decoded with the document, and nobody's sections are faults.
func TestLoaderWithSections(t *testing.T) {
	var gateway section
	f := mustParse(t, "preset: simple\ngateway: {level: 7, nothing: 1}\nserver: {}\nserber: {}", nil)
	_, err := new(configfile.Loader).Load(f, map[string]any{"gateway": &gateway, "server": &struct{ Addr string }{}})
	wantError(t, err,
		"trysail.yaml:2:21: gateway.nothing: found a key that is not known, want level, targets, by_name, max_body, bind or ratio",
		"trysail.yaml:4:1: serber: found a key that is not known, did you mean server?",
	)
	if *gateway.Level != 7 {
		t.Errorf("level is %d, want 7", *gateway.Level)
	}
}

func TestDecodeIntoWhatIsNoStruct(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic: the programmer would not learn of the mistake")
		}
	}()
	_ = mustParse(t, "", nil).Decode(new(int))
}

func TestFileDecode(t *testing.T) {
	var s struct{ Level int }
	if err := mustParse(t, "level: 3\nserver: {}\nx-any: 1\nliteral_secrets: false", nil).Decode(&s, "server"); err != nil || s.Level != 3 {
		t.Errorf("got %d, %v; want 3", s.Level, err)
	}
}

// What may stand at the top is named once each, and always in the same order.
func TestUnknownKeyAtTheTopNamesTheOthers(t *testing.T) {
	const want = "trysail.yaml:1:1: unheard_of: found a key that is not known, want preset, template, enabled, log_level, show_config_loading, " +
		"observe_calls, custom, policy, operations, classes, retry_budgets, literal_secrets, alpha, beta or gamma"
	for range 10 {
		sections := map[string]any{"gamma": &struct{}{}, "alpha": &struct{}{}, "beta": &struct{}{}}
		_, err := new(configfile.Loader).Load(mustParse(t, "unheard_of: 1", nil), sections)
		if err == nil || err.Error() != want {
			t.Fatalf("the file with an unknown key: %v\nwant %s", err, want)
		}
	}
}
