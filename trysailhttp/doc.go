// Package trysailhttp runs HTTP requests under a [trysail.Operation].
//
//	client := &http.Client{Transport: &trysailhttp.Transport{Operation: orc.Operation("chat")}}
//
// Any SDK that takes an *http.Client or an [http.RoundTripper] gets retries and
// a circuit breaker this way. Switch the SDK's own retries off, or the two
// multiply.
package trysailhttp
