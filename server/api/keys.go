package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
	"unicode"
)

// Keys is a set of API keys. It holds hashes, so that neither a dump nor a log
// can tell a key. The zero value is the empty set.
type Keys struct {
	hashes [][sha256.Size]byte
}

// NewKeys returns the set of the given keys. Space around a key is dropped, and so
// is a key of nothing else. A key with a space or a control character inside is an
// error, because no header could carry it.
func NewKeys(keys ...string) (Keys, error) {
	var k Keys
	for i, key := range keys {
		key = strings.TrimSpace(key)
		if key == "" {
			continue
		}
		if strings.ContainsFunc(key, unfit) {
			// The key itself stays out of the message: it is a secret all the same.
			return Keys{}, fmt.Errorf("API key %d of %d holds a space or a control character", i+1, len(keys))
		}
		k.hashes = append(k.hashes, sha256.Sum256([]byte(key)))
	}
	return k, nil
}

// KeysFromList returns the set of one key and a comma-separated list of further
// ones: the variables API_KEY and ADDITIONAL_API_KEYS.
func KeysFromList(apiKey, additional string) (Keys, error) {
	return NewKeys(append([]string{apiKey}, strings.Split(additional, ",")...)...)
}

func unfit(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// Empty reports whether the set holds no key.
func (k Keys) Empty() bool { return len(k.hashes) == 0 }

// An Access is what [Keys.Check] finds in a request.
type Access uint8

// The findings. The zero value grants nothing.
const (
	Missing Access = iota // the request carries no key
	Wrong                 // it carries one that is not in the set
	Granted               // it carries one of the set, or the set is empty
)

// String returns "missing", "wrong" or "granted".
func (a Access) String() string {
	switch a {
	case Missing:
		return "missing"
	case Wrong:
		return "wrong"
	case Granted:
		return "granted"
	default:
		return fmt.Sprintf("Access(%d)", uint8(a))
	}
}

// Check looks for a key in r: in "Authorization: Bearer", or, if that is absent or
// malformed, in X-API-Key. Its time does not depend on which key of the set is
// right. An empty set grants everything.
func (k Keys) Check(r *http.Request) Access {
	if k.Empty() {
		return Granted
	}
	key := presented(r.Header)
	if key == "" {
		return Missing
	}
	if k.Holds(key) {
		return Granted
	}
	return Wrong
}

// Holds reports whether text is one of the keys. Its time does not depend on which.
func (k Keys) Holds(text string) bool {
	hash, match := sha256.Sum256([]byte(text)), 0
	for i := range k.hashes {
		match |= subtle.ConstantTimeCompare(hash[:], k.hashes[i][:])
	}
	return match == 1
}

// presented returns the key that the header carries, or "".
func presented(h http.Header) string {
	scheme, key, _ := strings.Cut(strings.TrimSpace(h.Get("Authorization")), " ")
	if key = strings.TrimSpace(key); strings.EqualFold(scheme, "Bearer") && key != "" && !strings.ContainsFunc(key, unfit) {
		return key
	}
	return strings.TrimSpace(h.Get("X-API-Key"))
}
