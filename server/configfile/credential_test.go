package configfile_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/configfile"
)

type place struct {
	Target   string `file:"target,short"`
	Priority int
}

type vault struct {
	Keys   []configfile.Credential
	Places []place
	Named  map[string]place
}

func TestCredentialsAndShortForms(t *testing.T) {
	f := mustParse(t, `
vault:
  keys:
    - ${A}
    - {name: reserve, env: B}
    - env: A
  places: [north, {target: south, priority: 2}]
  named:
    z: {target: x}
    a: y
    "b.c": y
`, variables(map[string]string{"A": "hunter1", "B": "hunter2"}))
	var v vault
	if err := f.Section("vault").Decode(&v); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, k := range v.Keys {
		got = append(got, k.Name+"="+k.Key.Reveal())
	}
	if want := []string{"=hunter1", "reserve=hunter2", "=hunter1"}; !slices.Equal(got, want) {
		t.Errorf("keys are %q, want %q", got, want)
	}
	if want := []place{{"north", 0}, {"south", 2}}; !slices.Equal(v.Places, want) {
		t.Errorf("places are %v, want %v", v.Places, want)
	}
	if got, want := f.Names("vault.named"), []string{"z", "a", "b.c"}; !slices.Equal(got, want) || v.Named["a"].Target != "y" {
		t.Errorf("names are %q of %v, want %q", got, v.Named, want)
	}
	if line := f.Line(configfile.Path("vault.named", "b.c")); line != 11 {
		t.Errorf("b.c is in line %d, want 11", line)
	}
	for _, path := range []string{"", "nowhere", "vault.places", "vault.places[0]", "vault.named.a"} {
		if got := f.Names(path); path != "" && len(got) != 0 {
			t.Errorf("Names(%q) = %q, want none", path, got)
		}
	}
}

func TestBadCredentialsAndShortForms(t *testing.T) {
	f := mustParse(t, `
vault:
  keys:
    - sk-hunter2
    - {name: reserve}
    - {name: [x], env: A}
    - {env: A, file: b}
    - 7
  places: [5, [a], {priority: high}]
`, variables(map[string]string{"A": "hunter1"}))
	var v vault
	wantError(t, f.Section("vault").Decode(&v),
		`trysail.yaml:4:7: vault.keys[0]: found a secret in the file itself, want ${NAME}, {env: NAME} or {file: PATH} (or literal_secrets: true, if everybody who reads the file may know it)`,
		`trysail.yaml:5:7: vault.keys[1]: found a mapping, want ${NAME}, {env: NAME} or {file: PATH}`,
		`trysail.yaml:6:14: vault.keys[2].name: found a list, want a text`,
		`trysail.yaml:7:7: vault.keys[3]: found a mapping, want ${NAME}, {env: NAME} or {file: PATH}`,
		`trysail.yaml:8:7: vault.keys[4]: found a number, want ${NAME}, {env: NAME} or {file: PATH}`,
		`trysail.yaml:9:12: vault.places[0]: found a number, want a text, which is the target, or a mapping with target or priority`,
		`trysail.yaml:9:15: vault.places[1]: found a list, want a text, which is the target, or a mapping with target or priority`,
		`trysail.yaml:9:31: vault.places[2].priority: found the text "high", want a whole number such as 5`,
	)
}

// What the library says of a policy is about the place where the policy stands.
func TestLocateUnder(t *testing.T) {
	f := mustParse(t, "gateway:\n  breaker:\n    window: 1ms\n", nil)
	_, err := trysail.New(trysail.Config{Default: trysail.Policy{Breaker: trysail.BreakerPolicy{FailureRate: 0.5, Window: 1}}})
	if err == nil {
		t.Fatal("a window of 1 ns is taken")
	}
	located, ok := errors.AsType[*configfile.Error](f.LocateUnder(err, "Default", "gateway"))
	if !ok || len(located.Faults) != 1 || located.Faults[0].Line != 3 || located.Faults[0].Path != "gateway.breaker.window" {
		t.Errorf("LocateUnder(%v) = %v", err, located)
	}
	if err := f.LocateUnder(nil, "Default", "gateway"); err != nil {
		t.Errorf("of nil: %v", err)
	}
}
