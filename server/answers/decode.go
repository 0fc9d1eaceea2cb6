package answers

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// decode reads a document and refuses what would make checking it dear.
func decode(r io.Reader) (any, error) {
	value, err := jsonschema.UnmarshalJSON(r)
	if err != nil {
		return nil, err
	}
	return value, bounded(value, "", 0)
}

// bounded checks depth and numbers. The validator does exact arithmetic: 1e1000000 alone has 3.3 million bits, and with
// a larger exponent it would panic.
func bounded(value any, pointer string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("values are nested more than %d deep", maxDepth)
	}
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			if err := bounded(inner, pointer+"/"+key, depth+1); err != nil {
				return err
			}
		}
	case []any:
		for i, inner := range value {
			if err := bounded(inner, pointer+"/"+strconv.Itoa(i), depth+1); err != nil {
				return err
			}
		}
	case json.Number:
		return boundedNumber(value.String(), pointer)
	}
	return nil
}

func boundedNumber(number, pointer string) error {
	if len(number) > maxNumber {
		return fmt.Errorf("the number at %s has %d characters, want at most %d", place(pointer), len(number), maxNumber)
	}
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		if exponent, err := strconv.Atoi(number[i+1:]); err != nil || exponent > maxNumber || exponent < -maxNumber {
			return fmt.Errorf("the number at %s has an exponent beyond %d", place(pointer), maxNumber)
		}
	}
	return nil
}

// place is a JSON pointer for people, cut where a model has made up long keys.
func place(pointer string) string {
	const most = 100
	if pointer == "" {
		return "the top"
	}
	if len(pointer) > most {
		pointer = strings.ToValidUTF8(pointer[:most], "") + "..."
	}
	return strconv.Quote(pointer)
}
