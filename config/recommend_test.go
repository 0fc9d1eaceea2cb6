package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/trysail-go/trysail/config"
)

func TestRecommendKnownNames(t *testing.T) {
	for name, tc := range map[string]struct {
		preset     string
		confidence float64
		reasoning  string // a part of it
	}{
		"development":  {"development", 0.95, "development environment"},
		"dev":          {"development", 0.90, "development environment"},
		"testing":      {"development", 0.85, "testing environment"},
		"test":         {"development", 0.85, "testing environment"},
		"staging":      {"production", 0.90, "staging environment"},
		"stage":        {"production", 0.85, "staging environment"},
		"production":   {"production", 0.95, "High-reliability requirements detected for production environment"},
		"prod":         {"production", 0.90, "High-reliability requirements detected for production environment"},
		"live":         {"production", 0.85, "High-reliability requirements detected for production environment"},
		" PRODUCTION ": {"production", 0.95, "production environment"},
		"Dev\n":        {"development", 0.90, "development environment"},
	} {
		got := config.Recommend(name)
		if got.Environment != name || got.Preset != tc.preset || got.Confidence != tc.confidence || !strings.Contains(got.Reasoning, tc.reasoning) || got.Detected {
			t.Errorf("Recommend(%q) = %+v, want %s, %v, ...%s...", name, got, tc.preset, tc.confidence, tc.reasoning)
		}
	}
}

func TestRecommendPatterns(t *testing.T) {
	staging := []string{
		"preprod-testing", "integration-tests", // of the contract
		"stag", "eu-stag", "staging2", "staging-eu", "my_staging_env", "pre-prod", "preprod", "pre_prod", "preproduction", "pre-production", "uat", "uat2",
		"UAT-EU", "integration", "integrationserver", "pre-release", "stagingcluster",
	}
	development := []string{
		"sandbox-testing", // of the contract
		"local", "localhost", "localdev", "dev-eu", "dev1", "devbox", "devserver", "my-dev-box", "development-eu", "testenv", "unit-tests", "unittest", "sandbox",
		"demo", "demo.example", "mydev", "apptest", "dev/prod", "test_main",
	}
	production := []string{
		"stable-main", // of the contract
		"prod-eu", "prod1", "PROD_EU_WEST", "production-east", "my-prod", "prodcluster", "prodeuwest", "live-site", "release", "release-1.2", "stable", "main", "master",
		"app.production.example", "myapp.settings.production",
	}
	for family, names := range map[string][]string{"staging": staging, "development": development, "production": production} {
		preset, confidence := "production", 0.75
		switch family {
		case "staging":
			confidence = 0.70
		case "development":
			preset = "development"
		}
		for _, name := range names {
			got := config.Recommend(name)
			if got.Preset != preset || got.Confidence != confidence || !strings.Contains(got.Reasoning, "'"+name+"' matches the "+family+" pattern") {
				t.Errorf("Recommend(%q) = %+v, want %s, %v, the %s pattern", name, got, preset, confidence, family)
			}
		}
	}
}

// Names with a telling word in them that do not mean it.
func TestRecommendIsNotTrapped(t *testing.T) {
	for _, name := range []string{
		"nonprod", "non-prod", "non_production", "NonProduction", "not-prod", "no-prod", "nonprod-eu", "non-live",
		"device", "devices", "latest", "domain", "delivery", "evaluation", "product", "products-eu", "maintenance", "mainframe", "livestock", "contest",
		"attestation", "unstable", "protest", "demographics", "hostage", "stagnant", "locale", "masterclass",
		"", "qa", "blue", strings.Repeat("prod", 20), "canary", "eu-west-1", "42", "\x00", "prüfung",
	} {
		got := config.Recommend(name)
		if got.Preset != "simple" || got.Confidence != 0.40 || got.Environment != name {
			t.Errorf("Recommend(%q) = %+v, want simple, 0.4", name, got)
		}
	}
	const want = "Unknown environment pattern 'blue', defaulting to simple preset"
	if got := config.Recommend(" blue").Reasoning; got != want {
		t.Errorf("reasoning = %q, want %q", got, want)
	}
	if got := config.Recommend("nonprod-dev"); got.Preset != "development" {
		t.Errorf("Recommend(nonprod-dev) = %+v, want development: it says so", got)
	}
}

// Whatever the name: a preset that there is, a confidence, a sentence; and detection agrees with what it is told.
func FuzzRecommend(f *testing.F) {
	for _, seed := range []string{"production", "preprod-1", "nonprod", "", "a\xffb", strings.Repeat("devnonpre", 100), "İstaging", "no\nprod"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := config.Recommend(name)
		checkRecommendation(t, got)
		if got.Environment != name {
			t.Errorf("Recommend(%q) is about %q", name, got.Environment)
		}
		for _, variable := range []string{"ENVIRONMENT", "HOSTNAME", "DATABASE_URL"} {
			detected := config.Detect(config.Surroundings{Lookup: env(variable + "=" + name)})
			checkRecommendation(t, detected)
			if variable == "ENVIRONMENT" && detected.Preset != got.Preset {
				t.Errorf("Detect with ENVIRONMENT=%q = %s, Recommend %s", name, detected.Preset, got.Preset)
			}
		}
	})
}

func checkRecommendation(t *testing.T, r config.Recommendation) {
	t.Helper()
	if !slices.Contains([]string{"simple", "development", "production"}, r.Preset) || !(r.Confidence >= 0 && r.Confidence <= 1) {
		t.Errorf("a recommendation out of bounds: %+v", r)
	}
	if r.Reasoning == "" || !utf8.ValidString(r.Reasoning) || strings.ContainsAny(r.Reasoning, "\n\x00\x1b") {
		t.Errorf("a reasoning that cannot be shown: %q", r.Reasoning)
	}
	for _, s := range r.Signals {
		if s.Confidence < 0.5 || s.Confidence > 1 || s.Source == "" || strings.ContainsAny(s.Source+s.Reasoning, "\n\x00\x1b") {
			t.Errorf("a signal out of bounds: %+v", s)
		}
	}
}

func BenchmarkRecommend(b *testing.B) {
	for b.Loop() {
		if r := config.Recommend("prodcluster-eu-west-1"); r.Preset != "production" {
			b.Fatal(r)
		}
	}
}

func ExampleRecommend() {
	for _, name := range []string{"prod-eu", "nonprod", "staging"} {
		r := config.Recommend(name)
		fmt.Printf("%s %.2f %s\n", r.Preset, r.Confidence, r.Reasoning)
	}
	// Output:
	// production 0.75 Environment 'prod-eu' matches the production pattern: users depend on it
	// simple 0.40 Unknown environment pattern 'nonprod', defaulting to simple preset
	// production 0.90 Production-like behaviour wanted in a staging environment: what holds there should hold in production
}
