package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Keys is a set of API keys. Some may do everything, others only read. It holds hashes, so that
// neither a dump nor a log can tell a key. The zero value is the empty set.
//
// In the audit log a key is known by its role and its place among those of its role, blanks not counted: "admin-1" is the first one that
// [NewKeys] was given, "read-only-1" the first of [Keys.WithReadOnly]. Who changes a key had better put the new one behind the others. With
// an empty set everybody is "anyone".
type Keys struct {
	admin, readOnly [][sha256.Size]byte
}

// NewKeys returns the set of the given keys, which may do everything. Space around a key is dropped,
// and so is a key of nothing else. A key with a space or a control character inside is an
// error, because no header could carry it.
func NewKeys(keys ...string) (Keys, error) {
	admin, err := hashesOf("API key", keys)
	return Keys{admin: admin}, err
}

// WithReadOnly returns k with keys that may only read, under the rules of [NewKeys]. One that may do
// everything already is an error: a key has one role.
func (k Keys) WithReadOnly(keys ...string) (Keys, error) {
	readOnly, err := hashesOf("read-only API key", keys)
	if err != nil {
		return Keys{}, err
	}
	for _, hash := range readOnly {
		if among(k.admin, hash) > 0 {
			return Keys{}, errors.New("a read-only API key is one that may do everything as well: give each key one role")
		}
	}
	k.readOnly = append(slices.Clip(k.readOnly), readOnly...)
	return k, nil
}

func hashesOf(kind string, keys []string) ([][sha256.Size]byte, error) {
	var hashes [][sha256.Size]byte
	for i, key := range keys {
		key = strings.TrimSpace(key)
		if key == "" {
			continue
		}
		if strings.ContainsFunc(key, unfit) {
			// The key itself stays out of the message: it is a secret all the same.
			return nil, fmt.Errorf("%s %d of %d holds a space or a control character", kind, i+1, len(keys))
		}
		hashes = append(hashes, sha256.Sum256([]byte(key)))
	}
	return hashes, nil
}

// KeysFromList returns the set of one key and a comma-separated list of further
// ones: the variables API_KEY and ADDITIONAL_API_KEYS.
func KeysFromList(apiKey, additional string) (Keys, error) {
	return NewKeys(append([]string{apiKey}, strings.Split(additional, ",")...)...)
}

func unfit(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// Empty reports whether the set holds no key.
func (k Keys) Empty() bool { return len(k.admin)+len(k.readOnly) == 0 }

// HasAdmin reports whether the set holds a key that may do everything.
func (k Keys) HasAdmin() bool { return len(k.admin) > 0 }

// An Access is what [Keys.Check] finds in a request.
type Access uint8

// The findings. The zero value grants nothing.
const (
	Missing  Access = iota // the request carries no key
	Wrong                  // it carries one that is not in the set
	ReadOnly               // it carries one that may only read
	Granted                // it carries one that may do everything, or the set is empty
)

// String returns "missing", "wrong", "read-only" or "granted".
func (a Access) String() string {
	switch a {
	case Missing:
		return "missing"
	case Wrong:
		return "wrong"
	case ReadOnly:
		return "read-only"
	case Granted:
		return "granted"
	default:
		return fmt.Sprintf("Access(%d)", uint8(a))
	}
}

// Check looks for a key in r: in "Authorization: Bearer", or, if that is absent or
// malformed, in X-API-Key. On the gateway's paths, /v1/ and /v1beta/, it looks in X-Goog-Api-Key and in the parameter "key", too, where
// Google's SDKs put theirs, and the best of what it finds counts: a client may have a provider's key beside the gateway's. Its time does not depend on which key of the set is
// right. An empty set grants everything.
func (k Keys) Check(r *http.Request) Access {
	access, _ := k.look(r)
	return access
}

// look is Check with the name of the key, which is empty if there is none.
func (k Keys) look(r *http.Request) (access Access, name string) {
	if k.Empty() {
		return Granted, "anyone"
	}
	key := presented(r.Header)
	if key != "" {
		access, name = k.find(key)
	}
	if access < ReadOnly && onGateway(r.URL.Path) {
		return k.lookFurther(r, access)
	}
	return access, name
}

// lookFurther looks where the SDKs of other providers than OpenAI put their keys. found is what has been found so far.
func (k Keys) lookFurther(r *http.Request, found Access) (access Access, name string) {
	access = found
	places := []string{r.Header.Get("X-API-Key"), r.Header.Get("X-Goog-Api-Key")}
	if r.URL.RawQuery != "" {
		places = append(places, r.URL.Query().Get("key"))
	}
	for _, key := range places {
		if key = strings.TrimSpace(key); key == "" {
			continue
		}
		if next, its := k.find(key); next > access {
			access, name = next, its
		}
	}
	return access, name
}

// onGateway reports whether a path is one of the gateway's. On others a key in the address is not looked at: addresses get into logs.
func onGateway(path string) bool {
	return strings.HasPrefix(path, "/v1/") || strings.HasPrefix(path, "/v1beta/")
}

// Holds reports whether text is one of the keys. Its time does not depend on which.
func (k Keys) Holds(text string) bool {
	access, _ := k.find(text)
	return access != Wrong
}

// HoldsHash reports whether the SHA-256 of one of the keys is hash. Its time does not depend on which.
func (k Keys) HoldsHash(hash [sha256.Size]byte) bool {
	access, _ := k.findHash(hash)
	return access != Wrong
}

func (k Keys) find(text string) (access Access, name string) {
	return k.findHash(sha256.Sum256([]byte(text)))
}

func (k Keys) findHash(hash [sha256.Size]byte) (access Access, name string) {
	admin, readOnly := among(k.admin, hash), among(k.readOnly, hash) // both, whatever the first one is
	switch {
	case admin > 0:
		return Granted, "admin-" + strconv.Itoa(admin)
	case readOnly > 0:
		return ReadOnly, "read-only-" + strconv.Itoa(readOnly)
	default:
		return Wrong, ""
	}
}

// among returns the place of hash among hashes, the first is 1, or 0 if it is none of them. Its time does not depend on which.
func among(hashes [][sha256.Size]byte, hash [sha256.Size]byte) (place int) {
	for i := range slices.Backward(hashes) { // of several that are the same the first one counts
		place = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(hash[:], hashes[i][:]), i+1, place)
	}
	return place
}

// presented returns the key that the header carries, or "".
func presented(h http.Header) string {
	scheme, key, _ := strings.Cut(strings.TrimSpace(h.Get("Authorization")), " ")
	if key = strings.TrimSpace(key); strings.EqualFold(scheme, "Bearer") && key != "" && !strings.ContainsFunc(key, unfit) {
		return key
	}
	return strings.TrimSpace(h.Get("X-API-Key"))
}
