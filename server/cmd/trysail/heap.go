package main

import "os"

// ballast is memory that nothing is written to, and that therefore takes none. The garbage collector runs when what was allocated since the
// last time is as much as what was left then: with the few megabytes of a gateway, every few milliseconds under load. Counting the ballast, it
// runs a third as often, and the process grows by no more than the size of it (docs/adr/0021-collector.md).
//
//nolint:gochecknoglobals // it has to be there as long as the process
var ballast []byte

const ballastSize = 12 << 20

// setBallast leaves the collector alone where whoever runs the program has said when it runs.
func setBallast() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		ballast = make([]byte, ballastSize)
	}
}
