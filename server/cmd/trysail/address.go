package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
)

// checkAddress refuses an address that cannot be listened on, and says what
// would be right.
func checkAddress(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return usageError{fmt.Errorf("address %q: %w; want host:port, such as 127.0.0.1:8000 (--addr, TRYSAIL_ADDR)", addr, err)}
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return usageError{fmt.Errorf("address %q: port is %q, want a number from 0 to 65535 (--addr, TRYSAIL_ADDR)", addr, port)}
	}
	return nil
}

// listen opens the address, and says what to do when somebody else has it.
func listen(addr string) (net.Listener, error) {
	ln, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("address %s is in use: stop the program that has it, or choose another with --addr or TRYSAIL_ADDR", addr)
	}
	return ln, err
}

// networksOf reads the networks of trusted proxies. A single address is a network of its own.
func networksOf(texts []string) ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for _, text := range texts {
		network, err := netip.ParsePrefix(text)
		if address, single := netip.ParseAddr(text); single == nil {
			address = address.Unmap().WithZone("")
			network, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("trusted-proxies has %q, want networks or addresses such as 10.0.0.0/8 or 2001:db8::1", text)
		}
		networks = append(networks, network.Masked())
	}
	return networks, nil
}

// loopback reports whether only this machine can reach a host.
func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback()
}

// loopbackAddress is loopback for host:port. A missing host means every address.
func loopbackAddress(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	return err == nil && loopback(host)
}

// loopbackHost is loopback for a Host header, whose port may be missing.
func loopbackHost(header string) bool {
	if host, _, err := net.SplitHostPort(header); err == nil {
		return loopback(host)
	}
	return loopback(header)
}

// loopbackOrigin is loopback for an Origin header.
func loopbackOrigin(header string) bool {
	u, err := url.Parse(header)
	return err == nil && loopback(u.Hostname())
}
