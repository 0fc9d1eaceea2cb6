package api

import (
	"context"

	"github.com/trysail-go/trysail/monitor"
)

// subjectOf says on whose behalf a request works, for what the monitor records.
func subjectOf(ctx context.Context) monitor.Subject {
	who := callerOf(ctx)
	return monitor.Subject{Session: who.session, User: who.user}
}
