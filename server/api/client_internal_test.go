package api

import (
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestClientBehindProxies(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:ffff::/48")}
	for name, tc := range map[string]struct {
		remote    string
		forwarded []string
		want      string
	}{
		"a client":                             {"203.0.113.7:1234", nil, "203.0.113.7"},
		"a client that says it is another":     {"203.0.113.7:1234", []string{"198.51.100.1"}, "203.0.113.7"},
		"behind a proxy":                       {"10.0.0.1:80", []string{"203.0.113.7"}, "203.0.113.7"},
		"behind a proxy that says nothing":     {"10.0.0.1:80", nil, "10.0.0.1"},
		"behind two proxies":                   {"10.0.0.1:80", []string{"203.0.113.7, 10.2.3.4"}, "203.0.113.7"},
		"in two headers":                       {"10.0.0.1:80", []string{"203.0.113.7", "10.2.3.4"}, "203.0.113.7"},
		"with a forged beginning":              {"10.0.0.1:80", []string{"198.51.100.1, 203.0.113.7"}, "203.0.113.7"},
		"a forged beginning in its own header": {"10.0.0.1:80", []string{"198.51.100.1", "203.0.113.7"}, "203.0.113.7"},
		"a forged proxy in front":              {"10.0.0.1:80", []string{"10.9.9.9, 203.0.113.7"}, "203.0.113.7"},
		"proxies only":                         {"10.0.0.1:80", []string{"10.2.3.4,10.3.4.5"}, "10.2.3.4"},
		"rubbish":                              {"10.0.0.1:80", []string{"unknown"}, "10.0.0.1"},
		"rubbish in front":                     {"10.0.0.1:80", []string{"_hidden, 203.0.113.7"}, "203.0.113.7"},
		"rubbish in between":                   {"10.0.0.1:80", []string{"203.0.113.7, x, 10.2.3.4"}, "10.2.3.4"},
		"a comma at the end":                   {"10.0.0.1:80", []string{"203.0.113.7,"}, "10.0.0.1"},
		"with a port":                          {"10.0.0.1:80", []string{"203.0.113.7:4711"}, "203.0.113.7"},
		"IPv6":                                 {"10.0.0.1:80", []string{"2001:db8::1"}, "2001:db8::1"},
		"IPv6 with brackets and port":          {"10.0.0.1:80", []string{"[2001:db8::1]:80"}, "2001:db8::1"},
		"IPv6 with brackets":                   {"10.0.0.1:80", []string{"[2001:db8::1]"}, "2001:db8::1"},
		"an IPv6 proxy":                        {"[2001:db8:ffff::2]:80", []string{"203.0.113.7"}, "203.0.113.7"},
		"IPv4 in IPv6":                         {"[::ffff:10.0.0.1]:80", []string{"::ffff:203.0.113.7"}, "203.0.113.7"},
		"a zone":                               {"[fe80::1%eth0]:80", nil, "fe80::1"},
		"a Unix socket":                        {"@", []string{"203.0.113.7"}, "invalid IP"},
		"a very long header":                   {"10.0.0.1:80", []string{strings.Repeat("10.1.1.1,", 10_000) + "203.0.113.7"}, "203.0.113.7"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = tc.remote
			for _, value := range tc.forwarded {
				r.Header.Add("X-Forwarded-For", value)
			}
			if got := clientOf(r, proxies).String(); got != tc.want {
				t.Errorf("clientOf(%s, %q) = %s, want %s", tc.remote, tc.forwarded, got, tc.want)
			}
		})
	}
}

func TestNetworks(t *testing.T) {
	for address, want := range map[string]string{
		"203.0.113.7":              "203.0.113.7",
		"::ffff:203.0.113.7":       "203.0.113.7",
		"2001:db8:0:1:aaaa::1":     "2001:db8:0:1::/64",
		"2001:db8:0:1:bbbb:cc::2":  "2001:db8:0:1::/64",
		"fe80::1%eth0":             "fe80::/64",
		"2001:db8:0:2:bbbb:cc:1:2": "2001:db8:0:2::/64",
	} {
		if got := nameOf(networkOf(netip.MustParseAddr(address))); got != want {
			t.Errorf("the network of %s is %s, want %s", address, got, want)
		}
	}
	if got := nameOf(networkOf(netip.Addr{})); got != "unknown" {
		t.Errorf("the network of no address is %s, want unknown", got)
	}
}

// FuzzForwarded checks that what an untrusted client writes in front of its own address changes nothing.
func FuzzForwarded(f *testing.F) {
	for _, seed := range []string{"", "10.0.0.1", "a,b", ",", "[::1]:80,", "203.0.113.7, 10.1.1.1", "\x00"} {
		f.Add(seed)
	}
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, forged string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "10.0.0.1:80"
		r.Header["X-Forwarded-For"] = []string{forged + ",203.0.113.7, 10.0.0.2"}
		if got := clientOf(r, proxies).String(); got != "203.0.113.7" {
			t.Errorf("%q makes the client %s, want 203.0.113.7", forged, got)
		}
		r.Header["X-Forwarded-For"] = []string{forged}
		clientOf(r, proxies) // whatever it is, it comes to an end
	})
}
