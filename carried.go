package trysail

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// errNoAnswer is the error of a function that ended the goroutine in which we ran it.
var errNoAnswer = errors.New("the function ended its goroutine without an answer")

// A carriedPanic is a panic of a function that ran in a goroutine of ours. It goes on in that of the
// caller, with the stack of where it happened.
type carriedPanic struct {
	value any
	stack []byte
}

// carry makes one of what recover returned. It must be called where that was.
func carry(v any) *carriedPanic { return &carriedPanic{v, debug.Stack()} }

func (p carriedPanic) String() string { return fmt.Sprintf("%v\n\n%s", p.value, p.stack) }

// Error makes an error of it, so that a recovered one reads well.
func (p carriedPanic) Error() string { return p.String() }

// Unwrap gives the value back if it is an error.
func (p carriedPanic) Unwrap() error {
	err, _ := p.value.(error)
	return err
}
