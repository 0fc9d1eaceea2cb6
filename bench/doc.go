// Package bench measures trysail beside other libraries that do the same work.
// It holds tests only.
//
//	go test -run '^$' -bench . -count 6 . | go run ./cmd/table
//
// The runs of one benchmark follow each other, so a load that comes and goes
// falls on one library alone. On a busy machine repeat the whole instead; the
// table takes several outputs one after another:
//
//	for i in 1 2 3 4 5 6; do go test -run '^$' -bench . .; done | go run ./cmd/table
//
// That is what run.sh does, which also writes docs/reference/performance.md. The gateway is measured in package gateway.
package bench
