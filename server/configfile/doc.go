// Package configfile reads trysail.yaml and watches it.
//
// [Read] takes a file apart and refuses what is no good YAML. A [Loader] makes the [config.Document] of it that package config
// works with, and [Section.Decode] sets the struct of a package that has a section of its own.
// Nothing is guessed: a key that nobody knows, a value of another kind, a key that is there twice are
// faults, and all faults of a file are reported at once, each with its line, its column and what would be right.
// JSON is YAML, so that a JSON file is read the same way.
//
// [Watcher] looks at a file for changes and hands on each content once it is complete.
//
// See docs/reference/configuration-file.md for the keys, and ADR 13 for the libraries.
package configfile
