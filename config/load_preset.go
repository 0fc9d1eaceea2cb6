package config

import (
	"fmt"
	"strings"
)

// auto is the word for the preset that fits where the program runs.
const auto = "auto"

// fail notes what keeps the configuration from being loaded.
func (l *loading) fail(operation string, err error) {
	l.errs = append(l.errs, err)
	l.failure(operation, err)
}

// choice is a preset that somebody wants.
type choice struct {
	key    string
	origin Origin
}

// preset settles what everything else is put on. It reports false if there is no such preset.
func (l *loading) preset() bool {
	wanted := l.wanted()
	if wanted.key == "" && l.legacyMode() {
		l.out.Legacy = true
		l.start(legacyPreset(), Origin{FromLegacy, strings.Join(l.legacyGiven(), ", ")})
		l.out.base.origin = from(Origin{FromDefault, "of the old variables"})
		l.step("the old variables decide")
		l.used("load_legacy_config", map[string]string{"config_type": "legacy"})
		return true
	}
	l.out.Legacy = l.legacyMode()
	if wanted.key == "" {
		wanted = choice{"simple", Origin{FromDefault, ""}}
	}
	if wanted.key == auto {
		wanted = l.detected(wanted.origin)
	}
	find := l.Presets
	if find == nil {
		find = Find
	}
	preset, err := find(wanted.key)
	if err != nil {
		if wanted.origin.Source == FromFile {
			err = fmt.Errorf("%w (%s)", err, wanted.origin)
		}
		l.fail("load_preset", err)
		return false
	}
	l.start(preset, wanted.origin)
	if l.out.Legacy {
		l.out.Trysail.Preset = legacyKey
	}
	l.step("preset %s (%s)", preset.Key, wanted.origin)
	l.used("load_preset", map[string]string{"config_type": "preset"})
	return true
}

// wanted returns the preset of the strongest source that names one. Its key is empty if none does.
func (l *loading) wanted() choice {
	switch key := l.env.Value("RESILIENCE_PRESET", ""); {
	case l.said.preset != "":
		return choice{l.said.preset, Origin{FromReload, l.said.presetBy}}
	case l.Flags.Preset != "":
		return choice{l.Flags.Preset, Origin{FromFlag, "preset"}}
	case key != "":
		return choice{key, l.variable("RESILIENCE_PRESET")}
	case l.File != nil && l.File.Preset != "":
		return choice{l.File.Preset, l.File.Origin("preset")}
	default:
		return choice{}
	}
}

// detected is the preset that fits where the program runs.
func (l *loading) detected(asked Origin) choice {
	detect := l.Detect
	if detect == nil {
		detect = detectByName
	}
	key, reason := detect(l.env)
	if key == "" {
		l.warn("nothing says where the program runs (%s is %s): preset simple applies", asked, auto)
		l.out.Preset.Key = "simple"
		l.used("fallback_preset", map[string]string{"original_preset": auto})
		return choice{"simple", Origin{asked.Source, asked.Detail + ", which found nothing"}}
	}
	l.step("detected preset %s: %s", key, reason)
	return choice{key, Origin{asked.Source, fmt.Sprintf("%s=%s: %s", asked.Detail, auto, reason)}}
}

// detectByName suggests a preset by the variables that name the environment.
func detectByName(variables Environ) (preset, reason string) {
	switch env := DetectEnvironment(variables); env.Name {
	case "development", "testing":
		return "development", env.Source
	case "staging", "production":
		return "production", env.Source
	default:
		return "", ""
	}
}
