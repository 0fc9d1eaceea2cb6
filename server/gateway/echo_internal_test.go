package gateway

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

const secretOfTests = "sk-proj-0123456789abcdefghijABCDEFGHIJ0123456789abcdefghij"

// Whatever pieces a text comes in, what is let through holds no key and is as long as the text.
func TestVeilAtEveryBorder(t *testing.T) {
	v := &visit{key: &credential{key: secretOfTests, secret: newSecret(secretOfTests)}}
	text := "sk-proj-sk-proj- " + secretOfTests + secretOfTests + " s sk-" + secretOfTests[:30] + " end sk-p"
	want := strings.ReplaceAll(text, secretOfTests, strings.Repeat("*", len(secretOfTests)))
	for size := 1; size <= len(text); size++ {
		var got, kept []byte
		for at := 0; at < len(text); at += size {
			piece := append(bytes.Clone(kept), text[at:min(at+size, len(text))]...)
			v.veil(piece)
			n := len(piece)
			if at+size < len(text) {
				n -= v.begun(piece)
			}
			got, kept = append(got, piece[:n]...), piece[n:]
		}
		if string(got) != want {
			t.Fatalf("in pieces of %d bytes: %q, want %q", size, got, want)
		}
	}
}

// BenchmarkVeil is what is added for each event of a stream and each plain answer.
func BenchmarkVeil(b *testing.B) {
	v := &visit{key: &credential{key: secretOfTests, secret: newSecret(secretOfTests)}}
	for _, size := range []int{200, 2000, 100_000} {
		event := []byte(strings.Repeat(`{"choices":[{"index":0,"delta":{"content":" sky"}}],"object":"chat.completion.chunk"}`, size/80+1)[:size])
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				v.veil(event)
			}
		})
	}
}
