package main

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// A price is dollars for a million tokens. In a file it has its unit, as on the pages of providers: a bare number has been taken for dollars by the
// token, the thousand and the million.
type price float64

// maxPrice is far more than any model costs: beyond it the unit is wrong.
const maxPrice = 10_000

var (
	priceForm  = regexp.MustCompile(`^(?i)(?:\$|USD) ?([0-9]{1,9}(?:\.[0-9]{1,12})?) ?(?:/|per) ?(.+)$`)
	errPrice   = errors.New(`want a price with its unit, such as "$1.25/1M": dollars for a million tokens`)
	errTooDear = errors.New(`that is more than $10000/1M, want the price of a million tokens ("/1M"), a thousand ("/1K") or one ("/token")`)
)

// priceFactor says how many prices of a unit make that of a million tokens. The second result is false for what is no unit.
func priceFactor(unit string) (float64, bool) {
	switch strings.TrimPrefix(unit, "1") {
	case "m", "million", "mtok":
		return 1, true
	case "k", "thousand", "ktok":
		return 1e3, true
	case "token":
		return 1e6, true
	default:
		return 0, false
	}
}

// UnmarshalText reads such as "$1.25/1M", "$1.25 / 1M tokens", "$3/MTok", "$0.00125/1K" and "$0.00000125/token".
func (p *price) UnmarshalText(text []byte) error {
	m := priceForm.FindStringSubmatch(string(text))
	if m == nil {
		return errPrice
	}
	unit := strings.ToLower(strings.ReplaceAll(m[2], " ", ""))
	factor, ok := priceFactor(unit)
	if !ok {
		factor, ok = priceFactor(strings.TrimSuffix(strings.TrimSuffix(unit, "s"), "token"))
	}
	if !ok {
		return errPrice
	}
	dollars, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return errPrice
	}
	if dollars = math.Round(dollars*factor*1e9) / 1e9; dollars > maxPrice { // 0.0003 × 1000 is 0.3
		return errTooDear
	}
	*p = price(dollars)
	return nil
}

// String is such as "$1.25/1M". It is empty for 0, which is not known.
func (p price) String() string {
	if p == 0 {
		return ""
	}
	return "$" + strconv.FormatFloat(float64(p), 'f', -1, 64) + "/1M"
}
