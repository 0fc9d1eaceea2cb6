package gateway

import (
	"io"
	"sync"
	"testing"
	"time"
)

// openStreams is how many streams are open at once.
const openStreams = 1000

// BenchmarkStart measures from the start of a process until it says that it is ready, and its memory then. It says nothing of
// the roles but how long the start of any process takes.
func BenchmarkStart(b *testing.B) {
	for _, row := range []string{"trysail", "reverse-proxy"} {
		b.Run(row, func(b *testing.B) {
			var memory float64
			var ready times
			for b.Loop() {
				p := start(b, row, "http://127.0.0.1:1")
				memory = p.memory(b)
				ready.add([]time.Duration{p.ready})
			}
			b.ReportMetric(0, "ns/op") // it has the end of the processes in it
			b.ReportMetric(ready.at(0.5)/1000, "ready-ms")
			b.ReportMetric(memory, "idle-MiB")
		})
	}
}

// BenchmarkOpen measures the memory with 1,000 streams open, all of which have sent half of their events, and what is left of it
// when they have ended well.
func BenchmarkOpen(b *testing.B) {
	for _, row := range []string{"trysail", "reverse-proxy+duplex", "forwarder"} {
		b.Run(row, func(b *testing.B) {
			provider := start(b, "provider", "")
			proxy := start(b, row, "http://"+provider.address)
			for b.Loop() {
				holdStreams(b, provider, proxy)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(proxy.memory(b), "after-MiB")
		})
	}
}

func holdStreams(b *testing.B, provider, proxy *process) {
	request := request(proxy.address, streamQuestion, holdHeader+": 1")
	var opened, ended sync.WaitGroup
	opened.Add(openStreams)
	for range openStreams {
		ended.Go(func() {
			c, body, err := open(proxy.address, request)
			opened.Done()
			if err == nil {
				defer c.close()
				_, err = c.finish(body, wholeStream(), 0)
			}
			if err != nil {
				b.Error(err)
			}
		})
	}
	opened.Wait()
	b.ReportMetric(proxy.memory(b), "open-MiB")
	c, err := dial(provider.address)
	if err != nil {
		b.Fatal(err)
	}
	defer c.close()
	if _, err := c.ask([]byte("GET "+releasePath+" HTTP/1.1\r\nHost: provider\r\n\r\n"), "", 0); err != nil {
		b.Fatal(err)
	}
	ended.Wait()
}

// open begins a stream and reads a third of it: it stops after the half of its events.
func open(address string, request []byte) (*client, io.ReadCloser, error) {
	c, err := dial(address)
	if err != nil {
		return nil, nil, err
	}
	body, err := c.begin(request)
	if err == nil {
		_, err = c.fill(body, len(wholeStream())/3)
	}
	if err != nil {
		c.close()
	}
	return c, body, err
}
