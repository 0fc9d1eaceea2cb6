// Package wire sends HTTP/1.1 requests in the goroutine of who asks.
//
// [http.Transport] has two goroutines for each connection, and a request is handed to them and back four times. With a provider that
// is near, such as a model on the same machine, that is most of what a proxy adds to the time of a request. [Transport] does without
// where that is simple, and leaves everything else to an http.Transport: proxies, HTTP/2, large and unbounded bodies, upgrades.
package wire
