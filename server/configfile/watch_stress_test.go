package configfile_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/configfile"
)

// A change puts another content under a path.
type change func(t *testing.T, path, content string, n int)

// rewrite truncates the file and writes it in pieces, as editors and shells do.
func rewrite(t *testing.T, path, content string, _ int) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	must(t, err)
	for piece := range strings.SplitSeq(content, "\n") {
		_, err = f.WriteString(piece + "\n")
		must(t, err)
	}
	must(t, f.Close())
}

// replace renames another file over it, as editors and deployment tools that take care do.
func replace(t *testing.T, path, content string, _ int) {
	write(t, path+".new", content)
	must(t, os.Rename(path+".new", path))
}

// swap puts a new folder behind ..data, as Kubernetes does with the volume of a ConfigMap.
func swap(t *testing.T, path, content string, n int) {
	dir := filepath.Dir(path)
	folder := fmt.Sprintf("..2026_%d", n)
	must(t, os.Mkdir(filepath.Join(dir, folder), 0o700))
	write(t, filepath.Join(dir, folder, filepath.Base(path)), content)
	must(t, os.Symlink(folder, filepath.Join(dir, "..data_tmp")))
	old, _ := os.Readlink(filepath.Join(dir, "..data")) // there is none the first time
	must(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	if old == "" { // in Kubernetes it is a link from the beginning: it must not be gone for a moment
		must(t, os.Symlink(filepath.Join("..data", filepath.Base(path)), path+"_tmp"))
		must(t, os.Rename(path+"_tmp", path))
	} else {
		must(t, os.RemoveAll(filepath.Join(dir, old)))
	}
}

// version is a content whose parts must belong together. Between them there is much that is nothing, so that what is cut
// off is likely to be good YAML.
func version(n int) string {
	return fmt.Sprintf("policy: {total: %ds}\n%soperations: {qa: {policy: {total: %ds}}}\n", n+1, strings.Repeat("# nothing\n", 300), n+1)
}

// The file is changed a thousand times while calls run through the orchestrator, and every version comes into force, whole.
func TestThousandChangesUnderLoad(t *testing.T) {
	for name, change := range map[string]change{"rewrite": rewrite, "rename": replace, "symlink swap": swap} {
		t.Run(name, func(t *testing.T) {
			l := startLoad(t)
			path := newFile(t)
			write(t, path, version(0))
			applied := make(chan time.Duration, 10)
			alerts := make(chan error, 10)
			var loader configfile.Loader
			watcher, err := configfile.NewWatcher(configfile.WatchConfig{
				Path: path, Debounce: time.Millisecond, Poll: time.Hour,
				Apply: func(content []byte, _ bool) error {
					total, err := l.apply(&loader, path, content)
					if err == nil {
						applied <- total
					}
					return err
				},
				Alert: patient(func(err error) { alerts <- err }, make(chan error, 10_000)),
			})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			var running sync.WaitGroup
			running.Go(func() { _ = watcher.Run(ctx) })
			defer running.Wait()
			defer cancel()
			await := func(n int) {
				t.Helper()
				for {
					select {
					case got := <-applied:
						if got == time.Duration(n+1)*time.Second {
							return
						}
						t.Fatalf("version %v came into force, want %v", got, time.Duration(n+1)*time.Second)
					case err := <-alerts:
						t.Fatalf("version %d: alert: %v", n, err)
					case <-time.After(20 * time.Second):
						t.Fatalf("version %d never came into force", n)
					}
				}
			}
			await(0)
			for n := 1; n <= 1000; n++ {
				change(t, path, version(n), n)
				await(n)
				if n%100 != 0 {
					continue
				}
				change(t, path, version(n)+"nonsense: 1\n", 10_000+n)
				if err := <-alerts; err == nil || !strings.Contains(err.Error(), ":303:1: nonsense: found a key that is not known") {
					t.Fatalf("a broken file: alert %v", err)
				}
				change(t, path, version(n), 20_000+n) // what is in force still
				if err := <-alerts; err != nil {
					t.Fatalf("a file that is well again: alert %v", err)
				}
			}
			l.stop()
			if len(applied)+len(alerts) > 0 {
				t.Errorf("%d more versions and %d more alerts, want none", len(applied), len(alerts))
			}
		})
	}
}

// patient is an alert that says of a writer who is slow to slow alone. On a machine that is busy all are: it is true, and it passes.
func patient(alert func(error), slow chan<- error) func(error) {
	waiting := false
	return func(err error) {
		before := waiting
		waiting = errors.Is(err, configfile.ErrWriting)
		switch {
		case waiting:
			slow <- err
		case before && err == nil: // the writer is done
		default:
			alert(err)
		}
	}
}

// callers call all the time.
type callers struct {
	t     *testing.T
	orc   *trysail.Orchestrator
	end   atomic.Bool
	calls atomic.Int64
	group sync.WaitGroup
}

func startLoad(t *testing.T) *callers {
	t.Helper()
	orc, err := trysail.New(trysail.Config{})
	if err != nil {
		t.Fatal(err)
	}
	l := &callers{t: t, orc: orc}
	for _, name := range []string{"chat", "qa"} {
		l.group.Go(func() { l.call(orc.Operation(name)) })
	}
	t.Cleanup(func() { l.end.Store(true); l.group.Wait() })
	return l
}

func (l *callers) call(op *trysail.Operation) {
	for !l.end.Load() {
		_, err := trysail.Do(context.Background(), op, func(ctx context.Context) (int, error) {
			select {
			case <-ctx.Done():
			case <-time.After(200 * time.Microsecond): // a call that spins would only measure the scheduler
			}
			return 1, ctx.Err()
		})
		if err != nil {
			l.t.Errorf("a call failed: %v", err)
			return
		}
		l.calls.Add(1)
	}
}

// apply is the path of the program: document, orchestrator.
func (l *callers) apply(loader *configfile.Loader, path string, content []byte) (time.Duration, error) {
	f, err := configfile.Parse(path, content, nil)
	if err != nil {
		return 0, err
	}
	doc, err := loader.Load(f, nil)
	if err != nil {
		return 0, err
	}
	if qa := doc.Operations["qa"].Policy.Total; doc.Policy.Total != qa || qa == 0 {
		l.t.Errorf("a broken version: %v and %v", doc.Policy.Total, qa)
	}
	_, err = l.orc.Apply(trysail.Config{Default: doc.Policy, Operations: doc.Operations})
	return doc.Policy.Total, f.Locate(err)
}

func (l *callers) stop() {
	l.end.Store(true)
	l.group.Wait()
	if l.calls.Load() < 1000 {
		l.t.Errorf("%d calls ran beside the changes, want load", l.calls.Load())
	}
}
