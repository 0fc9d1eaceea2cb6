package main

import "time"

// beat is less than every limit that is set anew for each request: the header's 5 s is the shortest.
const beat = 3 * time.Second

// pulse keeps a timer that is due within [beat] until it is told to stop. A thread that waits for the network sleeps until the next timer;
// one that is due earlier wakes it, only to let it sleep again. Each request sets half a dozen of them, and woke a thread in every third request. With
// the pulse the thread never sleeps beyond a beat, so that no limit is earlier.
func pulse() (stop func()) {
	var timer *time.Timer
	ready := make(chan struct{})
	timer = time.AfterFunc(beat, func() {
		<-ready
		timer.Reset(beat)
	})
	close(ready)
	return func() { timer.Stop() }
}
