package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/server/configfile"
)

// parsed returns the settings of a command line.
func parsed(t *testing.T, args ...string) *serveCmd {
	t.Helper()
	var c cli
	parser, err := kong.New(&c, kong.Bind(&program{lookup: func(string) (string, bool) { return "", false }}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(append([]string{"serve"}, args...)); err != nil {
		t.Fatal(err)
	}
	return &c.Serve
}

// sectionsOf is the opposite of over.
func sectionsOf(s *serveCmd) (*serverSection, *gatewaySection) {
	server := &serverSection{
		Addr: &s.Addr, LogFormat: &s.LogFormat, ShutdownTimeout: &s.ShutdownTimeout, ShutdownDelay: &s.ShutdownDelay, DataDir: &s.DataDir,
		ValidationsPerMinute: &s.ValidationsPerMinute, ValidationsPerHour: &s.ValidationsPerHour, ValidationCooldown: &s.ValidationCooldown,
	}
	gateway := &gatewaySection{
		OpenAIBaseURL: &s.OpenAIBaseURL, MaxBody: new(configfile.Size(s.MaxBody)), MaxAnswer: new(configfile.Size(s.MaxAnswer)),
		MaxOperations: &s.MaxOperations, ConnectTimeout: &s.ConnectTimeout, FirstTokenTimeout: &s.FirstTokenTimeout,
		AnswerTimeout: &s.AnswerTimeout, IdleTimeout: &s.IdleTimeout, TotalTimeout: &s.TotalTimeout, ClientTimeout: &s.ClientTimeout,
		SimulateFaultRate: &s.SimulateFaultRate, SimulateTokenDelay: &s.SimulateTokenDelay,
	}
	return server, gateway
}

// configured takes a text for the file.
func configured(t *testing.T, text string) *configuration {
	t.Helper()
	c, err := tryConfigured(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return c
}

func tryConfigured(text string) (*configuration, error) {
	file, err := configfile.Parse("trysail.yaml", []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		return nil, err
	}
	return readConfiguration(&configfile.Loader{}, file)
}

// Whatever a flag says, the file can say, and a flag goes before it.
func TestEveryFlagHasAKey(t *testing.T) {
	var c cli
	parser, err := kong.New(&c, kong.Bind(&program{}))
	if err != nil {
		t.Fatal(err)
	}
	value := func(s *serveCmd, flag string) any {
		for _, node := range parser.Model.Children {
			for _, f := range node.Flags {
				if node.Name == "serve" && f.Name == flag {
					return valueOf(s, flag)
				}
			}
		}
		return nil
	}
	count := 0
	for _, node := range parser.Model.Children {
		if node.Name != "serve" {
			continue
		}
		for _, flag := range node.Flags {
			switch flag.Name {
			case "help", "config", "env-file": // what is read, not what is said
				continue
			case "log-level": // the library takes it: TestPrecedence of package config
				continue
			}
			count++
			t.Run(flag.Name, func(t *testing.T) {
				said := sayOther(flag.Name)
				section, key, nested := strings.Cut(keyOf(flag.Name), ".")
				text := section + ":\n  " + key + ": " + said
				if !nested {
					text = section + ": " + said
				}
				file := configured(t, text)
				before := value(parsed(t), flag.Name)
				if got := value(parsed(t).over(file), flag.Name); got == before || got == nil {
					t.Errorf("%s leaves it at %v", text, before)
				}
				given := parsed(t, "--"+flag.Name+"="+flag.Default)
				if got := value(given.over(file), flag.Name); got != before {
					t.Errorf("the flag says %v, and the file made it %v", before, got)
				}
			})
		}
	}
	if count < 15 {
		t.Errorf("found %d flags, want all of them", count)
	}
}

// sayOther is a value that is good and not the default.
func sayOther(flag string) string {
	switch {
	case strings.HasSuffix(flag, "-timeout"), strings.HasSuffix(flag, "-delay"), strings.HasSuffix(flag, "-cooldown"):
		return "17s"
	case flag == "addr":
		return "127.0.0.1:9999"
	case flag == "data-dir":
		return "/var/lib/trysail"
	case flag == "trusted-proxies":
		return "[10.0.0.0/8]"
	case flag == "log-format":
		return "json"
	case flag == "simulate-fault-rate":
		return "0.5"
	case flag == "openai-base-url":
		return "http://127.0.0.1:1/v1"
	default:
		return "77"
	}
}

func valueOf(s *serveCmd, flag string) any {
	switch flag {
	case "addr":
		return s.Addr
	case "data-dir":
		return s.DataDir
	case "trusted-proxies":
		return strings.Join(s.TrustedProxies, ",")
	case "log-format":
		return s.LogFormat
	case "validations-per-minute":
		return s.ValidationsPerMinute
	case "validations-per-hour":
		return s.ValidationsPerHour
	case "validation-cooldown":
		return s.ValidationCooldown
	case "shutdown-timeout":
		return s.ShutdownTimeout
	case "shutdown-delay":
		return s.ShutdownDelay
	case "openai-base-url":
		return s.OpenAIBaseURL
	case "max-body":
		return s.MaxBody
	case "max-answer":
		return s.MaxAnswer
	case "log-body":
		return s.LogBody
	case "max-operations":
		return s.MaxOperations
	case "connect-timeout":
		return s.ConnectTimeout
	case "first-token-timeout":
		return s.FirstTokenTimeout
	case "answer-timeout":
		return s.AnswerTimeout
	case "idle-timeout":
		return s.IdleTimeout
	case "total-timeout":
		return s.TotalTimeout
	case "client-timeout":
		return s.ClientTimeout
	case "simulate-fault-rate":
		return s.SimulateFaultRate
	case "simulate-token-delay":
		return s.SimulateTokenDelay
	default:
		return nil
	}
}

// uncommented takes every setting of the example out of its comment.
func uncommented(text string) string {
	setting := regexp.MustCompile(`(?m)^#([a-z]|(?:  )+[a-z#])`)
	prose := regexp.MustCompile(`(?m)^#$`)
	return prose.ReplaceAllString(setting.ReplaceAllString(text, "$1"), "")
}

// The example says the defaults: as it is, where all is a comment, and with every setting taken out of its comment.
func TestExampleFileIsTheDefaults(t *testing.T) {
	text := example(t)
	uncommented := uncommented(text)
	if strings.Count(uncommented, "\n") < 150 || strings.Contains(uncommented, "\n#policy") {
		t.Fatalf("the example was not taken out of its comments:\n%s", uncommented)
	}
	want, err := config.Sources{}.Load()
	if err != nil {
		t.Fatal(err)
	}
	wantOrc, err := trysail.New(want.Trysail)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"as it is": text, "uncommented": uncommented} {
		t.Run(name, func(t *testing.T) {
			c := configured(t, text)
			if diff := cmp.Diff(parsed(t), parsed(t).over(c), cmpopts.IgnoreUnexported(serveCmd{})); diff != "" {
				t.Errorf("settings of the program: %s", diff)
			}
			got, err := config.Sources{File: c.document}.Load()
			if err != nil {
				t.Fatal(err)
			}
			orc, err := trysail.New(got.Trysail)
			if err != nil {
				t.Fatal(c.locate(err))
			}
			is, was := orc.Configuration(), wantOrc.Configuration()
			if diff := cmp.Diff(was, is, cmpopts.IgnoreUnexported(trysail.RetryBudget{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("configuration of the library: %s", diff)
			}
			if is.Default != was.Default {
				t.Errorf("policy is %+v, want %+v", is.Default, was.Default)
			}
		})
	}
}
