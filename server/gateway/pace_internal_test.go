package gateway

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

const ms = time.Millisecond

// The percentile is that of the newest samples, by nearest rank, a thirty-second up, and known from the least number on.
func TestPace(t *testing.T) {
	var p pace
	if _, known := p.percentile(0, 0.95, 1); known {
		t.Error("it is known without a sample")
	}
	for i := range 19 {
		p.add(int64(i), time.Duration(i+1)*ms)
	}
	if _, known := p.percentile(20, 0.95, 20); known {
		t.Error("it is known with 19 samples of 20")
	}
	p.add(20, 20*ms)
	for share, want := range map[float64]time.Duration{0.5: 10 * ms, 0.95: 19 * ms, 0.951: 20 * ms, 0.999: 20 * ms} {
		if got, known := p.percentile(20, share, 20); !known || got != want+want/32 {
			t.Errorf("percentile(%v) = %v, %v; want %v and a thirty-second", share, got, known, want)
		}
	}
}

// It forgets: what is older than the newest 500, and what is older than 20 minutes.
func TestPaceForgets(t *testing.T) {
	var p pace
	for range paceSize {
		p.add(0, time.Hour)
	}
	for range paceSize - 1 {
		p.add(1, ms)
	}
	if got, _ := p.percentile(1, 0.5, 20); got != ms+ms/32 {
		t.Errorf("percentile(0.5) = %v, want that of the newest", got)
	}
	if got, _ := p.percentile(1, 0.999, 20); got < time.Hour {
		t.Errorf("percentile(0.999) = %v, want the last old one", got)
	}
	p.add(1, ms)
	p.due = 0
	if got, _ := p.percentile(1, 0.999, 20); got != ms+ms/32 {
		t.Errorf("percentile(0.999) = %v after 500 newer ones, want theirs", got)
	}
	if got, known := p.percentile(1+int64(paceAge), 0.5, 20); !known || got != ms+ms/32 {
		t.Errorf("percentile(0.5) = %v, %v at the end of their time", got, known)
	}
	if got, known := p.percentile(1+int64(paceAge)+int64(paceAge)/paceTurns+1, 0.5, 1); known {
		t.Errorf("percentile(0.5) = %v after their time, want it not known", got)
	}
}

// Models and kinds are apart, as far as there is room; then they share one.
func TestPacesOfModels(t *testing.T) {
	var all paces
	all.of("m", true).add(0, ms)
	if _, known := all.of("m", false).percentile(0, 0.5, 1); known {
		t.Error("a plain answer has the pace of a stream")
	}
	if _, known := all.of("m", true).percentile(0, 0.5, 1); !known {
		t.Error("it is forgotten")
	}
	for i := range 10 * mostPaces {
		all.of(fmt.Sprint("model-", i), i%2 == 0)
	}
	if n := len(all.byKey); n > mostPaces+2 {
		t.Errorf("there are %d, want at most %d and two for the rest", n, mostPaces)
	}
	if all.of("late-1", true) != all.of("late-2", true) || all.of("late-1", true) == all.of("late-1", false) || all.of("m", true) == all.of("late-1", true) {
		t.Error("those beyond do not share one by kind")
	}
}

// What was read ahead comes again, and then the error that came behind it.
func TestReplayReadsAllAgain(t *testing.T) {
	r := &replay{ReadCloser: nil, head: []byte("abc"), after: errPanicked}
	var got []byte
	for {
		piece := make([]byte, 2)
		n, err := r.Read(piece)
		got = append(got, piece[:n]...)
		if err != nil {
			if !errors.Is(err, errPanicked) || string(got) != "abc" {
				t.Errorf("read %q and then %v", got, err)
			}
			return
		}
	}
}
