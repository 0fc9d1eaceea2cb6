package main

import (
	"context"

	"github.com/trysail-go/trysail/server/api"
	"github.com/trysail-go/trysail/server/store"
)

// auditShelf is a store as an [api.AuditLog].
type auditShelf struct{ store *store.Store }

// Add implements [api.AuditLog].
func (a auditShelf) Add(ctx context.Context, e api.AuditEntry) error {
	_, err := a.store.Audit(ctx, store.Entry(e))
	return err
}

// List implements [api.AuditLog].
func (a auditShelf) List(ctx context.Context, q api.AuditQuery) ([]api.AuditEntry, error) {
	found, err := a.store.AuditLog(ctx, store.AuditQuery(q))
	entries := make([]api.AuditEntry, len(found))
	for i, e := range found {
		entries[i] = api.AuditEntry(e)
	}
	return entries, err
}

// audit returns the audit log.
func (k *keeper) audit() api.AuditLog { return auditShelf{k.store} }
