package configfile

import (
	"cmp"
	"math"
	"math/big"
	"reflect" //nolint:depguard // ADR 13: one decoder for the types of all packages
	"regexp"
	"strconv"
	"strings"
	"time"
)

// scalar sets what has no parts.
func (d *decoder) scalar(v *value, into reflect.Value, path string) {
	switch into.Kind() {
	case reflect.String:
		if v.kind == text {
			into.SetString(v.text)
		} else {
			d.wrong(v, path, "a text"+inQuotes(v))
		}
	case reflect.Bool:
		if v.kind == truth && (v.text == "true" || v.text == "false") {
			into.SetBool(v.text == "true")
		} else {
			d.wrong(v, path, "true or false")
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if n, ok := d.whole(v, path); ok {
			if into.OverflowInt(n) {
				d.wrong(v, path, "a smaller number")
			} else {
				into.SetInt(n)
			}
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if n, ok := d.whole(v, path); ok {
			if n < 0 || into.OverflowUint(uint64(n)) {
				d.wrong(v, path, "a whole number from 0 that is not as large")
			} else {
				into.SetUint(uint64(n))
			}
		}
	case reflect.Float32, reflect.Float64:
		if x, ok := d.decimal(v, path, "a number"); ok {
			into.SetFloat(x)
		}
	default:
		d.fault(v, path, "found %v, but nothing can be written here", v.kind)
	}
}

// inQuotes is the remedy for what only looks like another kind.
func inQuotes(v *value) string {
	if v.kind == number || v.kind == truth {
		return `: put it in quotes`
	}
	return ""
}

// The forms of numbers: those of JSON, which all readers of YAML take for the same. 0x10, 010, 1_000, 1:30 and
// .inf mean one thing to one reader and another thing to the next.
var (
	wholeForm   = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	decimalForm = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?$`)
)

func (d *decoder) whole(v *value, path string) (int64, bool) {
	const want = "a whole number such as 5"
	if v.kind != number || !wholeForm.MatchString(v.text) {
		d.wrong(v, path, want+otherForm(v))
		return 0, false
	}
	n, err := strconv.ParseInt(v.text, 10, 64)
	if err != nil {
		d.wrong(v, path, "a smaller number")
	}
	return n, err == nil
}

func (d *decoder) decimal(v *value, path, want string) (float64, bool) {
	if v.kind != number || !decimalForm.MatchString(v.text) {
		d.wrong(v, path, want+otherForm(v))
		return 0, false
	}
	x, err := strconv.ParseFloat(v.text, 64)
	if err != nil || math.IsInf(x, 0) {
		d.wrong(v, path, "a number that is not as large")
		return 0, false
	}
	return x, true
}

// otherForm explains why a number is not taken for one.
func otherForm(v *value) string {
	switch {
	case v.kind == text && !v.plain && decimalForm.MatchString(v.text):
		return ": leave the quotes out"
	case v.kind == number && !decimalForm.MatchString(v.text):
		return ", in decimal digits without a leading zero"
	default:
		return ""
	}
}

// duration reads "1m30s". A number has no unit, and nobody may have to guess whether it means seconds; 0 needs none.
func (d *decoder) duration(v *value, into reflect.Value, path string) {
	const want = `a time such as "30s", "1m30s" or "250ms"`
	switch t, err := time.ParseDuration(v.text); {
	case v.kind == number && v.text != "0" && decimalForm.MatchString(v.text):
		d.wrong(v, path, want+", with its unit")
	case v.kind != number && v.kind != text, err != nil:
		d.wrong(v, path, want)
	case t < 0:
		d.wrong(v, path, "0s or more")
	default:
		into.SetInt(int64(t))
	}
}

// A Size is a number of bytes. In a file it is such as "32MiB" (1024 × 1024 bytes each), "10MB" (1000 × 1000) or a plain number.
type Size int64

// String is such as "32MiB".
func (s Size) String() string {
	for _, unit := range []struct {
		name string
		size Size
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if s != 0 && s%unit.size == 0 {
			return strconv.FormatInt(int64(s/unit.size), 10) + unit.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

var sizeForm = regexp.MustCompile(`^([0-9]{1,18}(?:\.[0-9]{1,6})?) ?([kKMGT]i?B|[kKMGT]|B)?$`)

func (d *decoder) bytes(v *value, into reflect.Value, path string) {
	const want = `a number of bytes such as "32MiB", "10MB" or 65536`
	m := sizeForm.FindStringSubmatch(v.text)
	if v.kind != number && v.kind != text || m == nil {
		d.wrong(v, path, want)
		return
	}
	amount, _ := new(big.Rat).SetString(m[1]) // the form is good
	amount.Mul(amount, new(big.Rat).SetInt64(unitOf(m[2])))
	if !amount.IsInt() || !amount.Num().IsInt64() {
		d.wrong(v, path, "a whole number of bytes that is not as large")
		return
	}
	into.SetInt(amount.Num().Int64())
}

// unitOf returns how many bytes a unit has. K, M, G and T alone are the larger ones, as in Go's GOMEMLIMIT and in JVMs.
func unitOf(unit string) int64 {
	base := int64(1024)
	if strings.HasSuffix(unit, "B") && !strings.HasSuffix(unit, "iB") {
		base = 1000
	}
	size := int64(1)
	for range strings.Index("BKMGT", strings.ToUpper(cmp.Or(unit, "B")[:1])) {
		size *= base
	}
	return size
}
