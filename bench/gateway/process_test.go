package gateway

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A process serves at an address.
type process struct {
	address string
	pid     int
	ready   time.Duration // from its start
	stop    func() error
	warm    bool // it has answered for a while
}

// start starts a server: a role of this test binary, or the program.
func start(tb testing.TB, role, upstream string) *process {
	tb.Helper()
	begin := startRole
	if role == "trysail" {
		begin = startProgram
	}
	p, err := begin(tb, role, upstream)
	if err != nil {
		tb.Fatalf("%s: %v", role, err)
	}
	tb.Cleanup(func() {
		if err := p.stop(); err != nil {
			tb.Errorf("%s: %v", role, err)
		}
	})
	return p
}

// startRole starts this test binary again as one of the servers of roles_test.go.
func startRole(_ testing.TB, role, upstream string) (*process, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(executable)
	cmd.Env = append(os.Environ(), roleVariable+"="+role, upstreamVariable+"="+upstream)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop := func() error { return errors.Join(stdin.Close(), cmd.Wait()) }
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	return &process{address: strings.TrimSpace(address), pid: cmd.Process.Pid, ready: time.Since(began), stop: stop}, nil
}

// programVariable names the program. Without it, it is built from the sources.
const programVariable = "TRYSAIL_BENCH_PROGRAM"

// startProgram starts "trysail serve" as people would, with a key of the provider's and with its log in a file.
func startProgram(tb testing.TB, _, upstream string) (*process, error) {
	program, dir := os.Getenv(programVariable), tb.TempDir()
	if program == "" {
		program = filepath.Join(dir, "trysail")
		build := exec.Command("go", "build", "-o", program, "./cmd/trysail")
		build.Dir = "../../server"
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build the program: %w: %s", err, out)
		}
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "serve", "--addr", "127.0.0.1:0")
	cmd.Dir, cmd.Stderr = dir, log
	cmd.Env = []string{"OPENAI_API_KEY=sk-bench", "OPENAI_BASE_URL=" + upstream + "/v1"}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	stop := func() error {
		return errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait(), log.Close())
	}
	address, err := listening(log.Name())
	if err == nil {
		err = isReady("http://" + address + "/readyz")
	}
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	return &process{address: address, pid: cmd.Process.Pid, ready: time.Since(began), stop: stop}, nil
}

// listening waits for the line of the log that says where the program listens.
func listening(file string) (address string, err error) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < patience; <-tick.C {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		for line := range bytes.Lines(text) {
			var entry struct{ Msg, URL string }
			if json.Unmarshal(line, &entry) == nil && entry.Msg == "listening" {
				at, err := url.Parse(entry.URL)
				return at.Host, err
			}
		}
	}
	return "", fmt.Errorf("the program did not say within %v where it listens", patience)
}

func isReady(url string) error {
	client := &http.Client{Timeout: patience}
	defer client.CloseIdleConnections()
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err != nil || string(text) != "ok\n" {
		return fmt.Errorf("%s: %q, %w", url, text, err)
	}
	return nil
}

// cpu returns the seconds of processor time that the process has used so far (proc_pid_stat(5), fields 14 and 15, in hundredths).
func (p *process) cpu(tb testing.TB) float64 {
	tb.Helper()
	stat := p.read(tb, "stat")
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	if err := errors.Join(err1, err2); err != nil {
		tb.Fatal(err)
	}
	return float64(user+system) / 100
}

// memory returns the resident memory of the process in MiB (proc_pid_status(5), VmRSS in kB).
func (p *process) memory(tb testing.TB) float64 {
	tb.Helper()
	_, rest, found := strings.Cut(p.read(tb, "status"), "VmRSS:")
	fields := strings.Fields(rest)
	if !found || len(fields) == 0 {
		tb.Fatalf("/proc/%d/status has no VmRSS", p.pid)
	}
	size, err := strconv.Atoi(fields[0])
	if err != nil {
		tb.Fatal(err)
	}
	return float64(size) / 1024
}

func (p *process) read(tb testing.TB, name string) string {
	tb.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.pid, name))
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}
