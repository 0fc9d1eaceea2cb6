package trysailtest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trysail-go/trysail"
)

// maxOutcomes bounds how long a script may be, its repetitions written out.
const maxOutcomes = 10_000

// errOutcome says what an entry may begin with.
var errOutcome = errors.New("ok, fail, hang, panic, a status from 400 to 599 or a class, such as 429:2s or permanent")

// ParseOutcomes reads what comes of the attempts at a [Dependency], in their order. The
// entries are separated by commas:
//
//	ok               an answer
//	fail             a failure without a class, such as a connection that was reset
//	503, 429:2s      a failure with that status, and the wait that the server asks for
//	overloaded, rate_limited:2s, permanent, ...
//	                 a failure of that class, and the wait
//	hang             nothing, until the attempt's context ends
//	panic            a panic
//
// An entry may go on with any of
//
//	after 500ms      the attempt takes that long, or until its context ends
//	deaf             it does not heed its context, and takes all of that
//	x3               three attempts go like this
//
// as in "fail x2, ok after 3s". Upper case and blanks do not matter. An error names the
// first unusable entry, its position and what would be right.
func ParseOutcomes(script string) ([]Outcome, error) {
	var outcomes []Outcome
	number := 0
	for entry := range strings.SplitSeq(script, ",") {
		number++
		outcome, times, err := parseOutcome(strings.Fields(strings.ToLower(entry)))
		if err != nil {
			return nil, fmt.Errorf("outcome %d is %.40q, want %w", number, strings.TrimSpace(entry), err)
		}
		if times > maxOutcomes-len(outcomes) {
			return nil, fmt.Errorf("script has over %d outcomes", maxOutcomes)
		}
		outcomes = append(outcomes, slices.Repeat([]Outcome{outcome}, times)...)
	}
	return outcomes, nil
}

// parseOutcome reads the words of one entry. Its error says what would be right.
func parseOutcome(words []string) (o Outcome, times int, err error) {
	if len(words) == 0 {
		return o, 0, errOutcome
	}
	if o, err = parseEnd(words[0]); err != nil {
		return o, 0, err
	}
	times = 1
	for words = words[1:]; len(words) > 0; words = words[1:] {
		count, repeated := strings.CutPrefix(words[0], "x")
		switch {
		case words[0] == "after" && len(words) > 1 && !o.Hang:
			words = words[1:]
			o.After, err = time.ParseDuration(words[0])
			if err != nil || o.After < 0 {
				return o, 0, errors.New("after with a duration, for example after 500ms")
			}
		case words[0] == "deaf" && !o.Hang: // it would never end
			o.Deaf = true
		case repeated:
			n, err := strconv.ParseUint(count, 10, 16)
			if err != nil || n == 0 {
				return o, 0, errors.New("x with a number, for example x3")
			}
			times = int(n)
		default:
			return o, 0, errors.New("after DURATION, deaf or xN behind the outcome, and hang without the first two")
		}
	}
	return o, times, nil
}

// parseEnd reads how an attempt ends.
func parseEnd(word string) (Outcome, error) {
	switch word {
	case "ok":
		return Outcome{}, nil
	case "fail":
		return Outcome{Err: ErrScripted}, nil
	case "hang":
		return Outcome{Hang: true}, nil
	case "panic":
		return Outcome{Panic: true}, nil
	}
	kind, hint, hinted := strings.Cut(word, ":")
	class, failure := parseFailure(kind)
	if failure == nil {
		return Outcome{}, errOutcome
	}
	var after time.Duration
	if hinted {
		var err error
		if after, err = time.ParseDuration(hint); err != nil || after <= 0 {
			return Outcome{}, fmt.Errorf("%s:DURATION with what the server asks to wait, for example %s:2s", kind, kind)
		}
	}
	return Outcome{Err: trysail.WithClass(failure, class, after)}, nil
}

// parseFailure reads a status or the name of a class. The failure is nil if it is neither.
func parseFailure(kind string) (class trysail.Class, failure error) {
	for class := trysail.ClassTransient; class <= trysail.ClassCanceled; class++ {
		if kind == class.String() {
			return class, ErrScripted
		}
	}
	if status, err := strconv.ParseUint(kind, 10, 16); err == nil && status >= 400 && status <= 599 {
		return trysail.StatusClass(int(status)), statusError(status)
	}
	return 0, nil
}
