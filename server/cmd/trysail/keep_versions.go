package main

import (
	"cmp"
	"context"
	"slices"

	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/server/store"
)

// keptVersions is how many versions of the configuration can be compared and rolled back to.
const keptVersions = 20

// earlier returns the versions of the configuration from before the program was started. One that cannot be read is left out.
//
// A program that could not read the file at its start has begun with version 1 again: what it has stored is numbered behind
// what was there, so that each number is there once.
func (k *keeper) earlier(ctx context.Context) []config.Version {
	stored, err := k.store.Versions(ctx, 0, keptVersions)
	if err != nil {
		k.log.Error("earlier versions of the configuration cannot be read now", "error", err)
		return nil
	}
	var versions []config.Version
	last, shift := 0, 0
	for _, s := range slices.Backward(stored) {
		v, err := config.DecodeVersion(s.Config)
		if err != nil {
			k.log.Warn("an earlier version of the configuration is left out", "stored", s.Time, "error", err)
			continue
		}
		if v.Number+shift <= last {
			shift = last + 1 - v.Number
		}
		v.Number += shift
		if v.Of != 0 {
			v.Of += shift
		}
		last = v.Number
		versions = append(versions, v)
	}
	return versions
}

// keepVersion stores a version of the configuration.
func (k *keeper) keepVersion(v *config.Version) {
	ctx, cancel := context.WithTimeout(context.Background(), storingTime)
	defer cancel()
	text, err := v.Encode()
	if err == nil {
		_, err = k.store.AddVersion(ctx, store.Version{Time: v.Time, Who: cmp.Or(v.By, string(v.Trigger)), Note: v.Why, Config: text})
	}
	if err != nil {
		k.log.Error("a version of the configuration is in force, but not stored", "version", v.Number, "error", err)
	}
}

// beginVersions stores the version that the program starts with, unless it is one of before.
func (k *keeper) beginVersions(reloader *config.Reloader, earlier []config.Version) {
	current := reloader.Current()
	if n := len(earlier); n == 0 || current.Number != earlier[n-1].Number {
		k.keepVersion(&current)
	}
}
