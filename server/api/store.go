package api

import (
	"path/filepath"
	"strings"
	"time"
)

// A StoreHealth says how the store is that keeps what a program should remember. Package server/store has one.
type StoreHealth struct {
	Path string // of its file; "" if everything is in memory and ends with the program

	// Degraded is whether the file cannot be written. Reason says why, Since when that began, and Retry when it is
	// tried again at the latest.
	Degraded bool
	Reason   string
	Since    time.Time
	Retry    time.Time

	Held, MaxHeld int    // rows in memory that wait for the disk, and the most that there may be
	Refused       uint64 // writes that were refused because no more may be held
	Lost          uint64 // events that were gone before they could be stored

	SetAside string // the name that a broken file was given; "" if none was
}

// storeHealthView shows names of files without their directories: those are nobody's business, and stand in the log.
type storeHealthView struct {
	State    string     `json:"state" enum:"memory,disk,degraded" doc:"memory: nothing outlives the program. disk: it does. degraded: the file cannot be written and what comes is held in memory until it can. It does not make the service unhealthy."`
	File     *string    `json:"file" doc:"The name of the file, without its directory; null when there is none."`
	Since    *time.Time `json:"since" doc:"When the file could no longer be written; null when it can."`
	Reason   *string    `json:"reason" doc:"Why it cannot; null when it can."`
	Retry    *time.Time `json:"retry_at" doc:"When it is tried again at the latest; null when it can."`
	Held     int        `json:"held_rows" minimum:"0" doc:"Rows in memory that wait for the file. They are lost if the program ends before."`
	MaxHeld  int        `json:"max_held_rows" minimum:"0" doc:"The most that are held."`
	Refused  uint64     `json:"refused_writes" doc:"Writes that were refused because no more may be held. Events come again."`
	Lost     uint64     `json:"lost_events" doc:"Events that were gone before they could be stored."`
	SetAside *string    `json:"set_aside" doc:"The name that a broken file was given; null when none was."`
}

func (a *API) storeHealth() storeHealthView {
	if a.store == nil {
		return storeHealthView{State: "memory"}
	}
	h := a.store()
	v := storeHealthView{State: "memory", Held: h.Held, MaxHeld: h.MaxHeld, Refused: h.Refused, Lost: h.Lost}
	if h.Path != "" {
		v.State, v.File = "disk", new(filepath.Base(h.Path))
	}
	if h.Degraded {
		v.State, v.Reason, v.Since, v.Retry = "degraded", new(withoutDir(h.Reason, h.Path)), new(instant(h.Since)), new(instant(h.Retry))
	}
	if h.SetAside != "" {
		v.SetAside = new(filepath.Base(h.SetAside))
	}
	return v
}

// withoutDir takes the directory of a file out of a text.
func withoutDir(text, path string) string {
	dir, slash := filepath.Dir(path), string(filepath.Separator)
	if strings.HasSuffix(dir, slash) { // the root is no secret
		return text
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, dir+slash, ""), dir, "the directory")
}
