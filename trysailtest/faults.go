package trysailtest

import (
	"math"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
)

// failEarly lets the request meet a fault that does not depend on what it asks for,
// and reports whether there was one.
func (x *exchange) failEarly() bool {
	switch f := x.fault; f.Kind {
	case FaultStatus:
		if f.Status < 300 {
			return false
		}
		if f.After != 0 {
			x.w.Header().Set("Retry-After", retrySeconds(f.After))
		}
		x.fail(openAIStatus(f.Status, f.After))
	case FaultReset:
		x.breakOff(true)
	case FaultHang:
		x.hang()
	case FaultHTML:
		x.send(http.StatusOK, "text/html; charset=utf-8", []byte(webPage))
	default:
		return false
	}
	return true
}

// webPage is what a proxy or a captive portal puts in an API's place.
const webPage = "<!DOCTYPE html>\n<html><head><title>Welcome</title></head>" +
	"<body><h1>Please sign in to continue</h1></body></html>\n"

// streamStop returns after how many tokens the fault stops a stream, or -1.
func (f Fault) streamStop() int {
	switch f.Kind {
	case FaultCut, FaultError, FaultStall:
		return f.Tokens
	case FaultShort:
		return 1
	case FaultGarbage:
		return 0
	default:
		return -1
	}
}

// dice draws the faults of requests that carry no script.
type dice struct {
	rate   atomic.Uint64 // bits of a float64
	faults Script

	mu     sync.Mutex // guards random
	random *rand.Rand
}

func newDice(rate float64, faults Script, seed uint64) *dice {
	if seed == 0 {
		seed = rand.Uint64()
	}
	d := &dice{faults: faults, random: rand.New(rand.NewPCG(seed, seed))}
	d.setRate(rate)
	return d
}

func (d *dice) setRate(rate float64) { d.rate.Store(math.Float64bits(rate)) }

func (d *dice) draw() Fault {
	rate := math.Float64frombits(d.rate.Load())
	if rate == 0 {
		return Fault{Kind: FaultOK} // without taking the lock
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.random.Float64() >= rate {
		return Fault{Kind: FaultOK}
	}
	return d.faults[d.random.IntN(len(d.faults))]
}
