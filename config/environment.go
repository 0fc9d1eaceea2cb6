package config

import "strings"

// environmentVariables may name the environment, in the order of preference.
var environmentVariables = []string{ //nolint:gochecknoglobals // a table that nothing changes
	"ENVIRONMENT", "NODE_ENV", "FLASK_ENV", "APP_ENV", "ENV", "DEPLOYMENT_ENV", "DJANGO_SETTINGS_MODULE", "RAILS_ENV",
}

// An Environment is where the program runs, as far as it was told.
type Environment struct {
	Name   string // development, testing, staging, production, or "" when nothing says
	Source string // what said so, such as "ENVIRONMENT=prod"
}

// Guarded reports whether the environment is one in which an unprotected
// server must not start.
func (e Environment) Guarded() bool { return e.Name == "production" || e.Name == "staging" }

// DetectEnvironment returns the environment that the variables name, for a decision that must not be a guess; [Detect]
// guesses. Only whole words count, so that "nonprod" is not taken for production. ENFORCE_AUTH
// outranks all names: who asks for authentication means production.
func DetectEnvironment(lookup func(string) (string, bool)) Environment {
	env := Environ(lookup)
	if v := strings.ToLower(env.Value("ENFORCE_AUTH", "")); v == "true" || v == "1" || v == "yes" {
		return Environment{Name: "production", Source: "ENFORCE_AUTH=" + v}
	}
	for _, variable := range environmentVariables {
		value := env.Value(variable, "")
		if k := findName(strings.ToLower(value)); k != nil {
			return Environment{Name: k.environment, Source: variable + "=" + value}
		}
	}
	return Environment{}
}
