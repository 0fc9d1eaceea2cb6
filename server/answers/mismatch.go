package answers

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// maxFaults bounds what one error lists.
const maxFaults = 10

// A MismatchError says where a document does not fit a schema.
type MismatchError struct {
	What   string  // such as "the answer does not fit its schema"
	Faults []Fault // at most ten, by their pointers
}

// A Fault is one place that does not fit.
type Fault struct {
	Pointer string // a JSON pointer; "" is the whole document
	Message string // what was found and what was wanted; never a text of the answer, which may be private, but for keys
}

// Error names every fault.
func (e *MismatchError) Error() string {
	faults := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		faults[i] = "at " + place(f.Pointer) + ": " + f.Message
	}
	return e.What + ": " + strings.Join(faults, "; ")
}

// faultsOf returns the causes that have no further cause.
func faultsOf(err *jsonschema.ValidationError) []Fault {
	var faults []Fault
	printer := message.NewPrinter(language.English)
	var walk func(*jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		if len(e.Causes) == 0 {
			faults = append(faults, Fault{Pointer: pointer(e.InstanceLocation), Message: explain(e.ErrorKind, printer)})
		}
		for _, cause := range e.Causes {
			walk(cause)
		}
	}
	walk(err)
	slices.SortFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Pointer, b.Pointer), cmp.Compare(a.Message, b.Message))
	})
	faults = slices.Compact(faults)
	return slices.Clip(faults[:min(len(faults), maxFaults)])
}

// explain words a fault. Where the validator would show a text of the answer, only what was wanted is told; keys are cut.
func explain(fault jsonschema.ErrorKind, printer *message.Printer) string {
	switch fault := fault.(type) {
	case *kind.Pattern:
		return "the text does not match the pattern " + strconv.Quote(fault.Want)
	case *kind.Format:
		return "the value is not in the format " + strconv.Quote(fault.Want)
	case *kind.AdditionalProperties:
		return fmt.Sprintf("%d properties that the schema does not have, such as %s", len(fault.Properties), place(slices.Min(fault.Properties)))
	case *kind.PropertyNames:
		return "a property's name that the schema does not allow: " + place(fault.Property)
	case *kind.ContentEncoding:
		return "the text is not encoded as " + strconv.Quote(fault.Want)
	case *kind.ContentMediaType:
		return "the text is not of the media type " + strconv.Quote(fault.Want)
	}
	const most = 200
	text := fault.LocalizedString(printer)
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}

// pointer joins the parts of a JSON pointer (RFC 6901, section 3).
func pointer(parts []string) string {
	var b strings.Builder
	for _, part := range parts {
		b.WriteByte('/')
		b.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(part))
	}
	return b.String()
}
