package llm_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/trysail-go/trysail/llm"
)

// A row is an answer and what it means, in the words of outcome.
type row struct {
	provider llm.Provider
	status   int
	header   []string // names and values
	body     string
	want     string
}

// The outcomes that come again and again.
const (
	again       = "transient, retryable true, no delay, scope target"
	rate        = "rate_limited, retryable true, no delay, scope target"
	full        = "overloaded, retryable true, no delay, scope target"
	noMoney     = "quota_exhausted, retryable false, no delay, scope account"
	noDay       = "quota_exhausted, retryable false, no delay, scope target"
	tooLong     = "context_length, retryable false, no delay, scope request"
	refused     = "content_policy, retryable false, no delay, scope request"
	badRequest  = "permanent, retryable false, no delay, scope request"
	badTarget   = "permanent, retryable false, no delay, scope target"
	badAccount  = "permanent, retryable false, no delay, scope account"
	rateWait    = "rate_limited, retryable true, %d ms, scope target"
	fullWait    = "overloaded, retryable true, %d ms, scope target"
	noDayWait   = "quota_exhausted, retryable false, %d ms, scope target"
	amazon      = "X-Amzn-Errortype"
	contentType = "Content-Type"
)

func (r row) response(stream bool) llm.Response {
	h := http.Header{}
	for i := 0; i+1 < len(r.header); i += 2 {
		h.Add(r.header[i], r.header[i+1])
	}
	return llm.Response{Provider: r.provider, Status: r.status, Header: h, Body: []byte(r.body), Stream: stream}
}

func checkRows(t *testing.T, stream bool, rows map[string]row) {
	t.Helper()
	for name, r := range rows {
		t.Run(name, func(t *testing.T) {
			got := llm.Classify(r.response(stream))
			if outcome(got) != r.want {
				t.Errorf("Classify(%s %d %v %s)\n = %s (reason %q)\nwant %s",
					r.provider, r.status, r.header, r.body, outcome(got), got.Reason, r.want)
			}
		})
	}
}

// openAI is the envelope of OpenAI and of those that speak its protocol.
func openAI(kind, code, message string) string {
	return fmt.Sprintf(`{"error":{"message":%q,"type":%q,"param":null,"code":%q}}`, message, kind, code)
}

func anthropic(kind, message string) string {
	return fmt.Sprintf(`{"type":"error","error":{"type":%q,"message":%q}}`, kind, message)
}

func TestOpenAI(t *testing.T) {
	checkRows(t, false, map[string]row{
		"the filter's own code":        {llm.OpenAI, 400, nil, openAI("invalid_request_error", "content_filter", "no"), refused},
		"the policy's code":            {llm.OpenAI, 400, nil, openAI("invalid_request_error", "content_policy_violation", "no"), refused},
		"the safety system in words":   {llm.OpenAI, 400, nil, openAI("image_error", "", "Rejected by the safety system."), refused},
		"a prompt against the rules":   {llm.OpenAI, 400, nil, openAI("invalid_request_error", "invalid_prompt", "Your prompt was flagged as a possible breach of our usage policy."), refused},
		"a tier that is not allowed":   {llm.OpenAI, 400, nil, `{"error":{"message":"service_tier flex is not open to this project","type":"invalid_request_error","param":"service_tier","code":null}}`, badRequest},
		"a country":                    {llm.OpenAI, 403, nil, openAI("request_forbidden", "unsupported_country_region_territory", "Country not supported"), badAccount},
		"no such model":                {llm.OpenAI, 404, nil, openAI("invalid_request_error", "model_not_found", "The model does not exist"), badTarget},
		"no such model, as a 400":      {llm.OpenAI, 400, nil, openAI("invalid_request_error", "model_not_found", "The model does not exist"), badTarget},
		"a rate with a wait in words":  {llm.OpenAI, 429, nil, openAI("tokens", "rate_limit_exceeded", "Rate limit reached on tokens per min (TPM): Limit 30000, Used 29000, Requested 1500. Please try again in 41.724s. Visit"), fmt.Sprintf(rateWait, 41724)},
		"a rate with a wait of ms":     {llm.OpenAI, 429, nil, openAI("requests", "rate_limit_exceeded", "Please try again in 20ms."), fmt.Sprintf(rateWait, 20)},
		"a wait of minutes":            {llm.OpenAI, 429, nil, openAI("requests", "rate_limit_exceeded", "Please try again in 6m0s."), fmt.Sprintf(rateWait, 360000)},
		"a day's requests":             {llm.OpenAI, 429, nil, openAI("requests", "rate_limit_exceeded", "Rate limit reached on requests per day (RPD): Limit 200, Used 200, Requested 1. Please try again in 7m12s."), fmt.Sprintf(noDayWait, 432000)},
		"one request over the window":  {llm.OpenAI, 429, nil, openAI("tokens", "rate_limit_exceeded", "Request too large for m in organization o on tokens per min (TPM): Limit 30000, Requested 36278. The input or output tokens must be reduced in order to run successfully."), tooLong},
		"a ramp":                       {llm.OpenAI, 429, nil, openAI("rate_limit_error", "slow_down", "Slow down"), rate},
		"no money, the old way":        {llm.OpenAI, 429, nil, openAI("insufficient_quota", "insufficient_quota", "You exceeded your current quota, please check your plan and billing details."), noMoney},
		"no money, by the type alone":  {llm.OpenAI, 429, nil, `{"error":{"message":"no","type":"insufficient_quota","param":null,"code":null}}`, noMoney},
		"no money, in words alone":     {llm.OpenAI, 429, nil, `{"error":{"message":"You exceeded your current quota, please check your plan."}}`, noMoney},
		"the organization's limit":     {llm.OpenAI, 429, nil, openAI("insufficient_quota", "organization_spend_limit_exceeded", "no"), noMoney},
		"a fault":                      {llm.OpenAI, 500, nil, openAI("server_error", "", "The server had an error"), again},
		"a ramp at an older endpoint":  {llm.OpenAI, 503, nil, openAI("service_unavailable_error", "slow_down", "Slow down"), full},
		"unknown codes count nothing":  {llm.OpenAI, 429, nil, openAI("brand_new_type", "brand_new_code", "Something new"), rate},
		"a code in the message":        {llm.OpenAI, 400, nil, openAI("invalid_request_error", "", "Unknown parameter: 'insufficient_quota'"), badRequest},
		"a code inside another":        {llm.OpenAI, 400, nil, openAI("invalid_request_error", "not_insufficient_quota", "no"), badRequest},
		"codes in another case":        {llm.OpenAI, 429, nil, openAI("INSUFFICIENT_QUOTA", "", "no"), noMoney},
		"a prompt that is echoed":      {llm.OpenAI, 400, nil, `{"error":{"message":"bad role","type":"invalid_request_error"},"input":"rate limit 429 insufficient_quota context length overloaded"}`, badRequest},
		"Anthropic's words elsewhere":  {llm.OpenAI, 400, nil, openAI("invalid_request_error", "", "This model's maximum context length is 8192 tokens"), tooLong},
		"a second key that counts":     {llm.OpenAI, 429, nil, `{"error":{"code":"insufficient_quota","code":"rate_limit_exceeded","message":"a"}}`, rate},
		"a second error that counts":   {llm.OpenAI, 429, nil, `{"error":{"code":"insufficient_quota"},"error":{"code":"rate_limit_exceeded"}}`, rate},
		"the server forbids the retry": {llm.OpenAI, 429, []string{"X-Should-Retry", "false"}, openAI("requests", "rate_limit_exceeded", "no"), "rate_limited, retryable false, no delay, scope target"},
		"an auth error stays one":      {llm.OpenAI, 401, []string{"X-Should-Retry", "true"}, openAI("invalid_request_error", "invalid_api_key", "no"), badAccount},
		"a length stays one":           {llm.OpenAI, 400, []string{"X-Should-Retry", "true"}, openAI("invalid_request_error", "context_length_exceeded", "no"), tooLong},
		"an upgrade of a 404":          {llm.OpenAI, 404, []string{"X-Should-Retry", "TRUE"}, `{}`, again},
		"a wait of half an hour":       {llm.OpenAI, 429, []string{"Retry-After", "1800"}, openAI("tokens", "rate_limit_exceeded", "no"), fmt.Sprintf(noDayWait, 1800000)},
		"a wait just short enough":     {llm.OpenAI, 503, []string{"Retry-After", "899"}, ``, fmt.Sprintf(fullWait, 899000)},
	})
}

func TestAzure(t *testing.T) {
	azure := func(message string) string { return fmt.Sprintf(`{"error":{"code":"429","message":%q}}`, message) }
	checkRows(t, false, map[string]row{
		"a rate of calls":            {llm.AzureOpenAI, 429, nil, azure("Requests have exceeded call rate limit. Please retry after 7 seconds."), fmt.Sprintf(rateWait, 7000)},
		"a day":                      {llm.AzureOpenAI, 429, nil, azure("Exceeded token rate limit of your pricing tier. Please retry after 86400 seconds."), fmt.Sprintf(noDayWait, 86400000)},
		"shared capacity":            {llm.AzureOpenAI, 429, []string{"Retry-After-Ms", "2000"}, azure("The service is temporarily unable to process your request."), fmt.Sprintf(fullWait, 2000)},
		"a lowered limit":            {llm.AzureOpenAI, 429, []string{"X-Ratelimit-Remaining-Tokens", "0", "X-Ratelimit-Reset-Tokens", "55"}, azure("too many"), fmt.Sprintf(rateWait, 55000)},
		"one hyphen more":            {llm.AzureOpenAI, 429, []string{"X-Ratelimit-Remaining-Tokens", "0", "X-Rate-Limit-Reset-Tokens", "12"}, azure("too many"), fmt.Sprintf(rateWait, 12000)},
		"the filter in words":        {llm.AzureOpenAI, 400, nil, `{"error":{"message":"The prompt triggered the content management policy.","type":null,"code":null}}`, refused},
		"the filter in the inside":   {llm.AzureOpenAI, 400, nil, `{"error":{"message":"no","code":"x","innererror":{"content_filter_result":{"hate":{"filtered":true}},"code":"ResponsibleAIPolicyViolation"}}}`, refused},
		"no such deployment":         {llm.AzureOpenAI, 404, nil, `{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}`, badTarget},
		"a network rule":             {llm.AzureOpenAI, 403, nil, `{"error":{"code":"403","message":"Access denied due to Virtual Network rules."}}`, badAccount},
		"the gateway's quota":        {llm.AzureOpenAI, 403, nil, `{"statusCode":403,"message":"Out of call volume quota."}`, noMoney},
		"a filter that did not run":  {llm.AzureOpenAI, 200, nil, `{"choices":[{"finish_reason":"stop","content_filter_results":{"error":{"code":"content_filter_error","message":"did not run"}}}]}`, "none"},
		"an answer that was cut off": {llm.AzureOpenAI, 200, nil, `{"choices":[{"index":0,"finish_reason":"content_filter","message":{"content":""}}]}`, refused},
	})
}

func TestAnthropic(t *testing.T) {
	checkRows(t, false, map[string]row{
		"a long prompt":            {llm.Anthropic, 400, nil, anthropic("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"), tooLong},
		"a limit of one's own":     {llm.Anthropic, 400, nil, anthropic("invalid_request_error", "You have reached your specified API usage limits. Access returns on 2026-12-01."), noMoney},
		"a limit of the workspace": {llm.Anthropic, 400, nil, anthropic("invalid_request_error", "You have reached your specified workspace API usage limits."), noMoney},
		"billing as a 400":         {llm.Anthropic, 400, nil, anthropic("billing_error", "pay"), noMoney},
		"no permission":            {llm.Anthropic, 403, nil, anthropic("permission_error", "no"), badAccount},
		"no such model":            {llm.Anthropic, 404, nil, anthropic("not_found_error", "model: x"), badTarget},
		"a conflict":               {llm.Anthropic, 409, nil, anthropic("conflict_error", "busy"), again},
		"a rate with a wait":       {llm.Anthropic, 429, []string{"Retry-After", "17"}, anthropic("rate_limit_error", "slow"), fmt.Sprintf(rateWait, 17000)},
		"the tier's cap":           {llm.Anthropic, 429, nil, `{"type":"error","error":{"type":"rate_limit_error","message":"paused","details":{"error_code":"enforced_spend_limit_reached"}}}`, noMoney},
		"overload in a 500":        {llm.Anthropic, 500, nil, anthropic("api_error", "Overloaded"), full},
		"too slow":                 {llm.Anthropic, 504, nil, anthropic("timeout_error", "slow"), again},
		"overload with a wait":     {llm.Anthropic, 529, []string{"Retry-After", "3"}, anthropic("overloaded_error", "no"), fmt.Sprintf(fullWait, 3000)},
		"a limit over hours":       {llm.Anthropic, 429, []string{"Retry-After", "13320"}, anthropic("rate_limit_error", "no"), fmt.Sprintf(noDayWait, 13320000)},
		"the latest of two resets": {llm.Anthropic, 429, []string{
			"Date", "Tue, 26 Mar 2024 19:59:30 GMT",
			"Anthropic-Ratelimit-Input-Tokens-Remaining", "0", "Anthropic-Ratelimit-Input-Tokens-Reset", "2024-03-26T20:00:00Z",
			"Anthropic-Ratelimit-Output-Tokens-Remaining", "0", "Anthropic-Ratelimit-Output-Tokens-Reset", "2024-03-26T22:00:10+02:00",
		}, anthropic("rate_limit_error", "no"), fmt.Sprintf(rateWait, 40000)},
		"a refusal":         {llm.Anthropic, 200, nil, `{"type":"message","content":[],"stop_reason":"refusal","stop_details":{"category":"x"}}`, refused},
		"a full window":     {llm.Anthropic, 200, nil, `{"type":"message","content":[{"type":"text","text":"a"}],"stop_reason":"model_context_window_exceeded"}`, "none"},
		"a pause":           {llm.Anthropic, 200, nil, `{"type":"message","stop_reason":"pause_turn"}`, "none"},
		"a length":          {llm.Anthropic, 200, nil, `{"type":"message","stop_reason":"max_tokens"}`, "none"},
		"the edge's answer": {llm.Anthropic, 413, []string{contentType, "text/html"}, `<html>413 Request Entity Too Large</html>`, tooLong},
	})
	checkRows(t, true, map[string]row{
		"a rate":           {llm.Anthropic, 200, nil, anthropic("rate_limit_error", "slow"), rate},
		"no money":         {llm.Anthropic, 200, nil, anthropic("billing_error", "pay"), noMoney},
		"a bad request":    {llm.Anthropic, 200, nil, anthropic("invalid_request_error", "no"), badRequest},
		"a bad key":        {llm.Anthropic, 200, nil, anthropic("authentication_error", "no"), badAccount},
		"no permission":    {llm.Anthropic, 200, nil, anthropic("permission_error", "no"), badAccount},
		"no such model":    {llm.Anthropic, 200, nil, anthropic("not_found_error", "no"), badTarget},
		"too large":        {llm.Anthropic, 200, nil, anthropic("request_too_large", "no"), tooLong},
		"a time-out":       {llm.Anthropic, 200, nil, anthropic("timeout_error", "no"), again},
		"something new":    {llm.Anthropic, 200, nil, anthropic("brand_new_error", "no"), again},
		"a refusal":        {llm.Anthropic, 200, nil, `{"type":"message_delta","delta":{"stop_reason":"refusal","stop_sequence":null},"usage":{}}`, refused},
		"an ordinary end":  {llm.Anthropic, 200, nil, `{"type":"message_delta","delta":{"stop_reason":"end_turn"}}`, "none"},
		"a sign of life":   {llm.Anthropic, 200, nil, `{"type":"ping"}`, "none"},
		"a piece of text":  {llm.Anthropic, 200, nil, `{"type":"content_block_delta","delta":{"type":"text_delta","text":"rate limit error overloaded"}}`, "none"},
		"the first event":  {llm.Anthropic, 200, nil, `{"type":"message_start","message":{"id":"1","type":"message","content":[],"stop_reason":null}}`, "none"},
		"nothing but null": {llm.Anthropic, 200, nil, `null`, "none"},
	})
}
