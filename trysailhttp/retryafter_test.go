package trysailhttp_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/trysail-go/trysail/trysailhttp"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const longest = 366 * 24 * time.Hour

func TestRetryAfter(t *testing.T) {
	for name, tc := range map[string]struct {
		header http.Header
		want   time.Duration
		ok     bool
	}{
		"absent":                     {http.Header{}, 0, false},
		"seconds":                    {http.Header{"Retry-After": {"5"}}, 5 * time.Second, true},
		"zero":                       {http.Header{"Retry-After": {"0"}}, 0, true},
		"a fraction":                 {http.Header{"Retry-After": {"1.5"}}, 1500 * time.Millisecond, true},
		"space around it":            {http.Header{"Retry-After": {" 7 "}}, 7 * time.Second, true},
		"negative":                   {http.Header{"Retry-After": {"-5"}}, 0, false},
		"beyond 64 bits":             {http.Header{"Retry-After": {"99999999999999999999"}}, longest, true},
		"beyond a float":             {http.Header{"Retry-After": {"1e400"}}, longest, true},
		"infinite":                   {http.Header{"Retry-After": {"inf"}}, 0, false},
		"no number":                  {http.Header{"Retry-After": {"NaN"}}, 0, false},
		"hexadecimal":                {http.Header{"Retry-After": {"0x10"}}, 0, false},
		"words":                      {http.Header{"Retry-After": {"soon"}}, 0, false},
		"a lone dot":                 {http.Header{"Retry-After": {"."}}, 0, false},
		"a date ahead":               {http.Header{"Retry-After": {"Sun, 01 Mar 2026 12:00:30 GMT"}}, 30 * time.Second, true},
		"a date gone by":             {http.Header{"Retry-After": {"Sun, 01 Mar 2026 11:00:00 GMT"}}, 0, true},
		"a date far ahead":           {http.Header{"Retry-After": {"Sun, 01 Mar 2226 11:00:00 GMT"}}, longest, true},
		"a date by the server clock": {http.Header{"Retry-After": {"Sun, 01 Mar 2026 10:00:30 GMT"}, "Date": {"Sun, 01 Mar 2026 10:00:00 GMT"}}, 30 * time.Second, true},
		"milliseconds":               {http.Header{"Retry-After-Ms": {"250"}}, 250 * time.Millisecond, true},
		"milliseconds before all":    {http.Header{"Retry-After-Ms": {"20"}, "Retry-After": {"5"}}, 20 * time.Millisecond, true},
		"azure milliseconds":         {http.Header{"X-Ms-Retry-After-Ms": {"40"}, "Retry-After": {"5"}}, 40 * time.Millisecond, true},
		"amazon milliseconds":        {http.Header{"X-Amz-Retry-After": {"70"}, "Retry-After": {"5"}}, 70 * time.Millisecond, true},
		"bad milliseconds are none":  {http.Header{"Retry-After-Ms": {"x"}, "Retry-After": {"5"}}, 5 * time.Second, true},
		"less than a nanosecond":     {http.Header{"Retry-After-Ms": {"0.0000001"}}, 1, true},
		"the longest of two lines":   {http.Header{"Retry-After": {"1", "9"}}, 9 * time.Second, true},
		"a negative exponent":        {http.Header{"Retry-After-Ms": {"1e-9"}}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := trysailhttp.RetryAfter(tc.header, now)
			if got != tc.want || ok != tc.ok {
				t.Errorf("RetryAfter(%v) = %v, %v; want %v, %v", tc.header, got, ok, tc.want, tc.ok)
			}
		})
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"5", "1e400", "Sun, 01 Mar 2026 12:00:30 GMT", "-1", "", "1.", "0x1p-2", "9223372036854775807"} {
		f.Add(seed, seed, seed)
	}
	f.Fuzz(func(t *testing.T, seconds, ms, date string) {
		h := http.Header{"Retry-After": {seconds}, "Retry-After-Ms": {ms}, "Date": {date}}
		wait, ok := trysailhttp.RetryAfter(h, now)
		if wait < 0 || wait > longest || !ok && wait != 0 {
			t.Errorf("RetryAfter(%v) = %v, %v; want 0 to %v", h, wait, ok, longest)
		}
	})
}

func ExampleRetryAfter() {
	wait, ok := trysailhttp.RetryAfter(http.Header{"Retry-After": {"1.5"}}, time.Now())
	fmt.Println(wait, ok)
	// Output: 1.5s true
}

func ExampleStatusError() {
	fmt.Println(trysailhttp.FromResponse(&http.Response{StatusCode: 503}))
	// Output: HTTP status 503 Service Unavailable
}
