package gateway

import (
	"crypto/sha256"

	"github.com/trysail-go/trysail"
)

// KeyHeader is where a request may carry the key of its client beside a provider's key, which then goes to targets without a credential. Without it the key
// is looked for where the SDKs of the protocols put theirs: in Authorization, X-Api-Key, X-Goog-Api-Key and the parameter "key".
const KeyHeader = "X-Trysail-Key"

// A ClientKey is a key of the gateway's own: who it is for, what may be done with it and how much. Where a plan has some, every request needs one, or an
// [Access] that is Trusted. No provider gets it.
type ClientKey struct {
	// Name is unique: 1 to 64 of the characters A-Z a-z 0-9 . _ : / -. It is in the log and in the usage.
	Name string

	// Hash is that of the key: see [HashKey]. The gateway never holds the key itself.
	Hash [sha256.Size]byte

	Operations []string // patterns as of package path of the operations that it may run; none: all
	Routes     []string // names of the routes that it may take; none: all, and requests that no route matches
	Targets    []string // the targets that it may be served by; none: all

	// Limits, 0: none. Each holds for the key, whichever way its requests take. Requests and tokens fill up evenly, and a minute's
	// worth may be used at once after a silence. A day is one of UTC; what was spent on it is forgotten when the program ends.
	Requests float64 // a minute, 1 to 1e10
	Tokens   float64 // a minute, 1 to 1e10
	Dollars  float64 // a day; needs prices at all targets that it may be served by

	// Ceiling is the most urgent priority that its requests have; what asks for more gets this. Default: any.
	Ceiling trysail.Priority
}

// HashKey returns the hash of a key. A key should be made of at least 128 random bits: the hash of a word can be guessed.
func HashKey(key string) [sha256.Size]byte { return sha256.Sum256([]byte(key)) }
