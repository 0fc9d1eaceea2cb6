// Package gateway measures the program "trysail serve" as people run it, beside a bare [httputil.ReverseProxy], a plain
// forwarder, and the provider itself. It holds tests only; run.sh runs them and writes docs/reference/performance-gateway.md.
//
// Provider and proxies are processes of their own, so that their processor time and memory can be told apart. Every answer is
// compared byte for byte with what the provider sent.
package gateway
