package gateway

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func jsonSeeds() []string {
	return []string{
		``, ` `, `{}`, `[]`, ` { } `, `{"a":1}`, `{"a":[1,2,{"b":null}],"c":true}`, `{"a":1,}`, `{,}`, `[1,]`, `[,1]`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a":1`, `[1`, `"`, `"a`, `"a"`,
		`"\u00e9"`, `"\u00"`, `"\x"`, `"\`, "\"\n\"", "\"\x7f\"", "\"\xff\"", `-`, `-0`, `00`, `01`, `1.`, `1.5`, `.5`, `1e`, `1e+`, `1E-5`, `-1.5e10`, `+1`, `tru`, `true`, `nulll`, `{} {}`, "\ufeff{}",
		`{"model":"gpt-4o","stream":true,"n":3,"messages":[{"role":"user","content":"a\"b"}]}`,
		`{"model":"a","Model":"b"}`, `{"mod\u0065l":"b"}`, `{"model":"\u0061"}`, `{"model":"é"}`, `{"model":null,"stream":null,"n":null}`, `{"model":1}`, `{"stream":"yes"}`, `{"n":1.5}`, `{"n":-1}`,
		`{"n":0}`, `{"n":01}`, `{"n":99999999999999999999}`, `{"n":1e2}`, `{"n":"2"}`, `{"model":"a","model":"b"}`, `{"generationConfig":{"candidateCount":2}}`, `[{"model":"a"}]`, `{"n":12 ,"stream": false }`,
		"{\"\u017ftream\":true}", strings.Repeat("[", 99) + strings.Repeat("]", 99), strings.Repeat("[", 200) + strings.Repeat("]", 200), strings.Repeat(`{"a":`, 150) + "1" + strings.Repeat("}", 150), strings.Repeat("[", 20000),
	}
}

func TestJSONSeeds(t *testing.T) {
	for _, text := range jsonSeeds() {
		agree(t, []byte(text))
	}
}

// FuzzJSON holds what is read by hand against encoding/json.
func FuzzJSON(f *testing.F) {
	for _, text := range jsonSeeds() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) { agree(t, text) })
}

func agree(t *testing.T, text []byte) {
	t.Helper()
	if got, want := wellFormed(text), json.Valid(text); got != want {
		t.Errorf("wellFormed(%.100q) = %v, want %v", text, got, want)
	}
	var want known
	wantErr := json.Unmarshal(text, &want)
	got, err := readKnown(text)
	if got != want || (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
		t.Errorf("readKnown(%.100q) = %+v, %v; want %+v, %v", text, got, err, want, wantErr)
	}
	var syntax *json.SyntaxError
	if errors.As(wantErr, &syntax) && !errors.As(err, &syntax) {
		t.Errorf("readKnown(%.100q) = %v, want a syntax error", text, err)
	}
}
