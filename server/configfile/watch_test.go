package configfile_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trysail-go/trysail/server/configfile"
)

// watched is a file under a watcher that applies contents which begin with "good".
type watched struct {
	t       *testing.T
	path    string
	watcher *configfile.Watcher
	applied chan string // with a ! in front when it was asked for
	alerts  chan string // "" when all is well again
	writing chan error  // somebody has the file open

	mu     sync.Mutex
	refuse bool // also what is good
}

// watch starts a watcher on a new file that holds "good 0", which is in force.
func watch(t *testing.T, path string, noEvents, noWriters bool) *watched {
	t.Helper()
	w := &watched{t: t, path: path, applied: make(chan string, 100), alerts: make(chan string, 100), writing: make(chan error, 100)}
	cfg := configfile.WatchConfig{
		Path: path, Debounce: 2 * time.Millisecond, Poll: time.Hour,
		Apply: w.apply,
		Alert: patient(w.alerted, w.writing),
	}
	if noEvents {
		cfg.Poll = 10 * time.Millisecond
	}
	if f, err := configfile.Read(path, nil); err == nil {
		cfg.Hash = f.Hash()
	}
	watcher, err := configfile.NewPoorWatcher(cfg, noEvents, noWriters)
	if err != nil {
		t.Fatal(err)
	}
	if watcher.Polling() != noEvents {
		t.Fatalf("Polling() = %v, want %v", watcher.Polling(), noEvents)
	}
	w.watcher = watcher
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- watcher.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
	return w
}

func (w *watched) apply(content []byte, asked bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuse || !strings.HasPrefix(string(content), "good") {
		return errors.New("no good: " + string(content))
	}
	text := string(content)
	if asked {
		text = "!" + text
	}
	w.applied <- text
	return nil
}

func (w *watched) alerted(err error) {
	if err == nil {
		w.alerts <- ""
	} else {
		w.alerts <- err.Error()
	}
}

func (w *watched) setRefuse(refuse bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refuse = refuse
}

func newFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trysail.yaml")
	write(t, path, "good: 0")
	return path
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// writeAtOnce is write without a moment at which the file has another content, which a watcher that knows nothing of writers would have
// to believe in when the machine has much to do: a file that is there is written over, and content must be nothing or as long
// as what is there.
func writeAtOnce(t *testing.T, path, content string) {
	t.Helper()
	info, err := os.Stat(path)
	switch {
	case err == nil && content == "":
		must(t, os.Truncate(path, 0))
	case err == nil && info.Mode().IsRegular():
		if n := info.Size(); n != 0 && n != int64(len(content)) {
			t.Fatalf("%q is to be written over %d bytes, want as many", content, n)
		}
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		must(t, err)
		_, err = f.WriteString(content)
		must(t, err)
		must(t, f.Close())
	default:
		write(t, path+".new", content)
		must(t, os.Rename(path+".new", path))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// next waits for a content, and for nothing else.
func (w *watched) next(want string) {
	w.t.Helper()
	select {
	case got := <-w.applied:
		if got != want {
			w.t.Fatalf("applied %q, want %q", got, want)
		}
	case alert := <-w.alerts:
		w.t.Fatalf("alert %q, want %q applied", alert, want)
	case <-time.After(20 * time.Second):
		w.t.Fatalf("nothing was applied, want %q", want)
	}
}

// alert waits for an alert that holds want, or, without it, for the word that all is well.
func (w *watched) alert(want string) {
	w.t.Helper()
	select {
	case got := <-w.alerts:
		if !strings.Contains(got, want) || want == "" && got != "" {
			w.t.Fatalf("alert %q, want %q in it", got, want)
		}
	case got := <-w.applied:
		w.t.Fatalf("applied %q, want the alert %q", got, want)
	case <-time.After(20 * time.Second):
		w.t.Fatalf("no alert, want %q", want)
	}
}

// quiet checks that nobody was told of anything that next and alert did not see.
func (w *watched) quiet() {
	w.t.Helper()
	select {
	case got := <-w.applied:
		w.t.Errorf("applied %q, want nothing", got)
	case got := <-w.alerts:
		w.t.Errorf("alert %q, want none", got)
	default:
	}
}

// kinds are the systems that a watcher may find itself on.
func kinds(t *testing.T, test func(t *testing.T, noEvents, noWriters bool)) {
	t.Helper()
	t.Run("all there is", func(t *testing.T) { test(t, false, false) })
	t.Run("no events", func(t *testing.T) { test(t, true, false) })
	t.Run("no word on writers", func(t *testing.T) { test(t, false, true) })
	t.Run("neither", func(t *testing.T) { test(t, true, true) })
}

func TestWatch(t *testing.T) {
	kinds(t, func(t *testing.T, noEvents, noWriters bool) {
		put := write
		if noWriters {
			put = writeAtOnce
		}
		w := watch(t, newFile(t), noEvents, noWriters)
		put(t, w.path, "good: 1")
		w.next("good: 1")

		put(t, w.path, "evil: 2")
		w.alert("is refused, and what was in force is still: no good: evil: 2")
		put(t, w.path, "good: 1")
		w.alert("") // it is in force already
		put(t, w.path, "evil: 3")
		w.alert("evil: 3")
		put(t, w.path, "good: 4")
		w.next("good: 4")
		w.alert("")

		put(t, w.path, "")
		w.alert("it is empty")
		put(t, w.path, "good: 5")
		w.next("good: 5")
		w.alert("")

		must(t, os.Remove(w.path))
		w.alert("it does not exist")
		put(t, w.path, "good: 6")
		w.next("good: 6")
		w.alert("")

		must(t, os.Remove(w.path))
		must(t, os.Mkdir(w.path, 0o700))
		for got := ""; !strings.Contains(got, "it is a directory"); { // it may have been seen to be gone
			select {
			case got = <-w.alerts:
			case <-time.After(20 * time.Second):
				t.Fatal("no alert about the directory")
			}
		}
	})
}

// The alert is raised once for each content, however often the same is written again.
func TestWatchAlertsOnce(t *testing.T) {
	w := watch(t, newFile(t), false, false)
	write(t, w.path, "bad: 1")
	w.alert("bad: 1")
	for range 20 {
		write(t, w.path, "bad: 1")
	}
	write(t, w.path, "bad: 2")
	w.alert("bad: 2")
	write(t, w.path, "good: 3")
	w.next("good: 3")
	w.alert("")
	w.quiet()
}

// Where nobody knows who writes, the same must be seen twice.
func TestWatchSeesASlowWriterTwice(t *testing.T) {
	w := watch(t, newFile(t), false, true)
	f, err := os.OpenFile(w.path, os.O_WRONLY|os.O_TRUNC, 0)
	must(t, err)
	for range 200 {
		_, err = f.WriteString("# a line that says nothing\n")
		must(t, err)
		runtime.Gosched()
	}
	_, err = f.WriteAt([]byte("good"), 0)
	must(t, err)
	must(t, f.Close())
	w.next("good" + strings.Repeat("# a line that says nothing\n", 200)[4:])
	w.quiet()
}

func TestWatchFollowsDirectories(t *testing.T) {
	kinds(t, func(t *testing.T, noEvents, noWriters bool) {
		root := t.TempDir()
		dir := filepath.Join(root, "etc", "trysail")
		must(t, os.MkdirAll(dir, 0o700))
		path := filepath.Join(dir, "trysail.yaml")
		write(t, path, "good: 0")
		w := watch(t, path, noEvents, noWriters)

		must(t, os.RemoveAll(filepath.Join(root, "etc")))
		w.alert("it does not exist")
		must(t, os.MkdirAll(dir, 0o700))
		write(t, path, "good: 1")
		w.next("good: 1")
		w.alert("")

		other := filepath.Join(root, "other")
		must(t, os.Mkdir(other, 0o700))
		write(t, filepath.Join(other, "trysail.yaml"), "good: 2")
		must(t, os.Rename(dir, filepath.Join(root, "old")))
		must(t, os.Rename(other, dir))
		for got := ""; got != "good: 2"; { // between the two it may have been seen to be gone
			select {
			case got = <-w.applied:
			case <-w.alerts:
			case <-time.After(20 * time.Second):
				t.Fatal("the directory that took the place was not seen")
			}
		}
		write(t, path, "good: 3")
		for got := ""; got != "good: 3"; {
			select {
			case got = <-w.applied:
			case <-w.alerts:
			case <-time.After(20 * time.Second):
				t.Fatal("a change in the directory that took the place was not seen")
			}
		}
	})
}

// A file that is not there at the start is found when it comes.
func TestWatchForAFileToCome(t *testing.T) {
	w := watch(t, filepath.Join(t.TempDir(), "a", "b", "trysail.yaml"), false, false)
	w.alert("it does not exist")
	must(t, os.MkdirAll(filepath.Dir(w.path), 0o700))
	write(t, w.path, "good: 1")
	w.next("good: 1")
	w.alert("")
}

func TestReload(t *testing.T) {
	w := watch(t, newFile(t), false, false)
	w.watcher.Reload()
	w.next("!good: 0") // though nothing has changed
	w.setRefuse(true)
	w.watcher.Reload()
	w.alert("no good: good: 0")
	w.watcher.Reload()
	w.alert("no good: good: 0") // who asks is told again
	w.setRefuse(false)
	w.watcher.Reload()
	w.next("!good: 0")
	w.alert("")
	w.quiet()
	write(t, w.path, "good: 1")
	w.next("good: 1") // who asked has got what he asked for
}

// What was refused is tried again with each poll, without another word: what it names may be there by then.
func TestPollTriesAgain(t *testing.T) {
	w := watch(t, newFile(t), true, false)
	w.setRefuse(true)
	write(t, w.path, "good: 1")
	w.alert("no good: good: 1")
	w.setRefuse(false)
	w.next("good: 1")
	w.alert("")
	w.quiet()
}

// A notifier that ends is replaced.
func TestWatchSurvivesItsNotifier(t *testing.T) {
	w := watch(t, newFile(t), false, false)
	write(t, w.path, "good: 1")
	w.next("good: 1")
	must(t, w.watcher.BreakEvents())
	write(t, w.path, "good: 2") // if this is before the new one watches, its first look finds it
	w.next("good: 2")
	write(t, w.path, "good: 3")
	w.next("good: 3")
	w.quiet()
}

func TestBadWatchConfig(t *testing.T) {
	_, err := configfile.NewWatcher(configfile.WatchConfig{Debounce: time.Nanosecond, Poll: time.Nanosecond})
	for _, want := range []string{
		`WatchConfig.Path is "", want the name of a file`, "WatchConfig.Apply is nil, want a function",
		"WatchConfig.Debounce is 1ns, want 1ms to 10s", "WatchConfig.Poll is 1ns, want 10ms to 1h",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
	w, err := configfile.NewWatcher(configfile.WatchConfig{Path: newFile(t), Apply: func([]byte, bool) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Errorf("Close() = %v", err)
	}
}
