package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// question and completion have the size of an ordinary short chat.
var (
	question   = []byte(`{"model":"m-1","messages":[{"role":"user","content":"` + strings.Repeat("word ", 60) + `"}]}`)
	completion = []byte(`{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m-1","choices":[{"index":0,"message":` +
		`{"role":"assistant","content":"` + strings.Repeat("word ", 80) + `"},"finish_reason":"stop"}],"usage":{"total_tokens":140}}`)
)

// The benchmarks send the same completions to a provider that takes no time:
// straight, through a bare httputil.ReverseProxy, and through the gateway with everything
// on. Provider and proxy are processes of their own. cpu-us/req is the proxy's; p50-us is the median
// of the requests' times, as the client sees them.
func BenchmarkGateway1(b *testing.B)   { gatewayGroup(b, 1) }
func BenchmarkGateway32(b *testing.B)  { gatewayGroup(b, 32) }
func BenchmarkGateway128(b *testing.B) { gatewayGroup(b, 128) }

func gatewayGroup(b *testing.B, connections int) {
	provider := startRole(b, "provider", "")
	for _, role := range []string{"trysail", "reverse-proxy"} {
		b.Run(role, func(b *testing.B) {
			load(b, startRole(b, role, provider.url), connections)
		})
	}
	b.Run("direct", func(b *testing.B) { load(b, provider, connections) })
}

// load sends b.N requests over the given number of connections.
func load(b *testing.B, target *child, connections int) {
	transport := &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	b.SetParallelism(max(connections/runtime.GOMAXPROCS(0), 1))
	if connections == 1 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // RunParallel starts one goroutine per processor
	}
	for range connections * 4 { // connections and pools are warm before the clock runs
		if err := ask(client, target.url); err != nil {
			b.Fatal(err)
		}
	}
	before := target.cpu(b)
	var took durations
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		var own []time.Duration
		for pb.Next() {
			began := time.Now()
			if err := ask(client, target.url); err != nil {
				b.Error(err)
				return
			}
			own = append(own, time.Since(began))
		}
		took.add(own)
	})
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
	b.ReportMetric((target.cpu(b)-before)*1e6/float64(b.N), "cpu-us/req")
	if !b.Failed() {
		b.ReportMetric(float64(took.median())/float64(time.Microsecond), "p50-us")
	}
}

// durations collects what several goroutines measure.
type durations struct {
	mu  sync.Mutex // guards all
	all []time.Duration
}

func (d *durations) add(more []time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, more...)
}

// median returns the middle one, the upper of two. There must be one.
func (d *durations) median() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	slices.Sort(d.all)
	return d.all[len(d.all)/2]
}

// ask sends one request and checks that the right answer came.
func ask(client *http.Client, url string) error {
	resp, err := client.Post(url+"/v1/chat/completions", "application/json", bytes.NewReader(question))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || !bytes.Equal(body, completion) {
		return fmt.Errorf("status %d, body %.100q", resp.StatusCode, body)
	}
	return nil
}

// A child is a process that serves.
type child struct {
	url string
	pid int
}

// startRole starts this test binary again as one of the servers of roles_test.go.
// It ends when its standard input is closed.
func startRole(b *testing.B, role, upstream string) *child {
	b.Helper()
	executable, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(executable)
	cmd.Env = append(os.Environ(), roleVariable+"="+role, upstreamVariable+"="+upstream)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stdin.Close()
		if err := cmd.Wait(); err != nil {
			b.Errorf("%s: %v", role, err)
		}
	})
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatalf("%s: %v", role, err)
	}
	return &child{url: "http://" + strings.TrimSpace(address), pid: cmd.Process.Pid}
}

// cpu returns the seconds of processor time that the process has used so far
// (proc_pid_stat(5), fields 14 and 15, in hundredths).
func (c *child) cpu(b *testing.B) float64 {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	if err1 != nil || err2 != nil {
		b.Fatalf("unreadable %q", stat)
	}
	return float64(user+system) / 100
}

func listenLocally() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }
