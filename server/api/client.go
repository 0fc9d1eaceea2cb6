package api

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// clientOf returns the address that a request comes from. Of the addresses in X-Forwarded-For it takes the
// last one that no trusted proxy has: what is in front of that, anybody may have written. It is the zero Addr if
// the connection has no address, such as on a Unix socket.
func clientOf(r *http.Request, trusted []netip.Prefix) netip.Addr {
	client, ok := addressIn(r.RemoteAddr)
	if !ok {
		return netip.Addr{}
	}
	forwarded := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
	for trusts(trusted, client) && forwarded != "" {
		cut := strings.LastIndexByte(forwarded, ',')
		next, ok := addressIn(strings.TrimSpace(forwarded[cut+1:]))
		if !ok {
			break // the proxy that passed this on is all that is known
		}
		client, forwarded = next, forwarded[:max(cut, 0)]
	}
	return client
}

func trusts(trusted []netip.Prefix, address netip.Addr) bool {
	return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(address) })
}

// addressIn reads an address with or without a port. IPv4 in IPv6 is IPv4, and a zone is dropped: it is a name
// of this machine's.
func addressIn(text string) (netip.Addr, bool) {
	address, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	if err != nil {
		both, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}, false
		}
		address = both.Addr()
	}
	return address.Unmap().WithZone(""), true
}

// networkOf returns what counts as one client: an IPv4 address, or the 64 bits of an IPv6 address that belong to
// one network, in which each machine may have as many addresses as it likes (RFC 4291, 2.5.4). Of the zero Addr it
// is the zero Prefix.
func networkOf(address netip.Addr) netip.Prefix {
	address = address.Unmap().WithZone("")
	bits := 32
	if address.Is6() {
		bits = 64
	}
	network, err := address.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return network
}

// nameOf is a client for people: an address, or the network of one.
func nameOf(network netip.Prefix) string {
	switch {
	case !network.IsValid():
		return unknownClient
	case network.IsSingleIP():
		return network.Addr().String()
	default:
		return network.String()
	}
}

// unknownClient is the name of a client that has no address, or gives no other name.
const unknownClient = "unknown"
