package config

import (
	"fmt"
	"strings"
)

// english is the kind with its article.
func (k Kind) english() string {
	if k == KindInteger || k == KindObject {
		return "an " + string(k)
	}
	return "a " + string(k)
}

func (k nodeKind) english() string {
	return [...]string{
		isNull: "null", isTrue: "a boolean", isFalse: "a boolean", isNumber: "a number",
		isString: "a string", isArray: "an array", isObject: "an object",
	}[k]
}

// python is the value's type in the words of the specification's program, which tests and programs look for.
func (n node) python() string {
	if n.kind == isNumber {
		if numberOf(n.text).written {
			return "float"
		}
		return "int"
	}
	return [...]string{isNull: "NoneType", isTrue: "bool", isFalse: "bool", isString: "str", isArray: "list", isObject: "dict"}[n.kind]
}

// shown is a value for a message: short, and of an object or array only that it is one, as it may hold anything.
func (n node) shown() string {
	switch n.kind {
	case isNull:
		return "null"
	case isTrue:
		return "true"
	case isFalse:
		return "false"
	case isNumber:
		return short(n.text)
	case isString:
		return quote(n.text)
	default:
		return n.kind.english()
	}
}

// wanted is what the field takes, for people.
func (f Field) wanted() string {
	switch f.Kind {
	case KindInteger, KindNumber:
		return f.Kind.english() + " between " + f.between("and")
	case KindBoolean:
		return "true or false"
	case KindString:
		return "one of " + strings.Join(f.Enum, ", ")
	default:
		return "an object of operations and strategies, such as " + f.Example
	}
}

// remedy is what to write instead of a value that the field does not take.
func (f Field) remedy() string {
	switch f.Kind {
	case KindInteger:
		return fmt.Sprintf("Try %s: %s (a whole number without quotes, valid range %s%s)", f.Name, f.Example, f.between("to"), f.unit())
	case KindNumber:
		return fmt.Sprintf("Try %s: %s (a number without quotes, valid range %s%s)", f.Name, f.Example, f.between("to"), f.unit())
	case KindBoolean:
		return fmt.Sprintf("Write %s: true or %s: false, without quotes", f.Name, f.Name)
	case KindString:
		return fmt.Sprintf("%s takes one of: %s", f.Name, strings.Join(f.Enum, ", "))
	default:
		return fmt.Sprintf("Write %s as an object, such as %s", f.Name, f.Example)
	}
}

func (f Field) unit() string {
	if f.Unit == "" {
		return ""
	}
	return " " + f.Unit
}

func allowedFields() string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return "Allowed fields: " + strings.Join(names, ", ")
}

// nearest returns the field that somebody may have meant, "" if none is near enough.
func nearest(name string) string {
	const enough = 3 // changes of a letter
	best, least := "", enough+1
	for _, f := range fields {
		if len(name) > len(f.Name)+enough || len(f.Name) > len(name)+enough {
			continue
		}
		if d := distance(strings.ToLower(name), f.Name); d < least {
			best, least = f.Name, d
		}
	}
	return best
}

// distance is Levenshtein's: the least number of letters to put in, leave out or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
