package llm_test

import (
	"fmt"
	"testing"

	"github.com/trysail-go/trysail/llm"
)

// google is Google's envelope with its details.
func google(code int, status, message, details string) string {
	return fmt.Sprintf(`{"error":{"code":%d,"message":%q,"status":%q,"details":[%s]}}`, code, message, status, details)
}

func violation(id string) string {
	return fmt.Sprintf(`{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":%q}]}`, id)
}

func TestGoogle(t *testing.T) {
	const sentence = "You exceeded your current quota, please check your plan and billing details."
	const wait = `{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"26s"}`
	checkRows(t, false, map[string]row{
		"a bad request":               {llm.Gemini, 400, nil, google(400, "INVALID_ARGUMENT", "Unknown name", ""), badRequest},
		"a region without free tier":  {llm.Gemini, 400, nil, google(400, "FAILED_PRECONDITION", "User location is not supported. Please enable billing.", ""), badAccount},
		"credits gone by its name":    {llm.Gemini, 402, nil, `{"error":{"code":"payment_required","message":"no credits"}}`, noMoney},
		"no such model":               {llm.Gemini, 404, nil, google(404, "NOT_FOUND", "models/x is not found", ""), badTarget},
		"a day in the metadata":       {llm.Gemini, 429, nil, google(429, "RESOURCE_EXHAUSTED", "no", `{"@type":"type.googleapis.com/google.rpc.ErrorInfo","metadata":{"quota_limit":"RequestsPerDay"}}`), noDay},
		"a day in words":              {llm.Gemini, 429, nil, google(429, "RESOURCE_EXHAUSTED", "Quota exceeded for requests per day", ""), noDay},
		"a day beside a minute":       {llm.Gemini, 429, nil, google(429, "RESOURCE_EXHAUSTED", sentence, violation("PerMinute")+","+wait+","+violation("TokensPerDayPerModel")), fmt.Sprintf(noDayWait, 26000)},
		"the tier has not the model":  {llm.Gemini, 429, nil, google(429, "RESOURCE_EXHAUSTED", "Quota exceeded for metric: x, limit: 0, model: gemini-x", ""), noMoney},
		"the same at the end":         {llm.Gemini, 429, nil, google(429, "RESOURCE_EXHAUSTED", "Quota exceeded, limit: 0", ""), noMoney},
		"a small limit is not none":   {llm.Gemini, 429, nil, google(429, "RESOURCE_EXHAUSTED", "Quota exceeded, limit: 0.5, model: x", ""), rate},
		"the sentence alone":          {llm.Gemini, 429, nil, google(429, "RESOURCE_EXHAUSTED", sentence, `{"@type":"type.googleapis.com/google.rpc.Help","links":[{"url":"x"}]}`), noMoney},
		"the sentence with a wait":    {llm.Gemini, 429, nil, google(429, "RESOURCE_EXHAUSTED", sentence, wait), fmt.Sprintf(rateWait, 26000)},
		"the sentence and its name":   {llm.Gemini, 429, nil, google(429, "RESOURCE_EXHAUSTED", sentence, violation("PerMinute")), rate},
		"nothing said":                {llm.Gemini, 429, nil, google(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).", ""), rate},
		"shared capacity":             {llm.Vertex, 429, nil, google(429, "RESOURCE_EXHAUSTED", "Resource exhausted. Please try again later.", ""), full},
		"capacity that was bought":    {llm.Vertex, 429, nil, google(429, "RESOURCE_EXHAUSTED", "Exceeded the Provisioned Throughput.", ""), rate},
		"cancelled":                   {llm.Gemini, 499, nil, google(499, "CANCELLED", "The operation was cancelled.", ""), again},
		"unknown":                     {llm.Gemini, 500, nil, google(500, "UNKNOWN", "no", ""), again},
		"unavailable":                 {llm.Gemini, 503, nil, google(503, "UNAVAILABLE", "The model is overloaded.", ""), full},
		"an array":                    {llm.Gemini, 429, nil, "[" + google(429, "RESOURCE_EXHAUSTED", sentence, violation("PerDay")) + "]", noDay},
		"an array of nobody's":        {"", 429, nil, "[" + google(429, "RESOURCE_EXHAUSTED", sentence, violation("PerDay")+","+wait) + "\n]", fmt.Sprintf(noDayWait, 26000)},
		"a blocked prompt":            {llm.Gemini, 200, nil, `{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{}}`, refused},
		"a blocked prompt, no list":   {llm.Gemini, 200, nil, `{"candidates":[],"promptFeedback":{"blockReason":"JAILBREAK"}}`, refused},
		"feedback beside an answer":   {llm.Gemini, 200, nil, `{"promptFeedback":{"blockReason":"OTHER"},"candidates":[{"content":{},"finishReason":"STOP"}]}`, "none"},
		"feedback that blocks not":    {llm.Gemini, 200, nil, `{"promptFeedback":{"safetyRatings":[]},"candidates":[{"finishReason":"MAX_TOKENS"}]}`, "none"},
		"a recitation":                {llm.Gemini, 200, nil, `{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"RECITATION"}]}`, refused},
		"an image that may not be":    {llm.Gemini, 200, nil, `{"candidates":[{"finishReason":"IMAGE_PROHIBITED_CONTENT"}]}`, refused},
		"a call that is malformed":    {llm.Gemini, 200, nil, `{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL"}]}`, again},
		"a tool that was not offered": {llm.Gemini, 200, nil, `{"candidates":[{"finishReason":"UNEXPECTED_TOOL_CALL"}]}`, again},
		"a language":                  {llm.Gemini, 200, nil, `{"candidates":[{"finishReason":"LANGUAGE"}]}`, badRequest},
		"another end":                 {llm.Gemini, 200, nil, `{"candidates":[{"finishReason":"OTHER"}]}`, "none"},
	})
	checkRows(t, true, map[string]row{
		"an element of the array": {llm.Gemini, 200, nil, `[` + google(429, "RESOURCE_EXHAUSTED", sentence, violation("PerDay")) + `]`, noDay},
		"an event of an error":    {llm.Gemini, 200, nil, `{"event_type":"error","error":{"code":"quota_exceeded","message":"no"}}`, noMoney},
		"a code without a number": {llm.Gemini, 200, nil, `{"error":{"status":"RESOURCE_EXHAUSTED","message":"Resource exhausted. Please try again later."}}`, full},
	})
}

func TestBedrock(t *testing.T) {
	const coral = "http://internal.amazon.com/coral/com.amazon.bedrock/"
	checkRows(t, false, map[string]row{
		"too long":                 {llm.Bedrock, 400, []string{amazon, "ValidationException:" + coral}, `{"message":"Input is too long for requested model."}`, tooLong},
		"too many tokens":          {llm.Bedrock, 400, []string{amazon, "ValidationException"}, `{"message":"too many tokens: the most is 4096"}`, tooLong},
		"too many for a rate":      {llm.Bedrock, 400, []string{amazon, "ThrottlingException"}, `{"message":"Too many tokens, please wait"}`, badRequest},
		"a bad request":            {llm.Bedrock, 400, []string{amazon, "ValidationException"}, `{"message":"malformed"}`, badRequest},
		"a quota":                  {llm.Bedrock, 400, []string{amazon, "ServiceQuotaExceededException:" + coral}, `{"message":"no"}`, noMoney},
		"a conflict":               {llm.Bedrock, 400, []string{amazon, "ConflictException"}, `{"message":"no"}`, badRequest},
		"no access":                {llm.Bedrock, 403, []string{amazon, "AccessDeniedException"}, `{"Message":"no"}`, badAccount},
		"a model that failed":      {llm.Bedrock, 424, []string{amazon, "ModelErrorException"}, `{"message":"no","originalStatusCode":503}`, again},
		"a model that was limited": {llm.Bedrock, 424, []string{amazon, "ModelErrorException"}, `{"message":"no","originalStatusCode":429}`, again},
		"a model without a number": {llm.Bedrock, 424, []string{amazon, "ModelErrorException"}, `{"message":"no"}`, again},
		"a rate":                   {llm.Bedrock, 429, []string{amazon, "ThrottlingException:" + coral}, `{"message":"Too many requests, please wait"}`, rate},
		"a type in the body":       {llm.Bedrock, 429, nil, `{"__type":"com.amazon.coral.service#ModelNotReadyException:","message":"wait"}`, full},
		"Anthropic's overload":     {llm.Bedrock, 529, []string{amazon, "overloaded_error"}, `{"message":"no"}`, full},
		"a wait of Amazon's":       {llm.Bedrock, 503, []string{"X-Amz-Retry-After", "1500"}, ``, fmt.Sprintf(fullWait, 1500)},
		"a guardrail":              {llm.Bedrock, 200, nil, `{"output":{"message":{}},"stopReason":"guardrail_intervened"}`, refused},
		"a filter":                 {llm.Bedrock, 200, nil, `{"stopReason":"content_filtered"}`, refused},
		"a malformed answer":       {llm.Bedrock, 200, nil, `{"stopReason":"malformed_model_output"}`, again},
		"a full window":            {llm.Bedrock, 200, nil, `{"stopReason":"model_context_window_exceeded"}`, "none"},
	})
	frame := func(kind string) []string { return []string{":message-type", "exception", ":exception-type", kind} }
	checkRows(t, true, map[string]row{
		"a model that broke":     {llm.Bedrock, 200, frame("modelStreamErrorException"), `{"message":"no","originalMessage":"x"}`, again},
		"and said why":           {llm.Bedrock, 200, frame("modelStreamErrorException"), `{"message":"no","originalStatusCode":400}`, badRequest},
		"a time-out":             {llm.Bedrock, 200, frame("modelTimeoutException"), `{"message":"no"}`, again},
		"unavailable":            {llm.Bedrock, 200, frame("serviceUnavailableException"), `{"message":"no"}`, full},
		"a fault":                {llm.Bedrock, 200, frame("internalServerException"), `{"message":"no"}`, again},
		"a bad request":          {llm.Bedrock, 200, frame("validationException"), `{"message":"no"}`, badRequest},
		"a long request":         {llm.Bedrock, 200, frame("validationException"), `{"message":"Input is too long for requested model."}`, tooLong},
		"a day":                  {llm.Bedrock, 200, frame("throttlingException"), `{"message":"Too many tokens per day"}`, noDay},
		"an error of the frames": {llm.Bedrock, 200, []string{":message-type", "error", ":error-code", "InternalError", ":error-message", "no"}, ``, again},
		"an error of a rate":     {llm.Bedrock, 200, []string{":message-type", "error", ":error-code", "ThrottlingException"}, ``, rate},
		"a frame of content":     {llm.Bedrock, 200, []string{":message-type", "event", ":event-type", "contentBlockDelta"}, `{"delta":{"text":"a"}}`, "none"},
	})
}

func TestOthers(t *testing.T) {
	checkRows(t, false, map[string]row{
		"mistral: a rate in one word":     {llm.Mistral, 429, nil, `{"message":"Requests rate limit exceeded"}`, rate},
		"mistral: a reset":                {llm.Mistral, 429, []string{"Ratelimitbysize-Reset", "42"}, `{"message":"no"}`, fmt.Sprintf(rateWait, 42000)},
		"mistral: capacity in a 503":      {llm.Mistral, 503, nil, `{"object":"error","message":"Service tier capacity exceeded for this model.","type":"invalid_request_error"}`, full},
		"mistral: a bad gateway":          {llm.Mistral, 502, nil, `{"message":"no"}`, again},
		"cohere: tokens":                  {llm.Cohere, 400, nil, `{"message":"too many tokens: total number of tokens in the prompt cannot exceed 4081"}`, tooLong},
		"cohere: a client that left":      {llm.Cohere, 499, nil, `{"message":"closed"}`, again},
		"cohere: not there yet":           {llm.Cohere, 501, nil, `{"message":"no"}`, badRequest},
		"cohere: an answer that failed":   {llm.Cohere, 200, nil, `{"finish_reason":"ERROR","message":{"content":[]}}`, again},
		"cohere: a toxic answer":          {llm.Cohere, 200, nil, `{"finish_reason":"ERROR_TOXIC"}`, refused},
		"cohere: an ordinary end":         {llm.Cohere, 200, nil, `{"finish_reason":"COMPLETE"}`, "none"},
		"groq: too large":                 {llm.Groq, 413, nil, openAI("tokens", "rate_limit_exceeded", "Request too large for model m on tokens per minute (TPM): Limit 6000, Requested 7591, please reduce"), tooLong},
		"groq: a dependency":              {llm.Groq, 424, nil, openAI("invalid_request_error", "", "MCP server refused the key"), badRequest},
		"groq: the flex tier":             {llm.Groq, 498, nil, openAI("", "capacity_exceeded", "Flex tier is full"), full},
		"groq: the flex tier, no body":    {llm.Groq, 498, nil, ``, full},
		"groq: a wait":                    {llm.Groq, 429, nil, openAI("tokens", "rate_limit_exceeded", "Rate limit reached. Please try again in 5.289s."), fmt.Sprintf(rateWait, 5289)},
		"groq: resets":                    {llm.Groq, 429, []string{"X-Ratelimit-Remaining-Requests", "10", "X-Ratelimit-Reset-Requests", "2m59.56s", "X-Ratelimit-Remaining-Tokens", "0", "X-Ratelimit-Reset-Tokens", "7.66s"}, ``, fmt.Sprintf(rateWait, 7660)},
		"nobody: 498":                     {"", 498, nil, ``, badRequest},
		"together: a month":               {llm.Together, 402, nil, openAI("", "", "Monthly limit reached"), noMoney},
		"together: tokens":                {llm.Together, 429, nil, `{"error":{"message":"no","error_type":"dynamic_token_limited"}}`, rate},
		"together: capacity":              {llm.Together, 503, nil, openAI("", "", "no"), full},
		"together: Cloudflare":            {llm.Together, 524, nil, `<html></html>`, again},
		"deepseek: bad parameters":        {llm.DeepSeek, 422, nil, openAI("invalid_request_error", "", "no"), badRequest},
		"deepseek: no resources":          {llm.DeepSeek, 200, nil, `{"choices":[{"message":{"content":""},"finish_reason":"insufficient_system_resource"}]}`, full},
		"xai: the team's limit":           {llm.XAI, 403, nil, `{"code":"personal-team-blocked:spending-limit","error":"no"}`, noMoney},
		"xai: forbidden":                  {llm.XAI, 403, nil, `{"code":"no","error":"no access to the model"}`, badAccount},
		"ollama: no such model":           {llm.Ollama, 404, nil, `{"error":"model \"x\" not found, try pulling it first"}`, badTarget},
		"ollama: no such capability":      {llm.Ollama, 400, nil, `{"error":"x does not support tools"}`, badRequest},
		"ollama: the cloud's rate":        {llm.Ollama, 429, nil, `{"error":"too many"}`, rate},
		"ollama: no cloud":                {llm.Ollama, 502, nil, `{"error":"unreachable"}`, again},
		"ollama: a runner that died":      {llm.Ollama, 500, nil, `{"error":"llama runner process has terminated: exit status 2"}`, again},
		"ollama: a runner that is slow":   {llm.Ollama, 500, nil, `{"error":"timed out waiting for llama runner to start - progress 0.50"}`, full},
		"vllm: the output":                {llm.VLLM, 400, nil, `{"error":{"message":"'max_tokens' or 'max_completion_tokens' is too large: 9000. The request has 10 input tokens","type":"BadRequestError","param":"max_tokens","code":400}}`, tooLong},
		"vllm: the old envelope":          {llm.VLLM, 400, nil, `{"object":"error","message":"This model's maximum context length is 4096 tokens","type":"BadRequestError","param":null,"code":400}`, tooLong},
		"vllm: no such model":             {llm.VLLM, 404, nil, `{"error":{"message":"The model x does not exist.","type":"NotFoundError","code":404}}`, badTarget},
		"vllm: not there yet":             {llm.VLLM, 501, nil, `{"error":{"message":"no","type":"NotImplementedError","code":501}}`, badRequest},
		"tgi: a template":                 {llm.TGI, 422, nil, `{"error":"Template error: no","error_type":"template_error"}`, badRequest},
		"tgi: an incomplete answer":       {llm.TGI, 500, nil, `{"error":"Incomplete generation","error_type":"incomplete_generation"}`, again},
		"tgi: unhealthy":                  {llm.TGI, 503, nil, `{"error":"unhealthy","error_type":"healthcheck"}`, full},
		"tgi: long inputs":                {llm.TGI, 422, nil, "{\"error\":\"Input validation error: `inputs` must have less than 1024 tokens. Given: 2000\",\"error_type\":\"validation\"}", tooLong},
		"hugging face: a list":            {llm.HuggingFace, 400, nil, `{"error":["Error in parameters.top_k: no"],"warnings":[]}`, badRequest},
		"hugging face: a long load":       {llm.HuggingFace, 503, nil, `{"error":"Model m is currently loading","estimated_time":212.5}`, fmt.Sprintf(fullWait, 212500)},
		"cloudflare: an unknown reply":    {"", 520, nil, `error code: 520`, again},
		"cloudflare: out of reach":        {"", 523, nil, `error code: 523`, full},
		"cloudflare: too slow":            {llm.OpenAI, 524, []string{contentType, "text/html"}, `<html>524</html>`, again},
		"cloudflare: a handshake":         {"", 525, nil, ``, again},
		"cloudflare: a rate":              {"", 429, []string{"Retry-After", "30"}, `error code: 1015`, fmt.Sprintf(rateWait, 30000)},
		"a body that is cut off":          {llm.OpenAI, 429, nil, `{"error":{"type":"insufficient_quota","message":"You exceeded your cur`, noMoney},
		"a body that is no JSON":          {llm.OpenAI, 400, nil, `insufficient_quota overloaded`, badRequest},
		"a status of no table":            {"", 999, nil, ``, again},
		"a body error under no status":    {"", 0, nil, openAI("insufficient_quota", "", "no"), noMoney},
		"a gateway that says less":        {"", 405, nil, `{"message":"no"}`, badRequest},
		"an answer of the Responses API":  {llm.OpenAI, 200, nil, `{"object":"response","status":"failed","error":{"code":"rate_limit_exceeded","message":"no"},"output":[]}`, rate},
		"an answer without an error":      {llm.OpenAI, 200, nil, `{"object":"response","status":"completed","error":null,"incomplete_details":null,"output":[]}`, "none"},
		"an answer that the filter ended": {llm.OpenAI, 200, nil, `{"object":"response","status":"incomplete","error":null,"incomplete_details":{"reason":"content_filter"}}`, refused},
		"content that tells of errors":    {llm.OpenAI, 200, nil, `{"choices":[{"message":{"content":"{\"error\":{\"code\":\"insufficient_quota\"}}"},"finish_reason":"stop"}]}`, "none"},
	})
}

func TestOpenRouter(t *testing.T) {
	router := func(status int, message, metadata string) string {
		return fmt.Sprintf(`{"error":{"code":%d,"message":%q,"metadata":{%s}}}`, status, message, metadata)
	}
	checkRows(t, false, map[string]row{
		"a length":                  {llm.OpenRouter, 400, nil, router(400, "no", `"error_type":"context_length_exceeded"`), tooLong},
		"a sum of tokens":           {llm.OpenRouter, 400, nil, router(400, "no", `"error_type":"token_limit_exceeded"`), tooLong},
		"a long text":               {llm.OpenRouter, 400, nil, router(400, "no", `"error_type":"string_too_long"`), badRequest},
		"a refusal":                 {llm.OpenRouter, 400, nil, router(400, "no", `"error_type":"refusal"`), refused},
		"a bad key":                 {llm.OpenRouter, 401, nil, router(401, "no", `"error_type":"authentication"`), badAccount},
		"credits":                   {llm.OpenRouter, 402, nil, router(402, "no", `"limit_source":"openrouter_credits"`), noMoney},
		"the key's limit":           {llm.OpenRouter, 402, nil, router(402, "no", `"limit_source":"openrouter_key_limit"`), noMoney},
		"402 alone":                 {llm.OpenRouter, 402, nil, router(402, "no", ``), noMoney},
		"a request over the budget": {llm.OpenRouter, 402, nil, router(402, "no", `"error_type":"weight_exceeds_budget"`), "quota_exhausted, retryable false, no delay, scope request"},
		"no permission":             {llm.OpenRouter, 403, nil, router(403, "no", `"error_type":"permission_denied"`), badAccount},
		"a guardrail":               {llm.OpenRouter, 403, nil, router(403, "no", `"patterns":["x"]`), refused},
		"nothing flagged":           {llm.OpenRouter, 403, nil, router(403, "no", `"reasons":[],"flagged_input":null`), badAccount},
		"a time-out":                {llm.OpenRouter, 408, nil, router(408, "no", ``), again},
		"an upstream rate":          {llm.OpenRouter, 429, nil, router(429, "no", `"provider_code":"x"`), rate},
		"no capacity":               {llm.OpenRouter, 429, nil, `{"error":{"message":"no","http_status":429,"availability":{"code":"capacity_exhausted","retryable":true,"retry_after":8}}}`, fmt.Sprintf(fullWait, 8000)},
		"a provider that failed":    {llm.OpenRouter, 502, nil, router(502, "no", `"error_type":"provider_unavailable"`), again},
		"a provider that is full":   {llm.OpenRouter, 502, nil, router(502, "no", `"error_type":"provider_overloaded"`), full},
		"no endpoint for now":       {llm.OpenRouter, 404, nil, `{"error":{"message":"no","availability":{"code":"no_endpoints","retryable":true}}}`, again},
		"no endpoint at all":        {llm.OpenRouter, 503, nil, `{"error":{"message":"no","availability":{"code":"no_endpoints","retryable":false}}}`, badTarget},
		"an error of a choice":      {llm.OpenRouter, 200, nil, `{"choices":[{"error":{"code":429,"message":"slow","metadata":{"error_type":"rate_limit_exceeded"}},"finish_reason":"error"}]}`, rate},
		"an end by an error alone":  {llm.OpenRouter, 200, nil, `{"choices":[{"message":{"content":"a"},"finish_reason":"error"}]}`, again},
		"a length that passes":      {llm.OpenRouter, 200, nil, `{"choices":[{"message":{"content":""},"finish_reason":"length"}]}`, "none"},
		"an error for an answer":    {llm.OpenRouter, 200, nil, router(402, "Insufficient credits", ``), noMoney},
	})
	checkRows(t, true, map[string]row{
		"openrouter: after the first token": {llm.OpenRouter, 200, nil, `{"id":"1","error":{"code":502,"message":"gone"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}`, again},
		"openai: no money":                  {llm.OpenAI, 200, nil, openAI("insufficient_quota", "credit_balance_exhausted", "no"), noMoney},
		"openai: an error in an event":      {llm.OpenAI, 200, nil, `{"type":"error","sequence_number":2,"error":{"type":"rate_limit_error","code":"rate_limit_exceeded","message":"no"}}`, rate},
		"openai: a prompt":                  {llm.OpenAI, 200, nil, `{"type":"response.failed","response":{"status":"failed","error":{"code":"invalid_prompt","message":"no"}}}`, badRequest},
		"openai: a fault":                   {llm.OpenAI, 200, nil, `{"type":"response.failed","response":{"status":"failed","error":{"code":"vector_store_timeout","message":"no"}}}`, again},
		"openai: a failure that says no":    {llm.OpenAI, 200, nil, `{"type":"response.failed","response":{"status":"failed","error":null}}`, again},
		"openai: the filter":                {llm.OpenAI, 200, nil, `{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"content_filter"}}}`, refused},
		"openai: a filtered choice":         {llm.OpenAI, 200, nil, `{"choices":[{"index":0,"delta":{},"finish_reason":"content_filter"}]}`, refused},
		"openai: a chunk":                   {llm.OpenAI, 200, nil, `{"choices":[{"index":0,"delta":{"content":"overloaded"},"finish_reason":null}]}`, "none"},
		"openai: the usage":                 {llm.OpenAI, 200, nil, `{"choices":[],"usage":{"total_tokens":3}}`, "none"},
		"openai: the marker":                {llm.OpenAI, 200, nil, `[DONE]`, "none"},
		"tgi: its OpenAI route":             {llm.TGI, 200, nil, `{"error":{"message":"Request failed during generation","http_status_code":422}}`, again},
		"tgi: overloaded":                   {llm.TGI, 200, nil, `{"error":"Model is overloaded","error_type":"overloaded"}`, full},
		"tgi: a bad request":                {llm.TGI, 200, nil, `{"error":"no","error_type":"validation"}`, badRequest},
		"cohere: the end by an error":       {llm.Cohere, 200, nil, `{"type":"message-end","delta":{"finish_reason":"ERROR","error":"no"}}`, again},
		"vllm: a bad request":               {llm.VLLM, 200, nil, `{"error":{"message":"no","type":"BadRequestError","code":400}}`, badRequest},
	})
}
