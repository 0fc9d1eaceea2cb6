package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/config"
)

// around returns surroundings of variables (NAME=value) and files.
func around(things ...string) config.Surroundings {
	return config.Surroundings{
		Lookup: env(things...),
		Exists: func(path string) bool { return slices.Contains(things, path) },
	}
}

// What contract 3.6 measured, then what it asks for beyond.
func TestDetect(t *testing.T) {
	for things, want := range map[string]struct {
		environment, preset string
		confidence          float64
		reasoning           string
	}{
		"ENVIRONMENT=production":                      {"production", "production", 0.95, "Explicit environment from ENVIRONMENT=production"},
		"ENVIRONMENT=production NODE_ENV=production":  {"production", "production", 0.98, "Explicit environment from ENVIRONMENT=production (confirmed by 1 additional signals)"},
		"ENVIRONMENT=production NODE_ENV=development": {"production", "production", 0.8075, "Explicit environment from ENVIRONMENT=production (note: 1 conflicting signals detected)"},
		"ENVIRONMENT=staging DEBUG=false":             {"staging", "production", 0.8075, "Explicit environment from ENVIRONMENT=staging (note: 1 conflicting signals detected)"},
		"NODE_ENV=production":                         {"production", "production", 0.85, "Explicit environment from NODE_ENV=production"},
		"DEBUG=true":                                  {"development", "development", 0.70, "Development indicators detected: DEBUG=true"},
		"DEBUG=1":                                     {"development", "development", 0.70, "Development indicators detected: DEBUG=1"},
		"DEBUG=false":                                 {"production", "production", 0.75, "Production indicators detected: DEBUG=false"},
		"DEBUG=0":                                     {"production", "production", 0.75, "Production indicators detected: DEBUG=0"},
		"DEBUG=False PRODUCTION=True":                 {"production", "production", 0.80, "Production indicators detected: PRODUCTION=true (confirmed by 1 additional signals)"},
		"PROD=true":                                   {"production", "production", 0.75, "Production indicators detected: PROD=true"},
		"HOSTNAME=prod-web-1":                         {"production", "production", 0.70, "Host name 'prod-web-1' matches the production pattern"},
		"HOSTNAME=dev-box":                            {"development", "development", 0.60, "Host name 'dev-box' matches the development pattern"},
		"HOSTNAME=staging-7":                          {"staging", "production", 0.65, "Host name 'staging-7' matches the staging pattern"},
		"HOSTNAME=preprod-1":                          {"production", "production", 0.70, "Host name 'preprod-1' matches the production pattern (note: 1 conflicting signals detected)"},
		".env .git":                                   {"development", "development", 0.75, "Development indicators detected: file .env (confirmed by 1 additional signals)"},
		".env .git docker-compose.dev.yml":            {"development", "development", 0.80, "Development indicators detected: file .env (confirmed by 2 additional signals)"},
		"ENVIRONMENT=production .env .git":            {"production", "production", 0.95, "Explicit environment from ENVIRONMENT=production (note: 2 conflicting signals detected)"},
		"ENVIRONMENT=qa":                              {"unknown", "simple", 0.50, "No clear environment indicators found, using simple preset as safe default"},
		"":                                            {"unknown", "simple", 0.50, "No clear environment indicators found, using simple preset as safe default"},
		"ENVIRONMENT=prod-eu":                         {"production", "production", 0.75, "Explicit environment from ENVIRONMENT=prod-eu, which matches the production pattern"},
		"APP_ENV=preprod-2":                           {"staging", "production", 0.70, "Explicit environment from APP_ENV=preprod-2, which matches the staging pattern"},
		"DJANGO_SETTINGS_MODULE=shop.settings.development": {"development", "development", 0.75, "Explicit environment from DJANGO_SETTINGS_MODULE=shop.settings.development, which matches the development pattern"},
		"ENVIRONMENT=nonprod":                              {"unknown", "simple", 0.50, "No clear environment indicators found, using simple preset as safe default"},
		"HOSTNAME=device-7":                                {"unknown", "simple", 0.50, "No clear environment indicators found, using simple preset as safe default"},
		"NODE_ENV=dev FLASK_ENV=prod":                      {"development", "development", 0.7225, "Explicit environment from NODE_ENV=dev (note: 1 conflicting signals detected)"},
		"HOSTNAME=nonprod-1":                               {"unknown", "simple", 0.50, "No clear environment indicators found, using simple preset as safe default"},
		"RAILS_ENV=test":                                   {"testing", "development", 0.85, "Explicit environment from RAILS_ENV=test"},
		"ENVIRONMENT=Live ENV=prod FLASK_ENV=stage":        {"production", "production", 0.833, "Explicit environment from ENVIRONMENT=Live (confirmed by 1 additional signals) (note: 1 conflicting signals detected)"},
		"HOST=localhost":                                   {"development", "development", 0.70, "Development indicators detected: HOST, which is this machine"},
		"HOST=127.0.0.1:80":                                {"development", "development", 0.70, "Development indicators detected: HOST, which is this machine"},
		"HOST=api.prod.example":                            {"production", "production", 0.75, "Production indicators detected: HOST, which names production"},
		"HOST=main.example":                                {"unknown", "simple", 0.50, "No clear environment indicators found, using simple preset as safe default"},
		"DATABASE_URL=postgres://u:p@db/production":        {"production", "production", 0.75, "Production indicators detected: DATABASE_URL, which names production"},
		"DATABASE_URL=postgres://production:production@db": {"unknown", "simple", 0.50, "No clear environment indicators found, using simple preset as safe default"},
		"DATABASE_URL=postgres://u:p@preprod/nonprod":      {"unknown", "simple", 0.50, "No clear environment indicators found, using simple preset as safe default"},
		"ENFORCE_AUTH=true":                                {"unknown", "simple", 0.50, "No clear environment indicators found, using simple preset as safe default"},
		"NODE_ENV=dev DEBUG=true .env .git":                {"development", "development", 0.98, "Explicit environment from NODE_ENV=dev (confirmed by 3 additional signals)"},
	} {
		t.Run(things, func(t *testing.T) {
			got := config.Detect(around(strings.Fields(things)...))
			if got.Environment != want.environment+" (auto-detected)" || got.Preset != want.preset || got.Confidence != want.confidence || got.Reasoning != want.reasoning || !got.Detected {
				t.Errorf("Detect(%s) =\n  %+v\nwant\n  %+v", things, got, want)
			}
		})
	}
}

func TestDetectListsAllSignals(t *testing.T) {
	s := around("NODE_ENV=dev", "ENVIRONMENT= prod ", "DEBUG=1", "PROD=true", ".git", "HOST=localhost", "DATABASE_URL=mysql://u:secret@production/", "ENFORCE_AUTH=Yes")
	s.Hostname, s.Security = "preprod-1", true
	var got []string
	for _, signal := range config.Detect(s).Signals {
		got = append(got, fmt.Sprintf("%s %.2f %s", signal.Environment, signal.Confidence, signal.Source))
		if strings.Contains(fmt.Sprint(signal), "secret") {
			t.Errorf("a signal shows the password: %+v", signal)
		}
	}
	wantList(t, "signals", "everything", got, []string{
		"production 0.95 ENVIRONMENT=prod",
		"development 0.85 NODE_ENV=dev",
		"development 0.70 DEBUG=1",
		"development 0.70 file .git",
		"development 0.70 HOST, which is this machine",
		"production 0.75 PROD=true",
		"production 0.75 DATABASE_URL, which names production",
		"staging 0.65 host name preprod-1",
		"production 0.70 host name preprod-1",
		"production 0.98 ENFORCE_AUTH=yes",
	})
}

func TestDetectForSecurity(t *testing.T) {
	for value, want := range map[string]string{"true": "production", "1": "production", "YES": "production", "on": "unknown", "false": "unknown"} {
		s := around("ENFORCE_AUTH=" + value)
		s.Security = true
		got := config.Detect(s)
		if got.Environment != want+" (auto-detected)" || want == "production" && got.Confidence != 0.98 {
			t.Errorf("Detect(ENFORCE_AUTH=%s) = %+v, want %s", value, got, want)
		}
	}
}

// What is known by name has a preset, whatever signal says it.
func TestDetectMapsAllEnvironments(t *testing.T) {
	for environment, want := range map[string]string{
		"development": "development", "testing": "development", "staging": "production", "production": "production",
	} {
		if got := config.Detect(around("RAILS_ENV=" + environment)); got.Preset != want || got.Environment != environment+" (auto-detected)" {
			t.Errorf("Detect of %s = %+v, want %s", environment, got, want)
		}
	}
}

func TestDetectOfNothing(t *testing.T) {
	if got := config.Detect(config.Surroundings{}); got.Preset != "simple" || got.Confidence != 0.5 || len(got.Signals) > 0 {
		t.Errorf("Detect of nothing = %+v, want simple, 0.5", got)
	}
}

// The variable HOSTNAME goes before what the machine says.
func TestDetectHostname(t *testing.T) {
	s := around("HOSTNAME=dev-1")
	s.Hostname = "prod-1"
	if got := config.Detect(s); got.Environment != "development (auto-detected)" || len(got.Signals) != 1 {
		t.Errorf("Detect = %+v, want development by one signal", got)
	}
}

func TestHere(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("ENVIRONMENT", "staging")
	here := config.Here()
	if v, ok := here.Lookup("ENVIRONMENT"); !ok || v != "staging" {
		t.Errorf("Lookup(ENVIRONMENT) = %q, %t", v, ok)
	}
	if here.Exists(".git") {
		t.Error("there is a .git in an empty folder")
	}
	if err := os.Mkdir(filepath.Join(dir, ".git"), 0o700); err != nil {
		t.Fatal(err)
	}
	if !here.Exists(".git") {
		t.Error("there is no .git where there is one")
	}
	if name, err := os.Hostname(); err == nil && here.Hostname != name {
		t.Errorf("Hostname = %q, want %q", here.Hostname, name)
	}
	if got := config.Detect(here); got.Environment != "staging (auto-detected)" || len(got.Signals) < 2 {
		t.Errorf("Detect(Here()) = %+v, want staging by two signals and more", got)
	}
}

func ExampleDetect() {
	r := config.Detect(config.Surroundings{Lookup: env("ENVIRONMENT=production", "NODE_ENV=production")})
	fmt.Println(r.Environment, r.Preset, r.Confidence)
	for _, s := range r.Signals {
		fmt.Println(s.Source, s.Confidence)
	}
	// Output:
	// production (auto-detected) production 0.98
	// ENVIRONMENT=production 0.95
	// NODE_ENV=production 0.85
}
