package config

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/trysail-go/trysail"
)

// ErrVersion is the error for a version that is not, or no longer, kept.
var ErrVersion = errors.New("unknown version")

// A ReloaderConfig sets up a [Reloader].
type ReloaderConfig struct {
	// Orchestrator is what configurations are applied to. Required.
	Orchestrator *trysail.Orchestrator

	// Start is the configuration that the orchestrator was made of. It is version 1, or the one after Earlier. If it comes to the same
	// as the newest of Earlier, it is that one.
	Start Loaded

	// Earlier are versions from before the program was started, such as [DecodeVersion] returns: in the order of their numbers, each
	// once. The newest are kept. The Reloader may change them.
	Earlier []Version

	// Also puts the Companion of a configuration into effect. It is called after the engine has taken the configuration, also if both are the same as
	// before, and never in a dry run. An error fails the reload: the engine goes back to where it was, and what Also does must be whole or not at all. Required if
	// there is a Companion.
	Also func(context.Context, Companion) error

	// Restore makes the Companion of an earlier version ready for a rollback: it reads its secrets anew. It changes nothing; an error fails the
	// rollback. Nil: a rollback leaves what goes with the engine as it is.
	Restore func(context.Context, Companion) (Companion, error)

	// Read reads all sources anew: .env file, configuration file. Required.
	Read func(context.Context) (Sources, error)

	// Keep is how many versions are kept: 2 to 1000. Default 20.
	Keep int

	// Applied hears of each new version, after it has taken effect, in their order. Nil: nobody does.
	Applied func(Version)

	// Alert hears of each reload that failed; the old configuration stays. Nil: nobody does.
	//
	// Applied and Alert are called one at a time, and no other reload begins before they return. They may ask for
	// versions, but must not reload.
	Alert func(Failure)
}

// A Failure is a reload that failed.
type Failure struct {
	Request Request
	Err     *ReloadError
	Time    time.Time
	Events  []Event // what a monitor should record
}

// A ReloadError says why a reload failed. Nothing has changed.
type ReloadError struct {
	Kept int // the version that stays
	Err  error
}

// Error names every fault.
func (e *ReloadError) Error() string {
	return fmt.Sprintf("the configuration is not reloaded, version %d stays: %v", e.Kept, e.Err)
}

// Unwrap returns the reason, such as an [*InvalidError] of a custom configuration.
func (e *ReloadError) Unwrap() error { return e.Err }

// A Request asks for a reload. One without Preset and Custom reads the sources and goes by them alone: what somebody has
// said through the API before ends.
type Request struct {
	Trigger Trigger
	By      string // who asks: a key's name, a user; may be empty
	Why     string // a reason for the list of versions; may be empty

	// Preset takes the place of the one that the sources name. Empty: the one of an earlier request of this kind
	// stays, if there was one.
	Preset string

	// Custom is a JSON object of the fields of [Fields]. It takes the place of all custom numbers and templates of the
	// sources, not of a file's policies. "null" clears them. Nil: those of an earlier request stay, if there was one.
	Custom []byte

	// DryRun says what would change, and changes nothing.
	DryRun bool
}

// A Result is what came of a reload.
type Result struct {
	Changed  bool // whether there is, or with DryRun would be, a new version
	DryRun   bool
	Previous Version
	Current  Version        // with DryRun the one that would be, without a number
	Change   trysail.Change // of the engine's policies
	Warnings []string       // of loading, and about what this reload has ended
	Events   []Event        // what a monitor should record
}

// A Reloader puts an orchestrator under new configurations while it works: the one way for a signal, a changed file and the
// API. It loads, checks, and applies, all or nothing; calls that are under way end as they began, and none
// waits. It is safe for concurrent use: reloads follow each other, each reads the sources when it is its turn.
type Reloader struct {
	cfg  ReloaderConfig
	turn chan struct{} // holds a token while a reload is under way; not a mutex, because waiting must heed a context

	mu       sync.Mutex // guards what follows
	versions []Version  // the newest last, never empty
}

// NewReloader returns a Reloader, or an error that names every bad field.
func NewReloader(cfg ReloaderConfig) (*Reloader, error) {
	var errs []error
	if cfg.Orchestrator == nil {
		errs = append(errs, errors.New("Orchestrator is nil, want one from trysail.New"))
	}
	if cfg.Read == nil {
		errs = append(errs, errors.New("Read is nil, want a function that reads the sources"))
	}
	if cfg.Also == nil && cfg.Start.Companion != nil {
		errs = append(errs, errors.New("Also is nil, but there is a Companion, want a function that puts it into effect"))
	}
	if cfg.Keep = cmp.Or(cfg.Keep, 20); cfg.Keep < 2 || cfg.Keep > 1000 {
		errs = append(errs, fmt.Errorf("Keep is %d, want 2 to 1000, or 0 for 20", cfg.Keep))
	}
	last := 0
	for i := range cfg.Earlier {
		if n := cfg.Earlier[i].Number; n <= last {
			errs = append(errs, fmt.Errorf("Earlier[%d].Number is %d, want more than %d", i, n, last))
		}
		last = cfg.Earlier[i].Number
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("reloader config: %w", err)
	}
	return &Reloader{cfg: cfg, turn: make(chan struct{}, 1), versions: cfg.begin()}, nil
}

// begin returns the versions that there are at the start.
func (c *ReloaderConfig) begin() []Version {
	versions := slices.Clone(c.Earlier)
	for i := range versions {
		adoptBudgets(&versions[i].Loaded.Trysail, &c.Start.Trysail)
	}
	first := Version{Number: 1, Time: time.Now(), Trigger: TriggerStart, Loaded: c.Start, Events: c.Start.Events}
	if n := len(versions); n > 0 {
		newest := &versions[n-1]
		first.Number = newest.Number + 1
		if c.Start.same(&newest.Loaded) {
			newest.Loaded, newest.Events = c.Start, c.Start.Events
			return versions[max(n-c.Keep, 0):]
		}
	}
	versions = append(versions, first)
	return versions[max(len(versions)-c.Keep, 0):]
}

// Reload loads the configuration anew and applies it. After an error, a [*ReloadError] unless ctx has ended before its turn, all
// is as before. A custom configuration that is bad fails the reload, where at the start it would have been left out:
// there is a good configuration that can stay. What comes to the same as before makes no new version.
func (r *Reloader) Reload(ctx context.Context, req Request) (Result, error) {
	return r.inTurn(ctx, req, func() (Version, []string, error) {
		sources, err := r.cfg.Read(ctx)
		if err != nil {
			return Version{}, nil, err
		}
		loaded, err := sources.load(r.overlay(req), true)
		return Version{Loaded: loaded, Events: loaded.Events}, loaded.Warnings, err
	})
}

// Rollback applies an earlier version again, as a new version. Of the request Trigger, Preset and Custom have no meaning. A version
// that is not kept gives an error that satisfies errors.Is(err, ErrVersion). What goes with the engine goes back, too; where the version does not hold it, it
// stays, and a warning says so.
func (r *Reloader) Rollback(ctx context.Context, number int, req Request) (Result, error) {
	req.Trigger, req.Preset, req.Custom = TriggerRollback, "", nil
	return r.inTurn(ctx, req, func() (Version, []string, error) {
		old, err := r.Version(number)
		if err != nil {
			return Version{}, nil, err
		}
		next := Version{Loaded: old.Loaded, Of: number}
		warnings, err := r.restore(ctx, number, &next.Loaded)
		return next, append(warnings, next.Loaded.Warnings...), err
	})
}

// restore makes the Companion of an earlier version ready.
func (r *Reloader) restore(ctx context.Context, number int, old *Loaded) (warnings []string, err error) {
	current := r.Current()
	switch {
	case old.Companion != nil && r.cfg.Restore != nil:
		old.Companion, err = r.cfg.Restore(ctx, old.Companion)
		if err != nil {
			err = fmt.Errorf("restore version %d: %w", number, err)
		}
	case current.Loaded.Companion != nil:
		old.Companion = current.Loaded.Companion
		warnings = []string{fmt.Sprintf("version %d holds nothing but the engine's configuration: what goes with it, such as a gateway's targets, stays as it is", number)}
	}
	return warnings, err
}

// overlay is what somebody has said through the API, with the request.
func (r *Reloader) overlay(req Request) overlay {
	if req.Preset == "" && req.Custom == nil {
		return overlay{}
	}
	current := r.Current()
	said := current.Loaded.changed
	if req.Preset != "" {
		said.preset, said.presetBy = req.Preset, req.who()
	}
	if req.Custom != nil {
		said.replaced, said.custom, said.customBy = true, strings.TrimSpace(string(req.Custom)), req.who()
		if said.custom == "null" {
			said.custom = ""
		}
	}
	return said
}

func (req *Request) who() string { return cmp.Or(req.By, string(req.Trigger)) }

// inTurn makes a version and puts it into effect, and what goes with it.
func (r *Reloader) inTurn(ctx context.Context, req Request, prepare func() (Version, []string, error)) (Result, error) {
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return Result{}, fmt.Errorf("wait for another reload: %w", context.Cause(ctx))
	}
	defer func() { <-r.turn }()
	previous := r.Current()
	next, warnings, err := prepare()
	if err != nil {
		return Result{}, r.failed(req, previous, next.Events, err)
	}
	next.Time, next.Trigger, next.By, next.Why = time.Now(), req.Trigger, req.By, req.Why
	result := Result{DryRun: req.DryRun, Previous: previous, Current: next, Warnings: warnings, Events: next.Events}
	if was := previous.Loaded.changed; was != (overlay{}) && next.Loaded.changed == (overlay{}) {
		result.Warnings = append(result.Warnings[:len(result.Warnings):len(result.Warnings)],
			fmt.Sprintf("what %s had set no longer applies", cmp.Or(was.customBy, was.presetBy)))
	}
	if result.Changed = !next.Loaded.same(&previous.Loaded); result.Changed {
		err = r.apply(ctx, req, &result)
	} else if !req.DryRun {
		err = r.also(ctx, &next)
	}
	if err != nil {
		return Result{}, r.failed(req, previous, nil, err)
	}
	if !result.Changed {
		result.Current = r.refresh(req, next)
	}
	return result, nil
}

// apply puts a version into effect, or with DryRun says what it would do.
func (r *Reloader) apply(ctx context.Context, req Request, result *Result) (err error) {
	next := &result.Current
	if req.DryRun {
		result.Change, err = r.cfg.Orchestrator.Preview(next.Loaded.Trysail)
		next.Change = result.Change
		return err
	}
	result.Change, err = r.cfg.Orchestrator.Apply(next.Loaded.Trysail)
	if err != nil {
		return err
	}
	if err := r.also(ctx, next); err != nil {
		_, back := r.cfg.Orchestrator.Apply(result.Previous.Loaded.Trysail) // it was in effect: it is good
		return errors.Join(err, back)
	}
	next.Number, next.Change = result.Previous.Number+1, result.Change
	old, preset := result.Previous.Loaded.Preset.Key, next.Loaded.Preset.Key
	next.Events = append(next.Events[:len(next.Events):len(next.Events)], Event{
		Kind: EventChange, Operation: string(req.Trigger), Preset: preset,
		Metadata: map[string]string{"old_preset": old, "new_preset": preset},
	})
	result.Events = next.Events
	r.mu.Lock()
	r.versions = slices.Delete(append(r.versions, *next), 0, max(len(r.versions)+1-r.cfg.Keep, 0))
	r.mu.Unlock()
	if r.cfg.Applied != nil {
		r.cfg.Applied(*next)
	}
	return nil
}

// also puts into effect what goes with the engine.
func (r *Reloader) also(ctx context.Context, next *Version) error {
	if next.Loaded.Companion == nil {
		return nil
	}
	if r.cfg.Also == nil {
		return errors.New("there is a Companion, but ReloaderConfig.Also is nil")
	}
	return r.cfg.Also(ctx, next.Loaded.Companion)
}

// refresh has the current version know the same values at their new places: lines move when a comment is added.
func (r *Reloader) refresh(req Request, next Version) Version {
	r.mu.Lock()
	defer r.mu.Unlock()
	current := &r.versions[len(r.versions)-1]
	if !req.DryRun && req.Trigger != TriggerRollback {
		current.Loaded = next.Loaded
	}
	return *current
}

// failed tells of a reload that failed. A dry run alarms nobody.
func (r *Reloader) failed(req Request, kept Version, events []Event, cause error) error {
	err := &ReloadError{Kept: kept.Number, Err: cause}
	if r.cfg.Alert != nil && !req.DryRun {
		if len(events) == 0 { // it failed before or after loading, which notes its own faults
			events = []Event{{
				Kind: EventError, Operation: "reload", Preset: kept.Loaded.Preset.Key, Error: cause.Error(),
				Metadata: map[string]string{"error_message": cause.Error()},
			}}
		}
		r.cfg.Alert(Failure{Request: req, Err: err, Time: time.Now(), Events: events})
	}
	return err
}
