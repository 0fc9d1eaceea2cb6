package llm_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/llm"
)

func TestEstimateTokens(t *testing.T) {
	file := func(size int) string {
		bytes := make([]byte, size)
		for i := range bytes {
			bytes[i] = byte(i * i >> 3)
		}
		return base64.StdEncoding.EncodeToString(bytes)
	}
	image := file(10 << 20)
	prose := strings.Repeat("This is a sentence with some words in it. ", 1000) // 42,000 bytes
	for name, tc := range map[string]struct {
		body     string
		min, max int64
	}{
		"nothing":                   {"", 0, 0},
		"one byte":                  {"x", 1, 1},
		"a short question":          {`{"messages":[{"role":"user","content":"hello"}]}`, 12, 12},
		"prose":                     {`{"content":"` + prose + `"}`, 10503, 10504},
		"OpenAI's image of 10 MB":   {`{"content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + image + `"}}]}`, 1600, 1650},
		"Anthropic's":               {`{"source":{"type":"base64","media_type":"image/png","data":"` + image + `"}}`, 1600, 1650},
		"Gemini's, in its alphabet": {`{"inlineData":{"data":"` + strings.NewReplacer("+", "-", "/", "_").Replace(image) + `"}}`, 1600, 1650},
		"with slashes escaped":      {`{"data":"` + strings.ReplaceAll(image, "/", `\/`) + `"}`, 1600, 1650},
		"three images and prose":    {`{"a":"` + image + `","b":"` + prose + `","c":"` + image + `","d":"` + image + `"}`, 15300, 15350},
		"an image that is cut off":  {`{"data":"` + image, 1600, 1650},
		"a small image":             {`{"data":"` + file(300) + `"}`, 100, 110},
		"Chinese, escaped":          {`{"content":"` + strings.Repeat("\\u4e2d", 2000) + `"}`, 3003, 3004},
		"Chinese":                   {`{"content":"` + strings.Repeat("中", 4000) + `"}`, 3003, 3004},
		"lines of a program":        {`{"content":"` + strings.Repeat("if a==b{return(c)};", 1000) + `"}`, 4753, 4754},
		"a form with a recording":   {"--boundary\r\n" + strings.Repeat("\x00\xff", 5<<20), 1600, 1600},
		"a small form":              {"--boundary--", 3, 3},
		"a URL that is long":        {`{"url":"https://x/` + strings.Repeat("a%20b/", 1000) + `"}`, 1500, 1510},
		"data that is not base64":   {`{"url":"data:text/plain,` + strings.Repeat("a%20b/", 1000) + `"}`, 1500, 1510},
	} {
		t.Run(name, func(t *testing.T) {
			if got := llm.EstimateTokens([]byte(tc.body)); got < tc.min || got > tc.max {
				t.Errorf("EstimateTokens(%d bytes) = %d, want %d to %d", len(tc.body), got, tc.min, tc.max)
			}
		})
	}
}

func FuzzEstimateTokens(f *testing.F) {
	f.Add([]byte(`{"data":"` + strings.Repeat("QUJD", 2000) + `"}`))
	f.Add([]byte(`{"url":"data:image/png;base64,` + strings.Repeat("A", 5000)))
	f.Add([]byte(`data:` + strings.Repeat("A", 5000)))
	f.Fuzz(func(t *testing.T, body []byte) {
		got := llm.EstimateTokens(body)
		if most := int64(len(body))/4 + 1; got < 0 || got > max(most, most/4+1600) && got > most+1600*int64(len(body)/4096) {
			t.Errorf("EstimateTokens(%d bytes) = %d", len(body), got)
		}
	})
}
