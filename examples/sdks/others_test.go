package sdks_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	ollama "github.com/ollama/ollama/api"
	goopenai "github.com/sashabaranov/go-openai"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// An answer is what a server says to every request.
type answer struct {
	status int
	header http.Header
	body   string
}

// serve answers every request the same way.
func serve(t *testing.T, a answer) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for name, values := range a.header {
			w.Header()[name] = values
		}
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// askGoOpenAI asks by the SDK of the community.
func askGoOpenAI(ctx context.Context, address string, client *http.Client) error {
	cfg := goopenai.DefaultConfig("key")
	cfg.BaseURL, cfg.HTTPClient = address, client
	_, err := goopenai.NewClientWithConfig(cfg).CreateChatCompletion(ctx, goopenai.ChatCompletionRequest{
		Model: "m", Messages: []goopenai.ChatCompletionMessage{{Role: "user", Content: question}},
	})
	return err
}

// askBedrock asks by Amazon's SDK, whose own retries are off.
func askBedrock(ctx context.Context, address string, client *http.Client) error {
	runtime := bedrockruntime.New(bedrockruntime.Options{
		Region: "eu-central-1", BaseEndpoint: &address, HTTPClient: client, Retryer: aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "secret"}, nil
		}),
	})
	_, err := runtime.Converse(ctx, &bedrockruntime.ConverseInput{
		ModelId: new("anthropic.claude-3"),
		Messages: []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{
			&types.ContentBlockMemberText{Value: question},
		}}},
	})
	return err
}

// askOllama asks by Ollama's own client.
func askOllama(ctx context.Context, address string, client *http.Client) error {
	base, err := url.Parse(address)
	if err != nil {
		return err
	}
	return ollama.NewClient(base, client).Chat(ctx, &ollama.ChatRequest{
		Model: "m", Messages: []ollama.Message{{Role: "user", Content: question}}, Stream: new(false),
	}, func(ollama.ChatResponse) error { return nil })
}

// amazon is the answer with which Bedrock refuses.
func amazon(status int, kind, message string) answer {
	return answer{status, http.Header{
		"Content-Type": {"application/json"}, "X-Amzn-Errortype": {kind + ":http://internal.amazon.com/coral/com.amazon.bedrock/"},
		"X-Amzn-Requestid": {"rid-7"},
	}, `{"message":"` + message + `"}`}
}

// What the errors of these SDKs mean is known without their packages: with [llm.Transport] under them as exactly as
// the answer tells it, and from the error alone as far as the error does.
func TestErrorsOfOtherSDKs(t *testing.T) {
	type ask func(context.Context, string, *http.Client) error
	for name, tc := range map[string]struct {
		ask      ask
		provider llm.Provider
		answer   answer
		class    trysail.Class
		retry    bool
		delay    time.Duration
		blind    time.Duration // the delay that the error alone tells
	}{
		"go-openai, a quota": {
			askGoOpenAI, llm.OpenAI,
			answer{429, nil, `{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`},
			trysail.ClassQuotaExhausted, false, 0, 0,
		},
		"go-openai, no money, which only the code tells": {
			askGoOpenAI, llm.OpenAI,
			answer{429, nil, `{"error":{"message":"Add funds to go on.","type":"insufficient_quota","param":null,"code":"credit_balance_exhausted"}}`},
			trysail.ClassQuotaExhausted, false, 0, 0,
		},
		"go-openai, a rate": {
			askGoOpenAI, llm.OpenAI,
			answer{429, http.Header{"Retry-After": {"7"}}, `{"error":{"message":"Rate limit reached for m in organization o on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 7s.","type":"requests","param":null,"code":"rate_limit_exceeded"}}`},
			trysail.ClassRateLimited, true, 7 * time.Second, 7 * time.Second,
		},
		"go-openai, a gateway's page": {
			askGoOpenAI, llm.OpenAI, answer{502, nil, "<html>Bad Gateway</html>"}, trysail.ClassTransient, true, 0, 0,
		},
		"go-openai, a context that is full": {
			askGoOpenAI, llm.OpenAI,
			answer{400, nil, `{"error":{"message":"This model's maximum context length is 10 tokens. However, your messages resulted in 20 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`},
			trysail.ClassContextLength, false, 0, 0,
		},
		"Bedrock, throttled": {
			askBedrock, llm.Bedrock, amazon(429, "ThrottlingException", "Too many requests, please wait before trying again."),
			trysail.ClassRateLimited, true, 0, 0,
		},
		"Bedrock, no access": {
			askBedrock, llm.Bedrock, amazon(403, "AccessDeniedException", "You don't have access to the model with the specified model ID."),
			trysail.ClassPermanent, false, 0, 0,
		},
		"Bedrock, not available": {
			askBedrock, llm.Bedrock, amazon(503, "ServiceUnavailableException", "Bedrock is unable to process your request."),
			trysail.ClassOverloaded, true, 0, 0,
		},
		"Ollama, no such model": {
			askOllama, llm.Ollama, answer{404, nil, `{"error":"model 'm' not found"}`}, trysail.ClassPermanent, false, 0, 0,
		},
		"Ollama, busy": {
			askOllama, llm.Ollama,
			answer{503, nil, `{"error":"server busy, please try again.  maximum pending requests exceeded"}`},
			trysail.ClassOverloaded, true, 0, 0,
		},
		"Ollama, a runner that died": {
			askOllama, llm.Ollama, answer{500, nil, `{"error":"llama runner process has terminated: exit status 2"}`}, trysail.ClassTransient, true, 0, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			address := serve(t, tc.answer)
			err := tc.ask(t.Context(), address, newHTTP())
			if err == nil {
				t.Fatal("the SDK tells no error")
			}
			v := llm.ClassifyError(t.Context(), tc.provider, err)
			if v.Class != tc.class || v.Retryable != tc.retry || v.Delay != tc.blind {
				t.Errorf("by the error alone: %s, retry %t, after %v; want %s, %t, %v (%T: %v)",
					v.Class, v.Retryable, v.Delay, tc.class, tc.retry, tc.blind, err, err)
			}
			checkUnderTransport(t, tc.provider, func(client *http.Client) error { return tc.ask(t.Context(), address, client) }, tc.class, tc.delay)
		})
	}
}

// checkUnderTransport asks once more with the transport, which knows the answer itself.
func checkUnderTransport(t *testing.T, provider llm.Provider, ask func(*http.Client) error, class trysail.Class, delay time.Duration) {
	t.Helper()
	orc, err := trysail.New(trysail.Config{Default: trysail.Policy{Retry: trysail.RetryPolicy{Attempts: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	var seen llm.Verdict
	client := newHTTP()
	client.Transport = &llm.Transport{
		Operation: orc.Operation("chat"), Provider: provider, Base: client.Transport,
		Observe: func(x llm.Exchange) { seen = x.Verdict },
	}
	if err := ask(client); err == nil || errors.Is(err, context.Canceled) {
		t.Fatalf("under the transport the SDK tells %v", err)
	}
	if seen.Class != class || seen.Delay != delay {
		t.Errorf("under the transport: %s after %v, want %s after %v", seen.Class, seen.Delay, class, delay)
	}
}
