package main

import "os"

// ballastSize is how much memory lies about for the sake of the garbage collector. That runs when what was allocated since the last time is as much as
// what was left then: with the few megabytes of a gateway, every few milliseconds under load. Counting the ballast, it runs a third as often, and the
// process grows by no more than the size of it. Nothing is ever written to the ballast, so that it takes no memory itself (docs/adr/0021-collector.md).
const ballastSize = 12 << 20

// newBallast leaves the collector alone where whoever runs the program has said when it is to run.
func newBallast() []byte {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return nil
	}
	return make([]byte, ballastSize)
}
