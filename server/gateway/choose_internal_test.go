package gateway

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

func TestChoose(t *testing.T) {
	const later = time.Minute
	for name, tc := range map[string]struct {
		options             []option
		chosen, brief, back int // choose; soonest of those that wait for a limit; soonest of all that are not shut
	}{
		"nobody":                               {nil, -1, -1, -1},
		"the only one":                         {[]option{{}}, 0, -1, 0},
		"the lower priority first":             {[]option{{priority: 2}, {priority: 1}}, 1, -1, 1},
		"a negative one":                       {[]option{{}, {priority: -1}}, 1, -1, 1},
		"the draw among equals":                {[]option{{draw: 2}, {draw: 1}, {draw: 3}}, 1, -1, 1},
		"a draw does not beat a priority":      {[]option{{priority: 1, draw: 1}, {draw: 9}}, 1, -1, 1},
		"one that waits goes behind":           {[]option{{wait: later}, {priority: 5}}, 1, -1, 1},
		"one that has been visited":            {[]option{{out: true}, {priority: 5}}, 1, -1, 1},
		"one that an operator has shut":        {[]option{{shut: true}, {priority: 5}}, 1, -1, 1},
		"all have been visited":                {[]option{{out: true}, {out: true}}, -1, -1, -1},
		"all are shut":                         {[]option{{shut: true, wait: 1}, {shut: true}}, -1, -1, -1},
		"all wait: the first to be back":       {[]option{{wait: 3 * later}, {wait: later, priority: 9}, {wait: 2 * later}}, -1, -1, 1},
		"as long: by priority":                 {[]option{{wait: later, priority: 1}, {wait: later}}, -1, -1, 1},
		"one waits for a limit":                {[]option{{wait: later}, {wait: 2 * later, brief: true}}, -1, 1, 0},
		"what was visited is not waited for":   {[]option{{wait: 1, brief: true, out: true}, {wait: later, brief: true}}, -1, 1, 1},
		"one shut by its own limit, for later": {[]option{{wait: 1, brief: true, shut: true}, {wait: later}}, -1, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			brief := soonest(tc.options, func(o option) bool { return o.brief })
			back := soonest(tc.options, func(o option) bool { return !o.shut })
			if chosen := choose(tc.options); chosen != tc.chosen || brief != tc.brief || back != tc.back {
				t.Errorf("chosen %d, soonest limit %d, soonest %d; want %d, %d, %d", chosen, brief, back, tc.chosen, tc.brief, tc.back)
			}
		})
	}
}

// Drawn by weight: of 3 to 1 three quarters go first to the one, and of those without it all to the other.
func TestDraws(t *testing.T) {
	const n = 20_000
	first := 0
	for range n {
		if choose([]option{{draw: drawOf(3)}, {draw: drawOf(1)}}) == 0 {
			first++
		}
	}
	if share := float64(first) / n; math.Abs(share-0.75) > 0.02 {
		t.Errorf("%.3f go first to the target with weight 3 of 4, want 0.75", share)
	}
}

// Whatever the targets are like, a walk that takes choose's word visits each at most once and comes to an end.
func TestWalksEnd(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		options := make([]option, rnd.IntN(8))
		for i := range options {
			options[i] = option{
				priority: rnd.IntN(3), draw: rnd.Float64(), out: rnd.IntN(4) == 0, shut: rnd.IntN(5) == 0,
				wait: time.Duration(rnd.IntN(2)) * time.Second, brief: rnd.IntN(2) == 0,
			}
		}
		before := -1 << 31
		visited := map[int]bool{}
		for i := choose(options); i >= 0; i = choose(options) {
			o := options[i]
			if visited[i] || o.out || o.shut || o.wait > 0 || o.priority < before {
				t.Fatalf("chose %+v after priority %d of %+v", o, before, options)
			}
			visited[i], before, options[i].out = true, o.priority, true
		}
	}
}

func TestDecide(t *testing.T) {
	verdict := func(c trysail.Class, s llm.Scope) llm.Verdict { return llm.Verdict{Class: c, Scope: s, Failed: true} }
	timeout := llm.Verdict{Class: trysail.ClassTransient, Scope: llm.ScopeNetwork, Reason: "timeout", Failed: true}
	for name, tc := range map[string]struct {
		verdict llm.Verdict
		alone   situation
		want    move // with alone, and
		two     move // with another target
	}{
		"transient":                       {verdict(trysail.ClassTransient, llm.ScopeTarget), situation{sends: 1}, repeat, repeat},
		"transient, the last time":        {verdict(trysail.ClassTransient, llm.ScopeTarget), situation{sends: 3, last: true}, repeat, onward},
		"the network":                     {verdict(trysail.ClassTransient, llm.ScopeNetwork), situation{sends: 1}, repeat, repeat},
		"a bad answer, the last time":     {verdict(trysail.ClassBadAnswer, llm.ScopeTarget), situation{last: true}, repeat, onward},
		"a time limit":                    {timeout, situation{sends: 1, timeouts: 1}, repeat, onward},
		"a second one":                    {timeout, situation{sends: 2, timeouts: 2}, end, onward},
		"overloaded":                      {verdict(trysail.ClassOverloaded, llm.ScopeTarget), situation{sends: 1}, repeat, repeat},
		"overloaded again":                {verdict(trysail.ClassOverloaded, llm.ScopeTarget), situation{sends: 2}, repeat, onward},
		"rate limited":                    {verdict(trysail.ClassRateLimited, llm.ScopeAccount), situation{sends: 1}, repeat, onward},
		"rate limited, with another key":  {verdict(trysail.ClassRateLimited, llm.ScopeAccount), situation{keys: true}, swap, swap},
		"no money":                        {verdict(trysail.ClassQuotaExhausted, llm.ScopeAccount), situation{}, repeat, onward},
		"no money, with another key":      {verdict(trysail.ClassQuotaExhausted, llm.ScopeAccount), situation{keys: true}, swap, swap},
		"a quota of the target":           {verdict(trysail.ClassQuotaExhausted, llm.ScopeTarget), situation{keys: true}, repeat, onward},
		"a refused key":                   {verdict(trysail.ClassPermanent, llm.ScopeAccount), situation{keys: true}, swap, swap},
		"a missing model":                 {verdict(trysail.ClassPermanent, llm.ScopeTarget), situation{keys: true}, repeat, onward},
		"the request's own fault":         {verdict(trysail.ClassPermanent, llm.ScopeRequest), situation{keys: true}, end, end},
		"too long a prompt":               {verdict(trysail.ClassContextLength, llm.ScopeRequest), situation{}, end, end},
		"and a larger window":             {verdict(trysail.ClassContextLength, llm.ScopeRequest), situation{larger: true}, onward, onward},
		"a refused prompt":                {verdict(trysail.ClassContentPolicy, llm.ScopeRequest), situation{}, end, end},
		"and a route that goes on":        {verdict(trysail.ClassContentPolicy, llm.ScopeRequest), situation{onPolicy: Next}, end, onward},
		"the caller has gone":             {verdict(trysail.ClassCanceled, llm.ScopeCaller), situation{}, end, end},
		"a part is out":                   {verdict(trysail.ClassTransient, llm.ScopeNetwork), situation{committed: true, last: true}, end, end},
		"a part is out, and no money":     {verdict(trysail.ClassQuotaExhausted, llm.ScopeAccount), situation{committed: true, keys: true}, end, end},
		"a part is out, and a time limit": {timeout, situation{committed: true, timeouts: 1}, end, end},
	} {
		t.Run(name, func(t *testing.T) {
			if got := decide(tc.verdict, tc.alone); got != tc.want {
				t.Errorf("alone: %d, want %d", got, tc.want)
			}
			two := tc.alone
			two.others = true
			if got := decide(tc.verdict, two); got != tc.two {
				t.Errorf("with another target: %d, want %d", got, tc.two)
			}
		})
	}
}
