package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect" //nolint:depguard // so that a field that is added to a view is written by hand, too, or the test fails
	"testing"
	"time"

	"github.com/trysail-go/trysail"
)

// What is written by hand is what encoding/json writes, whatever is in the fields.
func TestWrittenByHandIsWhatEncodingJSONWrites(t *testing.T) {
	var ws writers
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 1))
		view := breakersView{Total: r.Int(), Healthy: r.Int(), Open: -r.Int(), HalfOpen: r.Int(), Timestamp: randomTime(r)}
		byName := map[string]breakerView{}
		for i := range r.IntN(5) {
			var b breakerView
			fill(r, reflect.ValueOf(&b).Elem())
			b.Name = fmt.Sprintf("%d%s", i, b.Name)
			if r.IntN(3) == 0 {
				b.Override = orNull[overrideView]{new(overrideView)}
				fill(r, reflect.ValueOf(b.Override.value).Elem())
			}
			view.Breakers = append(view.Breakers, b)
			byName[b.Name] = b
		}
		var got, want bytes.Buffer
		if err := ws.encodeTo(&got, view); err != nil {
			t.Fatalf("seed %d: encodeTo() = %v", seed, err)
		}
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		err := e.Encode(struct {
			Breakers  map[string]breakerView `json:"circuit_breakers"`
			Total     int                    `json:"total_count"`
			Healthy   int                    `json:"healthy_count"`
			Open      int                    `json:"open_count"`
			HalfOpen  int                    `json:"half_open_count"`
			Timestamp time.Time              `json:"timestamp"`
		}{byName, view.Total, view.Healthy, view.Open, view.HalfOpen, view.Timestamp})
		if err != nil {
			t.Fatalf("seed %d: encoding/json: %v", seed, err)
		}
		if !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Fatalf("seed %d: written by hand:\n%s\nby encoding/json:\n%s", seed, &got, &want)
		}
		if nested, err := json.Marshal(view.Breakers); err != nil || !json.Valid(nested) {
			t.Errorf("seed %d: json.Marshal(list) = %s, %v; want valid JSON", seed, nested, err)
		}
	}
}

// What cannot be written is an error, and nothing is sent of it.
func TestWriterRefusesWhatJSONCannotSay(t *testing.T) {
	late := time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, view := range map[string]breakersView{
		"a year of five digits": {Timestamp: late},
		"one in a breaker":      {Breakers: breakerList{{OpenedAt: &late}}},
		"no number":             {Breakers: breakerList{{Metrics: countsView{SuccessRate: math.NaN()}}}},
		"an endless number":     {Breakers: breakerList{{Metrics: countsView{P95MS: math.Inf(1)}}}},
	} {
		t.Run(name, func(t *testing.T) {
			var to bytes.Buffer
			if err := new(writers).encodeTo(&to, view); err == nil || to.Len() > 0 {
				t.Errorf("encodeTo() = %v and %q, want an error and nothing written", err, &to)
			}
		})
	}
}

// Memory that is used again brings nothing of the answer before.
func TestWriterBeginsEmpty(t *testing.T) {
	var ws writers
	for _, text := range []string{"long, long ago", "now"} {
		view := breakersView{Breakers: breakerList{{Name: text, State: trysail.Closed.String()}}}
		var to bytes.Buffer
		if err := ws.encodeTo(&to, view); err != nil || bytes.Count(to.Bytes(), []byte("{")) != 4 || !bytes.Contains(to.Bytes(), []byte(text)) {
			t.Errorf("encodeTo() = %v and %q, want one breaker named %q", err, &to, text)
		}
	}
}

// fill gives every field a value of its own, odd ones among them.
func fill(r *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "Override" {
				fill(r, v.Field(i))
			}
		}
	case reflect.String:
		v.SetString([]string{"", "plain", "a \"b\" \\ c", "Zoë & <b>", "\x00\x1f\x7f\n\t", "\u2028\u2029", "\xff\xfe", "日本"}[r.IntN(8)])
	case reflect.Int:
		v.SetInt(int64(r.Uint64() >> r.IntN(64)))
	case reflect.Uint64:
		v.SetUint(r.Uint64() >> r.IntN(64))
	case reflect.Float64:
		v.SetFloat([]float64{0, math.Copysign(0, -1), 100, 99.99, 0.001, 1e-7, 1e21, 123456789012345678, r.NormFloat64(), r.Float64() * 1e6}[r.IntN(10)])
	case reflect.Pointer:
		if r.IntN(3) > 0 {
			at := randomTime(r)
			v.Set(reflect.ValueOf(&at))
		}
	default:
		panic("fill knows no " + v.Kind().String())
	}
}

func randomTime(r *rand.Rand) time.Time {
	t := time.Unix(r.Int64N(1<<37), r.Int64N(1e9)).UTC()
	return t.Truncate([]time.Duration{1, time.Microsecond, time.Second}[r.IntN(3)])
}
