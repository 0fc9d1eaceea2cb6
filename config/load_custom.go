package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/trysail-go/trysail"
)

const customVariable = "RESILIENCE_CUSTOM_CONFIG"

// An overlay is what somebody has said through the API since the sources were read alone.
type overlay struct {
	preset   string // empty: nothing
	presetBy string // who

	replaced bool   // whether custom is there in place of all custom numbers of the sources
	custom   string // a document; empty: no numbers
	customBy string
}

// numbers lays on top what the variables, the flags and the API say.
func (l *loading) numbers() {
	if l.said.replaced {
		l.ignoreLegacy(l.explicitly())
		l.override()
		return
	}
	l.legacy()
	l.customVariable()
	if !l.Flags.Custom.empty() {
		l.put(layer{custom: l.Flags.Custom, origin: from(Origin{FromFlag, "custom"})})
		l.step("numbers of the flags")
	}
}

// override lays on top what somebody has said through the API. A fault in it is one of the reload.
func (l *loading) override() {
	custom, who := Custom{}, l.said.customBy
	if l.said.custom != "" {
		var report Report
		custom, report = l.checkCustom(l.said.custom)
		if !report.Valid() {
			l.fail("parse_custom_config", fmt.Errorf("custom configuration is refused:\n%w", report.Err()))
			return
		}
		for _, finding := range report.Warnings {
			l.warn("custom configuration: %s", finding.Message)
		}
	}
	if custom.empty() {
		l.step("all custom numbers are cleared")
		return
	}
	l.put(layer{custom: custom, origin: func(path string) Origin {
		if strings.HasPrefix(path, "operation_overrides.") {
			return Origin{FromOverride, who}
		}
		return Origin{FromReload, who}
	}})
	l.applied(custom)
}

func (l *loading) applied(custom Custom) {
	keys := strings.Join(custom.keys(), ", ")
	l.step("custom numbers: %s", keys)
	l.used("apply_custom_config", map[string]string{"config_type": "custom", "custom_keys": keys})
}

// customVariable lays RESILIENCE_CUSTOM_CONFIG on top, all of it or nothing.
func (l *loading) customVariable() {
	document := l.env.Value(customVariable, "")
	if document == "" {
		return
	}
	custom, report := l.checkCustom(document)
	if !report.Valid() {
		l.refuse(report)
		return
	}
	for _, finding := range report.Warnings {
		l.warn("%s: %s", l.place(customVariable), finding.Message)
	}
	if custom.empty() {
		l.warn("%s holds no field: it changes nothing", l.place(customVariable))
		return
	}
	l.put(layer{custom: custom, origin: from(l.variable(customVariable))})
	l.applied(custom)
}

// checkCustom validates a custom configuration on top of what there is so far. That is more than a preset where
// there is a file: then both are checked together, and with what the library says of it.
func (l *loading) checkCustom(document string) (Custom, Report) {
	preset := l.out.Preset
	opts := ValidateOptions{Operations: l.known(), AllowEmpty: true, Base: &preset}
	if len(l.out.layers) == 0 {
		return Validate([]byte(document), opts)
	}
	opts.Base = nil
	custom, report := Validate([]byte(document), opts)
	if !report.Valid() {
		return custom, report
	}
	if err := l.check(custom); err != nil {
		report.refuse(Finding{
			Rule:       RuleMerged,
			Message:    fmt.Sprintf("Configuration does not go together with that of %s: %v", l.below(), err),
			Suggestion: "Give the other numbers that the message names, too",
		})
		return Custom{}, report
	}
	return custom, report
}

// check asks the library about custom on top of what there is, and blames custom only for what is not bad already.
func (l *loading) check(custom Custom) error {
	with := l.out.Trysail
	with.Operations, with.Classes = nil, nil
	if _, err := trysail.New(with); err != nil {
		return nil
	}
	with.Strategies = nil // the names of operations are checked already
	custom.put(&with)
	_, err := trysail.New(with)
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// below names where the numbers are from that a custom configuration is put on.
func (l *loading) below() string {
	if l.File != nil {
		return l.File.Name
	}
	return "preset '" + printable(short(l.out.Preset.Key)) + "'"
}

// refuse leaves the preset as it is, or fails if there is an older configuration that can stay.
func (l *loading) refuse(report Report) {
	err := fmt.Errorf("%s is refused:\n%w", l.place(customVariable), report.Err())
	l.failure("parse_custom_config", err)
	if l.strict {
		l.errs = append(l.errs, err)
		return
	}
	l.out.Refused = err
	l.step("%s is refused, the numbers below it stay", customVariable)
	l.used("ignore_custom_config", map[string]string{"config_type": "preset"})
}
