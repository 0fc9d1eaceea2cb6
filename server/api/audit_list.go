package api

import (
	"context"
	"encoding/json"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// An auditInput says which entries of the audit log are wanted.
type auditInput struct {
	Who    pathName `query:"who" doc:"Only what this one did, such as admin-1, signal or file." example:"admin-1"`
	What   pathName `query:"what" doc:"Only changes of this kind." example:"breaker.force_open"`
	Target pathName `query:"target" doc:"Only what was done to this." example:"summarize"`
	From   moment   `query:"from" doc:"Only what was done then or later." example:"2026-11-25T10:00:00Z"`
	Until  moment   `query:"until" doc:"Only what was done before." example:"2026-11-26T00:00:00Z"`
	Before int64    `query:"before" minimum:"1" maximum:"9007199254740991" doc:"Only entries with smaller ids: next_before of the last answer."`
	Limit  int      `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"How many, the newest of those that are wanted."`
}

// A moment is a time after RFC 3339, from 1970 to 2261.
type moment string

// Schema implements [huma.SchemaProvider].
func (moment) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time"}
}

// read returns the time, the zero one for none.
func (m moment) read(location string, faults *[]Fault) time.Time {
	if m == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, string(m))
	if err != nil || !storable(t) {
		*faults = append(*faults, Fault{Location: location, Message: wantMoment})
		return time.Time{}
	}
	return t
}

type (
	auditView struct {
		Entries    []auditEntryView `json:"entries" nullable:"false" doc:"The newest first."`
		Count      int              `json:"count"`
		NextBefore *int64           `json:"next_before" doc:"As before it leads to the next entries. Null when there are no more."`
		Unwritten  int              `json:"unwritten" doc:"Changes whose entries the log could not take yet. They are tried again with the next change, and the program's log has them."`
	}

	auditEntryView struct {
		ID        int64     `json:"id" minimum:"1" doc:"Counts up."`
		Time      time.Time `json:"timestamp"`
		Who       string    `json:"who" doc:"admin and the place of the key, anyone where no keys are configured, signal, file, or what the program says." example:"admin-1"`
		What      string    `json:"what" doc:"What was done, such as breaker.reset or config.reload." example:"breaker.force_open"`
		Target    string    `json:"target" doc:"What it was done to; empty if what says it all." example:"summarize"`
		Before    stateView `json:"before"`
		After     stateView `json:"after"`
		RequestID string    `json:"request_id" doc:"The X-Request-ID; empty if it was no request."`
		Address   string    `json:"address" doc:"The client's; empty if there was none."`
		User      string    `json:"claimed_user" doc:"For whom the client said that it acts: its X-User-Context, at most 200 characters. Nobody has checked that; who is who the key belongs to. Empty if it said nothing."`
	}

	// stateView is a JSON object as it was written.
	stateView struct{ json.RawMessage }
)

// Schema implements [huma.SchemaProvider].
func (stateView) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: true, Nullable: true,
		Description: "What changed, as this very change has found or left it. Null when there was nothing.",
	}
}

func (a *API) auditLog(ctx context.Context, in *auditInput) (*auditView, error) {
	var faults []Fault
	q := AuditQuery{
		Who: string(in.Who), What: string(in.What), Target: string(in.Target), Before: in.Before, Limit: in.Limit,
		From: in.From.read("query.from", &faults), Until: in.Until.read("query.until", &faults),
	}
	if len(faults) == 0 && !q.From.IsZero() && !q.Until.IsZero() && !q.From.Before(q.Until) {
		faults = append(faults, Fault{Location: "query.until", Message: "want a time after from"})
	}
	if len(faults) > 0 {
		return nil, &problemError{invalid(faults)}
	}
	found, err := a.trail.log.List(ctx, q)
	if err != nil {
		return nil, err
	}
	out := auditView{Entries: make([]auditEntryView, len(found)), Count: len(found), Unwritten: a.trail.unwritten()}
	for i, e := range found {
		out.Entries[i] = auditEntryView{
			ID: e.ID, Time: instant(e.Time), Who: e.Who, What: e.What, Target: e.Target,
			Before: stateView{e.Before}, After: stateView{e.After}, RequestID: e.RequestID, Address: e.Address, User: e.ClaimedUser,
		}
	}
	if len(found) == 0 || len(found) < in.Limit {
		return &out, nil
	}
	q.Before, q.Limit = found[len(found)-1].ID, 1
	further, err := a.trail.log.List(ctx, q)
	if len(further) > 0 {
		out.NextBefore = &q.Before
	}
	return &out, err
}
