package api

import (
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
)

// maxStateValues bounds how many values of a configuration an entry of the audit log names.
const maxStateValues = 50

// The states of what changed, as the audit log has them.
type (
	breakerState struct {
		State      string     `json:"state"`
		Reason     string     `json:"reason"`
		Author     string     `json:"author,omitempty"`     // of an operator's word
		ExpiresAt  *time.Time `json:"expires_at,omitempty"` // of an operator's word
		Failures   int        `json:"failures"`
		Generation uint64     `json:"generation"` // tells which change followed which
	}

	countsState struct {
		Operations int    `json:"operations"`
		Calls      uint64 `json:"total_calls"`
		Succeeded  uint64 `json:"successful_calls"`
		Failed     uint64 `json:"failed_calls"`
		Rejected   uint64 `json:"rejected_calls"`
		Retries    uint64 `json:"retry_attempts"`
		Opens      uint64 `json:"circuit_breaker_opens"`
	}

	monitoringState struct {
		Events int  `json:"metrics"`
		Alerts int  `json:"alerts"`
		Hours  *int `json:"cleanup_threshold_hours,omitempty"` // from which age on everything went
	}

	configState struct {
		Version    int               `json:"config_version"`
		Preset     string            `json:"preset_name"`
		By         string            `json:"by,omitempty"`
		Reason     string            `json:"reason,omitempty"`
		RollbackOf int               `json:"rollback_of,omitempty"`
		Values     map[string]string `json:"values"`            // those that changed, where there are any
		Omitted    int               `json:"omitted,omitempty"` // how many more changed
	}
)

func stateOfBreaker(s *trysail.BreakerSnapshot) breakerState {
	state := breakerState{State: s.State.String(), Reason: s.Reason, Failures: s.Failures, Generation: s.Generation, ExpiresAt: maybe(s.ExpiresAt)}
	if s.Override != (trysail.Override{}) {
		state.Reason, state.Author = s.Override.Reason, s.Override.Author
	}
	return state
}

func (c *countsState) add(m *trysail.OperationMetrics) {
	c.Operations++
	c.Calls += m.Calls
	c.Succeeded += m.Succeeded
	c.Failed += m.Failed
	c.Rejected += m.Rejected
	c.Retries += m.Retries
	c.Opens += m.Opens
}

// configStates are two versions as far as they differ. Values are cut as those of problems are.
func configStates(was, now *config.Version) (before, after any) {
	old := configState{Version: was.Number, Preset: was.Loaded.Preset.Key, Values: map[string]string{}}
	fresh := configState{
		Version: now.Number, Preset: now.Loaded.Preset.Key, By: now.By, Reason: now.Why, RollbackOf: now.Of, Values: map[string]string{},
	}
	differences := now.Loaded.Since(&was.Loaded)
	for i, d := range differences {
		if i == maxStateValues {
			fresh.Omitted = len(differences) - i
			break
		}
		if d.OldOrigin != (config.Origin{}) {
			old.Values[cut(d.Name)] = cut(d.Old)
		}
		if d.NewOrigin != (config.Origin{}) {
			fresh.Values[cut(d.Name)] = cut(d.New)
		}
	}
	if was.Number == 0 {
		return nil, fresh
	}
	return old, fresh
}
