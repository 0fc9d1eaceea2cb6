// Package monitor remembers what happens to configurations and what the engine reports: which presets are used, how
// long loads take, what fails, which breakers open. It counts, draws trends, raises alerts and exports.
//
//	monitoring, err := monitor.New(monitor.Config{})
//	...
//	err = monitoring.Track(monitor.Subject{Operation: "load_preset", Preset: "production"}, load)
//	stats := monitoring.Statistics(24 * time.Hour)
//
// A [Collector] is also a [trysail.Observer]. Everything is held in memory, bounded by number and age; [Collector.Persist] and
// [Collector.Restore] connect it to a store.
//
// Windows are durations that end now. What is exactly as old as the window is not in it, so that windows side by
// side count nothing twice; a window of 0 holds everything that is remembered. What is derived is computed when it
// is asked for and never cached: it always holds what was recorded before.
package monitor
