package gateway

import (
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkPlainN and BenchmarkStreamN send the same questions over N connections. cpu-us/req is the processor time of the proxy,
// or of the provider where there is none.
func BenchmarkPlain1(b *testing.B)   { beside(b, plain(1)) }
func BenchmarkPlain32(b *testing.B)  { beside(b, plain(32)) }
func BenchmarkPlain128(b *testing.B) { beside(b, plain(128)) }
func BenchmarkStream1(b *testing.B)  { beside(b, streams(1)) }
func BenchmarkStream32(b *testing.B) { beside(b, streams(32)) }

// A load is what is asked for, and over how many connections.
type load struct {
	connections int
	question    string
	answer      string
	first       int    // how many bytes of the answer hold its first token
	reverse     string // the role of the reverse proxy
}

func plain(connections int) load {
	return load{connections, question, completion, len(completion), "reverse-proxy"}
}

func streams(connections int) load {
	return load{connections, streamQuestion, wholeStream(), firstContent(), "reverse-proxy+duplex"}
}

// beside measures a load at everything that can be asked. The order turns with the rounds, so that none is always the last.
func beside(b *testing.B, l load) {
	provider := start(b, "provider", "")
	rows := []string{"trysail", l.reverse, "forwarder", "direct"}
	at := map[string]*process{"direct": provider}
	for _, row := range rows[:3] {
		at[row] = start(b, row, "http://"+provider.address)
	}
	turn := round(b) % len(rows)
	for _, row := range append(slices.Clone(rows[turn:]), rows[:turn]...) {
		b.Run(row, func(b *testing.B) { l.run(b, at[row]) })
	}
}

// round returns the number of the round, which run.sh sets.
func round(b *testing.B) int {
	text := os.Getenv("TRYSAIL_BENCH_ROUND")
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		b.Fatalf("TRYSAIL_BENCH_ROUND is %q, want a number from 0", text)
	}
	return n
}

// warmUp is how long a process answers before it is measured: a heap grows to its size once, and each page of it that is used for the first time
// costs more than a request here.
const warmUp = time.Second

// run asks b.N times.
func (l load) run(b *testing.B, target *process) {
	request := request(target.address, l.question)
	clients := make([]*client, l.connections)
	for i := range clients {
		var err error
		if clients[i], err = dial(target.address); err != nil {
			b.Fatal(err)
		}
		defer clients[i].close()
	}
	var whole, first times
	ask := func(c *client, times int, left *atomic.Int64) {
		took, firsts := make([]time.Duration, 0, times), make([]time.Duration, 0, times)
		for left.Add(-1) >= 0 {
			began := time.Now()
			at, err := c.ask(request, l.answer, l.first)
			if err != nil {
				b.Error(err)
				return
			}
			took, firsts = append(took, time.Since(began)), append(firsts, at.Sub(began))
		}
		whole.add(took)
		first.add(firsts)
	}
	l.everyone(clients, 4*l.connections, ask) // connections are warm before the clock runs
	for began := time.Now(); !target.warm && !b.Failed() && time.Since(began) < warmUp; {
		l.everyone(clients, 50*l.connections, ask)
	}
	target.warm = true
	if b.Failed() {
		return
	}
	whole, first = times{}, times{}
	before := target.cpu(b)
	b.ResetTimer()
	l.everyone(clients, b.N, ask)
	b.StopTimer()
	b.ReportMetric((target.cpu(b)-before)*1e6/float64(b.N), "cpu-us/req")
	if b.Failed() {
		return
	}
	b.ReportMetric(whole.at(0.5), "p50-us")
	b.ReportMetric(whole.at(0.99), "p99-us")
	b.ReportMetric(first.at(0.5), "first-us")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

// everyone lets all connections ask at once, n times together.
func (l load) everyone(clients []*client, n int, ask func(*client, int, *atomic.Int64)) {
	var left atomic.Int64
	left.Store(int64(n))
	var all sync.WaitGroup
	for _, c := range clients {
		all.Go(func() { ask(c, n/len(clients)+1, &left) })
	}
	all.Wait()
}

// times collects what several goroutines measure.
type times struct {
	mu  sync.Mutex
	all []time.Duration // guarded by mu
}

func (t *times) add(more []time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, more...)
}

// at returns a quantile in microseconds: the least time that this share of all stays within. There must be one.
func (t *times) at(share float64) float64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	slices.Sort(t.all)
	return float64(t.all[min(int(share*float64(len(t.all))), len(t.all)-1)]) / float64(time.Microsecond)
}
