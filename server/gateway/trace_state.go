package gateway

import (
	"strings"
)

// mostMembers is how many entries a tracestate has at most (W3C Trace Context, 3.3.1.1).
const mostMembers = 32

// validTracestate reports whether the values of the header are a list of key=value with each key once. One that is not must not be passed on.
func validTracestate(values []string) bool {
	seen := map[string]bool{}
	for _, value := range values {
		for member := range strings.SplitSeq(value, ",") {
			member = strings.Trim(member, " \t")
			if member == "" {
				continue // it is allowed
			}
			key, text, found := strings.Cut(member, "=")
			if !found || seen[key] || !validStateKey(key) || !validStateValue(text) || len(seen) == mostMembers {
				return false
			}
			seen[key] = true
		}
	}
	return len(seen) > 0
}

// validStateKey reports whether a key is a name, or one of a tenant with the system behind an @ (3.3.1.3.1).
func validStateKey(key string) bool {
	const letters, more = "abcdefghijklmnopqrstuvwxyz", "0123456789_-*/"
	if tenant, system, found := strings.Cut(key, "@"); found {
		return tenant != "" && len(tenant) <= 241 && strings.Trim(tenant, letters+more) == "" && strings.Contains(letters+more[:10], tenant[:1]) &&
			system != "" && len(system) <= 14 && strings.Trim(system, letters+more) == "" && strings.Contains(letters, system[:1])
	}
	return key != "" && len(key) <= 256 && strings.Trim(key, letters+more) == "" && strings.Contains(letters, key[:1])
}

// validStateValue reports whether a value is visible ASCII without comma and equals sign, and does not end with a space (3.3.1.3.2).
func validStateValue(value string) bool {
	if value == "" || len(value) > 256 {
		return false
	}
	return !strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c > '~' || c == ',' || c == '=' })
}
