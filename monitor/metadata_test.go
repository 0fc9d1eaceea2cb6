package monitor_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail/monitor"
)

// stored returns what a recorder makes of metadata.
func stored(t *testing.T, fields map[string]any) monitor.Metadata {
	t.Helper()
	c := must(t, monitor.Config{})
	c.RecordPresetUsage(monitor.Subject{Metadata: fields})
	events, _ := c.After(0, 1)
	if len(events) != 1 {
		t.Fatalf("there are %d events, want 1", len(events))
	}
	return events[0].Metadata
}

func TestMetadata(t *testing.T) {
	for name, tc := range map[string]struct {
		fields map[string]any
		want   string
	}{
		"none":             {nil, `{}`},
		"empty":            {map[string]any{}, `{}`},
		"sorted":           {map[string]any{"b": 2, "a": 1}, `{"a":1,"b":2}`},
		"texts":            {map[string]any{"t": "line\n\"quoted\" \\ é \x01 \x7f \u2028 \xff"}, `{"t":"line\n\"quoted\" \\ é \u0001 \u007f \u2028 \ufffd"}`},
		"whole numbers":    {map[string]any{"a": int8(-1), "b": uint64(math.MaxUint64), "c": int64(math.MinInt64), "d": uint8(7)}, `{"a":-1,"b":18446744073709551615,"c":-9223372036854775808,"d":7}`},
		"other numbers":    {map[string]any{"a": 1.5, "b": float32(0.25), "c": 1e300, "d": 2.0}, `{"a":1.5,"b":0.25,"c":1e+300,"d":2}`},
		"numbers of none":  {map[string]any{"a": math.NaN(), "b": math.Inf(-1)}, `{"a":"NaN","b":"-Inf"}`},
		"json.Number":      {map[string]any{"a": json.Number("12.50"), "b": json.Number("1,2")}, `{"a":12.50,"b":"1,2"}`},
		"rest":             {map[string]any{"a": nil, "b": true, "c": time.Second, "d": time.Unix(0, 5).In(time.FixedZone("", 3600))}, `{"a":null,"b":true,"c":"1s","d":"1970-01-01T00:00:00.000000005Z"}`},
		"lists":            {map[string]any{"a": []string{"x", "y"}, "b": []any{1, "z", []any{}}}, `{"a":["x","y"],"b":[1,"z",[]]}`},
		"objects":          {map[string]any{"a": map[string]string{"y": "1", "x": "2"}, "b": map[string]any{}}, `{"a":{"x":"2","y":"1"},"b":{}}`},
		"too deep":         {map[string]any{"a": []any{[]any{[]any{[]any{1}}}}}, `{"a":[[["nested too deeply"]]]}`},
		"unsupported":      {map[string]any{"a": make(chan int), "b": errBroken, "c": func() {}}, `{"a":"unsupported type chan int","b":"unsupported type *errors.errorString","c":"unsupported type func()"}`},
		"a long key":       {map[string]any{strings.Repeat("k", 65): 1}, `{"` + strings.Repeat("k", 63) + `…":1}`},
		"a long text":      {map[string]any{"a": strings.Repeat("x", 1<<20)}, `{"a":"` + strings.Repeat("x", 499) + `…"}`},
		"a text as long":   {map[string]any{"a": strings.Repeat("x", 500)}, `{"a":"` + strings.Repeat("x", 500) + `"}`},
		"a long list":      {map[string]any{"a": make([]any, 40)}, `{"a":[` + strings.Repeat("null,", 32) + `"8 more left out"]}`},
		"list of long":     {map[string]any{"a": []string{strings.Repeat("x", 499), strings.Repeat("\x01", 499), strings.Repeat("\x01", 499)}}, `{"a":["` + strings.Repeat("x", 499) + `","` + strings.Repeat(`\u0001`, 499) + `","1 more left out"]}`},
		"a very long text": {map[string]any{"a": strings.Repeat("\x01", 499), "b": strings.Repeat("\x01", 499), "c": 1}, `{"a":"` + strings.Repeat(`\u0001`, 499) + `","c":1,"fields_left_out":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := stored(t, tc.fields)
			same(t, "metadata", got.String(), tc.want)
		})
	}
}

func TestMetadataIsBounded(t *testing.T) {
	many := map[string]any{}
	for i := range 10_000 {
		many[fmt.Sprintf("%05d", i)] = map[string]any{"text": strings.Repeat("\x01", 100), "list": []any{1, 2, 3}}
	}
	m := stored(t, many)
	if len(m) > 4096 || !json.Valid([]byte(m)) {
		t.Errorf("metadata has %d bytes, valid %v; want at most 4096 of valid JSON", len(m), json.Valid([]byte(m)))
	}
	fields := m.Map()
	if left, _ := fields["fields_left_out"].(float64); int(left)+len(fields)-1 != 10_000 {
		t.Errorf("there are %d fields and %v left out, want 10000 together", len(fields)-1, left)
	}
	recursive := map[string]any{}
	recursive["again"] = recursive
	same(t, "recursive metadata", stored(t, recursive).String(), `{"again":{"again":{"again":{"again":"nested too deeply"}}}}`)
}

// The caller may go on with the map, and recorders do not look at it again.
func TestMetadataIsACopy(t *testing.T) {
	c := must(t, monitor.Config{})
	fields := map[string]any{"list": []string{"a"}}
	c.RecordPresetUsage(monitor.Subject{Metadata: fields})
	fields["list"].([]string)[0] = "changed"
	fields["more"] = 1
	events, _ := c.After(0, 1)
	same(t, "metadata", events[0].Metadata.String(), `{"list":["a"]}`)
}

// The recorder's own fields cannot be forged.
func TestOwnMetadataGoesFirst(t *testing.T) {
	c := must(t, monitor.Config{})
	c.RecordConfigError(monitor.Subject{Metadata: map[string]any{"error_message": "all is well", "a": 1}}, errBroken)
	events, _ := c.After(0, 1)
	same(t, "metadata", events[0].Metadata.String(), `{"error_message":"preset is broken","a":1}`)
}

func TestMetadataUnmarshal(t *testing.T) {
	for text, want := range map[string]string{
		`null`:                           `{}`,
		` { "b" : 1.50, "a": [ 1 ] }  `:  `{"b":1.50,"a":[1]}`,
		`{"big":12345678901234567890.1}`: `{"big":12345678901234567890.1}`,
	} {
		var m monitor.Metadata
		if err := json.Unmarshal([]byte(text), &m); err != nil || m.String() != want {
			t.Errorf("Unmarshal(%s) = %s, %v; want %s", text, m, err, want)
		}
	}
	for _, text := range []string{`[]`, `1`, `{`, `{} {}`, ``} {
		var m monitor.Metadata
		if err := m.UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("UnmarshalJSON(%s) = %s, want an error", text, m)
		}
	}
}

func FuzzMetadata(f *testing.F) {
	f.Add("key", "value", 3)
	f.Add("\"", "\xff\u2028\x00<>&", 40)
	f.Fuzz(func(t *testing.T, key, text string, n int) {
		n = max(n%50, 0)
		value := any(text)
		list := make([]any, n)
		for i := range list {
			list[i] = value
		}
		m := stored(t, map[string]any{key: text, key + "l": list, "o": map[string]any{key: text, "l": list}})
		if len(m) > 4096 || !json.Valid([]byte(m)) {
			t.Fatalf("metadata of %d bytes, want valid JSON of at most 4096: %s", len(m), m)
		}
		var again monitor.Metadata
		if err := again.UnmarshalJSON([]byte(m.String())); err != nil || again != m {
			t.Errorf("UnmarshalJSON(%s) = %s, %v; want the same", m, again, err)
		}
	})
}
