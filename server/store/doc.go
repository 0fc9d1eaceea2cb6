// Package store keeps on disk what a gateway should remember: monitoring events and alerts, runs of benchmarks, versions
// of the configuration and an audit log. It is one SQLite file in a directory, or memory if there is none.
//
// What a method has acknowledged by returning nil is committed to the disk. While the disk cannot be written, it is held in
// memory instead, and written as soon as that is possible: [Store.Health] says so. See docs/reference/store.md for
// what happens on which fault.
package store
