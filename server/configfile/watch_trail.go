package configfile

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// concerns reports whether an event may mean another content. Most events in a directory such as /tmp do not.
func (w *Watcher) concerns(event fsnotify.Event) bool {
	if _, own := w.dirs[event.Name]; own && event.Has(fsnotify.Remove|fsnotify.Rename) {
		// What is watched is a directory that has another name now, or none: another one may come.
		_ = w.notify.Remove(event.Name) // the library may have done so itself
		delete(w.dirs, event.Name)
		return true
	}
	return slices.Contains(w.dirs[filepath.Dir(event.Name)], filepath.Base(event.Name))
}

// follow watches the directories on the way to the file as it is now. Not the file: what is renamed over it
// would be another one. It goes on until the way did not change while it was being watched.
func (w *Watcher) follow() {
	if w.notify == nil {
		notify, err := w.open()
		if err != nil { // no inotify, or no instance left: the poll will do, and tries again
			return
		}
		w.notify, w.dirs = notify, map[string][]string{}
	}
	for range maxLinks {
		way := trail(w.cfg.Path)
		added := false
		for dir, names := range way {
			// Each time anew: another directory may have this name now. The kernel knows what it watches already.
			if w.notify.Add(dir) != nil { // it has gone again, or no watch is left: as above
				continue
			}
			if _, ok := w.dirs[dir]; !ok {
				added = true
			}
			w.dirs[dir] = names
		}
		for dir := range w.dirs {
			if _, ok := way[dir]; !ok {
				_ = w.notify.Remove(dir) // it may have gone by itself
				delete(w.dirs, dir)
			}
		}
		if !added {
			break
		}
	}
	if len(w.dirs) == 0 {
		_ = w.Close() // it would send nothing; the next poll begins anew
	}
}

// maxLinks is how many symbolic links Linux follows.
const maxLinks = 40

// trail returns where the way to an absolute path may change: the directories that hold a symbolic link on it, the file
// itself, or would hold the first part that is missing, each with the names in it.
func trail(path string) map[string][]string {
	volume := filepath.VolumeName(path)
	root := volume + string(filepath.Separator)
	todo, here, links := parts(path[len(volume):]), root, 0
	way := map[string][]string{}
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		if name == ".." {
			here = filepath.Dir(here)
			continue
		}
		full := filepath.Join(here, name)
		info, err := os.Lstat(full)
		link := err == nil && info.Mode()&os.ModeSymlink != 0
		if (err != nil || link || len(todo) == 0) && !slices.Contains(way[here], name) {
			way[here] = append(way[here], name)
		}
		if err != nil {
			break
		}
		if !link {
			here = full
			continue
		}
		target, err := os.Readlink(full)
		if links++; err != nil || links > maxLinks {
			break
		}
		if filepath.IsAbs(target) {
			here = root
		}
		todo = append(parts(target), todo...)
	}
	return way
}

// parts splits a path into its names.
func parts(path string) []string {
	return slices.DeleteFunc(strings.Split(filepath.ToSlash(path), "/"), func(name string) bool { return name == "" || name == "." })
}
