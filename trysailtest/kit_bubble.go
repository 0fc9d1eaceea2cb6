package trysailtest

import "testing/synctest"

// settle waits, in a bubble, until all other goroutines have done what is due, and reports
// whether it is in one.
//
// This is why the package links testing into whatever uses its Provider. It registers no
// flags there, and costs the server 40 KB of 15 MB. Without it a recorder would miss the event
// of a moment ago whenever a test forgets to wait. There is no other way to wait in a
// bubble without moving its clock, and no other way to ask whether there is a bubble than
// to try.
func settle() (bubble bool) {
	defer func() {
		if recover() != nil {
			bubble = false // no bubble, or somebody else waits already
		}
	}()
	synctest.Wait()
	return true
}
