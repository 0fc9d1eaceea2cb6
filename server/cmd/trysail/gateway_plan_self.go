package main

import (
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
)

// is reports whether a URL leads to this address. No name is looked up but this machine's own.
func (a ownAddress) is(u *url.URL) bool {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if a.port == "" || a.port == "0" || port != a.port {
		return false
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	ours, err := netip.ParseAddr(a.host)
	everywhere := a.host == "" || err == nil && ours.IsUnspecified()
	theirs, notIP := netip.ParseAddr(host)
	switch {
	case strings.EqualFold(host, a.host):
		return true
	case notIP != nil && loopback(host):
		return everywhere || loopback(a.host)
	case notIP != nil:
		name, err := os.Hostname()
		return everywhere && err == nil && strings.EqualFold(host, name)
	case everywhere:
		return theirs.IsLoopback() || theirs.IsUnspecified() || isOurs(theirs.Unmap())
	case err != nil: // localhost, or a name that the system knows
		return loopback(a.host) && theirs.IsLoopback()
	default:
		return ours.Unmap() == theirs.Unmap() || theirs.IsUnspecified() && ours.IsLoopback() // 0.0.0.0 is dialed as 127.0.0.1
	}
}

// isOurs reports whether a network interface of this machine has an address.
func isOurs(ip netip.Addr) bool {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range addresses {
		if network, ok := a.(*net.IPNet); ok {
			if known, ok := netip.AddrFromSlice(network.IP); ok && known.Unmap() == ip.WithZone("") {
				return true
			}
		}
	}
	return false
}
