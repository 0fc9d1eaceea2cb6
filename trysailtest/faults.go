package trysailtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// failEarly lets the request meet a fault that does not depend on what it asks for,
// and reports whether there was one.
func (x *exchange) failEarly() bool {
	switch f := x.fault; {
	case f.Kind == FaultStatus && f.Status >= 300, f.Kind.isMeaning() && !x.refuses():
		x.fail(x.protocol.explain(f, time.Now()))
	case f.Kind == FaultReset:
		x.breakOff(true)
	case f.Kind == FaultHang:
		x.hang()
	case f.Kind == FaultHTML:
		x.head("text/html; charset=utf-8")
		x.write(http.StatusOK, []byte(webPage))
	case f.Kind == FaultShape:
		x.sendShape(f.Form)
	case f.Kind == FaultError && f.Form != "" && x.r.URL.Path != frameForms()[f.Form]:
		x.failScript(fmt.Errorf("%q is a form of %s alone", f, frameForms()[f.Form]))
	default:
		return false
	}
	return true
}

// refuses reports whether the fault is a refusal in an answer with status 200. Gemini
// has no other.
func (x *exchange) refuses() bool {
	_, google := x.protocol.(gemini)
	return x.fault.Kind == FaultContentPolicy && (google || x.fault.Form == formRefusal)
}

// cause returns the error that FaultError sends.
func (x *exchange) cause() *apiError {
	f := Fault{Kind: x.fault.Cause}
	if f.Kind == "" {
		f = Fault{Kind: FaultStatus, Status: http.StatusInternalServerError}
	}
	return x.protocol.explain(f, time.Now())
}

// webPage is what a proxy or a captive portal puts in an API's place.
const webPage = "<!DOCTYPE html>\n<html><head><title>Welcome</title></head>" +
	"<body><h1>Please sign in to continue</h1></body></html>\n"

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
