package config

import (
	"fmt"
	"strings"
)

// number reads a number as JSON writes them.
func (s *scanner) number() (string, bool) {
	begin := s.at
	if s.peek() == '-' {
		s.at++
	}
	zero := s.peek() == '0'
	switch n := s.digits(); {
	case n == 0:
		return "", s.fail(begin, "a minus without a number")
	case zero && n > 1:
		return "", s.fail(begin, "a number that begins with 0")
	}
	if s.peek() == '.' {
		s.at++
		if s.digits() == 0 {
			return "", s.fail(begin, "a number without digits after its point")
		}
	}
	if b := s.peek(); b == 'e' || b == 'E' {
		s.at++
		if b := s.peek(); b == '+' || b == '-' {
			s.at++
		}
		if s.digits() == 0 {
			return "", s.fail(begin, "a number without digits in its exponent")
		}
	}
	if startsWord(s.text[s.at:]) {
		return "", s.fail(begin, "a number with letters after it")
	}
	return s.text[begin:s.at], true
}

func (s *scanner) digits() (n int) {
	for ; '0' <= s.peek() && s.peek() <= '9'; n++ {
		s.at++
	}
	return n
}

// warnOfSize warns of numbers that programs read differently.
func (s *scanner) warnOfSize(text string) {
	if len(text) < len("1e99") {
		return
	}
	n := numberOf(text)
	var about string
	switch {
	case !n.written && n.exceeds53:
		about = "integers beyond 2^53 are not exact in every program"
	case n.written && n.point > 101 || n.written && n.point == 101 && !n.powerOfTen:
		about = "it is beyond 1e100"
	case n.written && !n.zero && n.point < -99:
		about = "it is closer to zero than 1e-100"
	default:
		return
	}
	s.report.warn(Finding{
		Path: pathOf(s.path), Line: s.line(), Rule: RuleText,
		Message: fmt.Sprintf("Extreme number at '%s': %s", s.where(), about),
	})
}

// A decimal is what a number of a document comes to. Numbers are compared as they are written: 10.00000000000000000001 is more
// than 10, which a float64 does not know.
type decimal struct {
	negative   bool
	zero       bool
	written    bool  // with a point or an exponent
	exceeds53  bool  // beyond 2^53 in size; exact for whole numbers without point and exponent
	powerOfTen bool  // the digits are a single 1
	point      int   // the size is 0.DIGITS x 10^point, the first digit not 0
	tenths     int64 // the size in tenths, cut off; most if it is larger
	rest       bool  // something was cut off
}

// most is above every bound of the table, in tenths.
const most = 1_000_000

// numberOf reads a number in the form of JSON.
func numberOf(text string) decimal {
	var n decimal
	text, n.negative = strings.CutPrefix(text, "-")
	mantissa, exponent := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa, exponent, n.written = text[:i], exponentOf(text[i+1:]), true
	}
	whole, fraction, point := strings.Cut(mantissa, ".")
	n.written = n.written || point
	digits := whole + fraction
	significant := strings.TrimLeft(digits, "0")
	n.point = len(whole) + exponent - (len(digits) - len(significant))
	significant = strings.TrimRight(significant, "0")
	if n.zero = significant == ""; n.zero {
		return n
	}
	n.powerOfTen = significant == "1"
	n.exceeds53 = len(strings.TrimLeft(whole, "0")) > 16 || len(whole) == 16 && whole > "9007199254740992"
	n.cut(significant)
	return n
}

// cut fills in tenths and rest.
func (n *decimal) cut(digits string) {
	keep := n.point + 1 // digits before the point, and one after it
	if keep > 6 {
		n.tenths, n.rest = most, true
		return
	}
	for i := range keep {
		n.tenths *= 10
		if i < len(digits) {
			n.tenths += int64(digits[i] - '0')
		}
	}
	n.rest = len(digits) > max(keep, 0)
}

// exponentOf reads an exponent; what is beyond a million is as good as a million.
func exponentOf(text string) int {
	text, negative := strings.CutPrefix(text, "-")
	n := 0
	for _, digit := range strings.TrimPrefix(text, "+") {
		n = min(n*10+int(digit-'0'), 1_000_000)
	}
	if negative {
		return -n
	}
	return n
}

// less and more compare with a bound of the table, which is 0 or more and a multiple of 0.1.
func (n decimal) less(bound float64) bool {
	return n.negative && !n.zero || n.tenths < tenths(bound)
}

func (n decimal) more(bound float64) bool {
	return !n.negative && (n.tenths > tenths(bound) || n.tenths == tenths(bound) && n.rest)
}

// whole reports whether n has no fraction. 3.0 and 30e-1 have none.
func (n decimal) whole() bool { return !n.rest && n.tenths%10 == 0 || n.tenths == most }
