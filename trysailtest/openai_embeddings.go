package trysailtest

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

const (
	defaultEmbeddingModel = "simulated-embedding"
	defaultDimensions     = 16
	maxDimensions         = 3072 // of text-embedding-3-large
	maxInputs             = 2048 // OpenAI's limit for one request
)

type embeddingRequest struct {
	Model          string         `json:"model"`
	Input          embeddingInput `json:"input"`
	Dimensions     *int           `json:"dimensions"`
	EncodingFormat string         `json:"encoding_format"`
}

// embeddingInput is the texts to embed. OpenAI takes a string, an array of strings,
// an array of token numbers or an array of such arrays; here numbers count as text.
type embeddingInput []string

// UnmarshalJSON implements [json.Unmarshaler].
func (in *embeddingInput) UnmarshalJSON(data []byte) error {
	if data[0] != '[' {
		data = append(append([]byte("["), data...), ']')
	}
	var items []json.RawMessage
	if err := json.Unmarshal(data, &items); err != nil {
		return err
	}
	*in = nil
	for _, item := range items {
		switch text := ""; item[0] {
		case '"':
			if err := json.Unmarshal(item, &text); err != nil {
				return err
			}
			*in = append(*in, text)
		case '[':
			*in = append(*in, string(item))
		case '{', 't', 'f', 'n':
			return errors.New("input must hold strings or token numbers")
		default: // a number, so the array is one text
			*in = embeddingInput{string(data)}
			return nil
		}
	}
	return nil
}

type embedding struct {
	Object    string `json:"object"`
	Index     int    `json:"index"`
	Embedding any    `json:"embedding"` // []float32, or base64 of the same
}

type embeddingAnswer struct {
	Object string      `json:"object"`
	Data   []embedding `json:"data"`
	Model  string      `json:"model"`
	Usage  struct {
		PromptTokens int `json:"prompt_tokens"`
		TotalTokens  int `json:"total_tokens"`
	} `json:"usage"`
}

func (x *exchange) openAIEmbeddings() {
	var request embeddingRequest
	if e := decode(x.body, &request); e != nil {
		x.fail(e)
		return
	}
	if e := request.check(); e != nil {
		x.fail(e)
		return
	}
	x.answerJSON(request.embed())
}

func (r *embeddingRequest) check() *apiError {
	switch {
	case len(r.Input) == 0 || len(r.Input) > maxInputs:
		return badRequest("input", fmt.Sprintf("\"input\" must hold 1 to %d texts.", maxInputs))
	case r.Dimensions != nil && (*r.Dimensions < 1 || *r.Dimensions > maxDimensions):
		return badRequest("dimensions", fmt.Sprintf("\"dimensions\" must be 1 to %d.", maxDimensions))
	}
	return nil
}

func (r *embeddingRequest) embed() *embeddingAnswer {
	a := &embeddingAnswer{Object: "list", Model: r.Model, Data: make([]embedding, len(r.Input))}
	if a.Model == "" {
		a.Model = defaultEmbeddingModel
	}
	dimensions, size := defaultDimensions, 0
	if r.Dimensions != nil {
		dimensions = *r.Dimensions
	}
	for i, text := range r.Input {
		size += len(text)
		a.Data[i] = embedding{"embedding", i, r.encode(vector(text, dimensions))}
	}
	a.Usage.PromptTokens = tokensIn(size)
	a.Usage.TotalTokens = a.Usage.PromptTokens
	return a
}

// vector returns a vector of length 1 that depends on the text alone.
func vector(text string, dimensions int) []float32 {
	random := rand.New(rand.NewPCG(hashText(hashStart, text), 0))
	v, sum := make([]float32, dimensions), 0.0
	for i := range v {
		f := random.NormFloat64()
		v[i], sum = float32(f), sum+f*f
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}

// encode returns v as the request wants it. Python's SDK wants base64 of little-endian
// float32.
func (r *embeddingRequest) encode(v []float32) any {
	if r.EncodingFormat != "base64" {
		return v
	}
	b := make([]byte, 0, 4*len(v))
	for _, f := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	return base64.StdEncoding.EncodeToString(b)
}
