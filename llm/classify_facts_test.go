package llm_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail/llm"
)

// A fact is one statement of a provider about its answers, in a variant that its documents do not show.
type fact struct {
	provider llm.Provider
	status   int
	header   string // "name: value" by line
	body     string
	want     string // class, "yes" or "no" for a retry, wait, scope; "none" for a success
}

func (f fact) response() llm.Response {
	h := http.Header{}
	for line := range strings.SplitSeq(f.header, "\n") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			h.Add(name, value)
		}
	}
	return llm.Response{Provider: f.provider, Status: f.status, Header: h, Body: []byte(f.body), Stream: f.status == 200}
}

func factually(v llm.Verdict) string {
	if !v.Failed {
		return "none"
	}
	retry, wait := "no", "-"
	if v.Retryable {
		retry = "yes"
	}
	if v.HasDelay {
		wait = v.Delay.Round(time.Millisecond).String()
	}
	return fmt.Sprintf("%v %s %s %s", v.Class, retry, wait, v.Scope)
}

func check(t *testing.T, facts map[string]fact) {
	t.Helper()
	for name, f := range facts {
		t.Run(name, func(t *testing.T) {
			v := llm.Classify(f.response())
			if got := factually(v); got != f.want {
				t.Errorf("status %d, %q, %s:\n got %s (%s)\nwant %s", f.status, f.header, f.body, got, v.Reason, f.want)
			}
		})
	}
}

// inOpenAI is an error in OpenAI's envelope.
func inOpenAI(kind, code, message string) string {
	return fmt.Sprintf(`{"error": {"message": %q, "type": %q, "param": null, "code": %q}}`, message, kind, code)
}

const (
	transientT = "transient yes - target"
	overloadT  = "overloaded yes - target"
	rateT      = "rate_limited yes - target"
	moneyA     = "quota_exhausted no - account"
	dayT       = "quota_exhausted no - target"
	tooLongR   = "context_length no - request"
	policyR    = "content_policy no - request"
	badR       = "permanent no - request"
	badA       = "permanent no - account"
	badT       = "permanent no - target"
)

// Section 1.1 of providers.md.
func TestFactsOpenAI(t *testing.T) {
	const slow, invalid = "rate_limit_exceeded", "invalid_request_error"
	check(t, map[string]fact{
		"bad request":              {llm.OpenAI, 400, "", inOpenAI(invalid, "invalid_value", "x"), badR},
		"context":                  {llm.OpenAI, 400, "", inOpenAI(invalid, "context_length_exceeded", "x"), tooLongR},
		"context, shouted":         {llm.OpenAI, 400, "", inOpenAI(invalid, "Context_Length_Exceeded", "x"), tooLongR},
		"context, by text":         {llm.OpenAI, 400, "", inOpenAI(invalid, "", "This model's maximum context length is 8192 tokens."), tooLongR},
		"a field too long":         {llm.OpenAI, 400, "", inOpenAI(invalid, "string_above_max_length", "Invalid 'metadata': string too long. Expected a string with maximum length 512."), badR},
		"policy":                   {llm.OpenAI, 400, "", inOpenAI(invalid, "content_policy_violation", "x"), policyR},
		"policy of images":         {llm.OpenAI, 400, "", inOpenAI("image_generation_user_error", "moderation_blocked", "x"), policyR},
		"policy, by text":          {llm.OpenAI, 400, "", inOpenAI(invalid, "", "Your request was rejected by our safety system."), policyR},
		"a tier":                   {llm.OpenAI, 400, "", `{"error":{"type":"invalid_request_error","param":"service_tier","message":"x"}}`, badR},
		"key":                      {llm.OpenAI, 401, "", inOpenAI(invalid, "invalid_api_key", "x"), badA},
		"an address":               {llm.OpenAI, 401, "", inOpenAI(invalid, "ip_not_authorized", "x"), badA},
		"country":                  {llm.OpenAI, 403, "", inOpenAI("request_forbidden", "unsupported_country_region_territory", "x"), badA},
		"model":                    {llm.OpenAI, 404, "", inOpenAI(invalid, "model_not_found", "x"), badT},
		"time-out":                 {llm.OpenAI, 408, "", "", transientT},
		"lock":                     {llm.OpenAI, 409, "", "{}", transientT},
		"rate of requests":         {llm.OpenAI, 429, "", inOpenAI("requests", slow, "Rate limit reached. Please try again in 41.7s."), "rate_limited yes 41.7s target"},
		"rate, header first":       {llm.OpenAI, 429, "Retry-After: 3", inOpenAI("tokens", slow, "Please try again in 41.7s."), "rate_limited yes 3s target"},
		"rate, by its reset":       {llm.OpenAI, 429, "x-ratelimit-remaining-tokens: 0\nx-ratelimit-reset-tokens: 6m0s", inOpenAI("tokens", slow, "x"), "rate_limited yes 6m0s target"},
		"a day's":                  {llm.OpenAI, 429, "", inOpenAI("requests", slow, "Rate limit reached for m on requests per day (RPD): Limit 200. Please try again in 7m12s."), "quota_exhausted no 7m12s target"},
		"a day's tokens":           {llm.OpenAI, 429, "", inOpenAI("tokens", slow, "Rate limit reached for m on tokens per min... (TPD): Limit 1. x"), dayT},
		"larger than the window":   {llm.OpenAI, 429, "retry-after: 1", inOpenAI("tokens", slow, "Request too large for m on tokens per min (TPM): Limit 30000, Requested 36278."), "context_length no 1s request"},
		"a ramp":                   {llm.OpenAI, 429, "retry-after: 20", inOpenAI("rate_limit_error", "slow_down", "x"), "rate_limited yes 20s target"},
		"money, old":               {llm.OpenAI, 429, "", inOpenAI("insufficient_quota", "insufficient_quota", "You exceeded your current quota, please check your plan and billing details."), moneyA},
		"money, code null":         {llm.OpenAI, 429, "", `{"error":{"type":"insufficient_quota","code":null,"message":"x"}}`, moneyA},
		"balance":                  {llm.OpenAI, 429, "", inOpenAI("insufficient_quota", "credit_balance_exhausted", "x"), moneyA},
		"organization's cap":       {llm.OpenAI, 429, "", inOpenAI("insufficient_quota", "organization_spend_limit_exceeded", "x"), moneyA},
		"project's cap":            {llm.OpenAI, 429, "", inOpenAI("insufficient_quota", "project_spend_limit_exceeded", "x"), moneyA},
		"assigned cap":             {llm.OpenAI, 429, "", inOpenAI("insufficient_quota", "organization_usage_limit_exceeded", "x"), moneyA},
		"cap, other type":          {llm.OpenAI, 429, "", inOpenAI("x", "project_spend_limit_exceeded", "x"), moneyA},
		"money with true":          {llm.OpenAI, 429, "x-should-retry: true", inOpenAI("insufficient_quota", "insufficient_quota", "x"), moneyA},
		"flex":                     {llm.OpenAI, 429, "", inOpenAI("x", "resource_unavailable", "x"), overloadT},
		"internal":                 {llm.OpenAI, 500, "", inOpenAI("server_error", "", "x"), transientT},
		"overloaded":               {llm.OpenAI, 503, "retry-after: 7", inOpenAI("service_unavailable_error", "server_is_overloaded", "x"), "overloaded yes 7s target"},
		"ramp, older":              {llm.OpenAI, 503, "", inOpenAI("x", "slow_down", "x"), overloadT},
		"Cloudflare's page":        {llm.OpenAI, 502, "content-type: text/plain", "error code: 502", transientT},
		"in-band server error":     {llm.OpenAI, 200, "", `{"type":"response.failed","response":{"error":{"code":"server_error","message":"x"}}}`, transientT},
		"in-band rate":             {llm.OpenAI, 200, "", `{"type":"response.failed","response":{"error":{"code":"rate_limit_exceeded","message":"x"}}}`, rateT},
		"in-band residency":        {llm.OpenAI, 200, "", `{"type":"response.failed","response":{"error":{"code":"data_residency_mismatch","message":"x"}}}`, badR},
		"in-band misalignment":     {llm.OpenAI, 200, "", `{"type":"response.failed","response":{"error":{"code":"misalignment_policy_violation","message":"x"}}}`, policyR},
		"in-band image policy":     {llm.OpenAI, 200, "", `{"type":"response.failed","response":{"error":{"code":"image_content_policy_violation","message":"x"}}}`, policyR},
		"in-band image":            {llm.OpenAI, 200, "", `{"type":"response.failed","response":{"error":{"code":"failed_to_download_image","message":"x"}}}`, badR},
		"incomplete, filtered":     {llm.OpenAI, 200, "", `{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"content_filter"}}}`, policyR},
		"incomplete, length":       {llm.OpenAI, 200, "", `{"type":"response.incomplete","response":{"incomplete_details":{"reason":"max_output_tokens"}}}`, "none"},
		"incomplete, steered":      {llm.OpenAI, 200, "", `{"type":"response.incomplete","response":{"incomplete_details":{"reason":"steered"}}}`, "none"},
		"cancelled":                {llm.OpenAI, 200, "", `{"object":"response","status":"cancelled","error":null}`, "none"},
		"a prompt about limits":    {llm.OpenAI, 400, "", `{"error":{"type":"invalid_request_error","message":"x","param":"You exceeded your current quota; insufficient_quota; rate limit; context length"}}`, badR},
		"codes in the text":        {llm.OpenAI, 500, "", inOpenAI("server_error", "", "insufficient_quota context_length_exceeded content_filter 429"), transientT},
		"a longer code":            {llm.OpenAI, 500, "", inOpenAI("server_error", "not_insufficient_quota", "x"), transientT},
		"an unknown code":          {llm.OpenAI, 429, "", inOpenAI("moon", "moon", "x"), rateT},
		"an unknown status":        {llm.OpenAI, 418, "", inOpenAI("moon", "moon", "x"), badR},
		"unusual 5xx":              {llm.OpenAI, 599, "", "", transientT},
		"no envelope":              {llm.OpenAI, 429, "", `{"message":"x","type":"insufficient_quota"}`, moneyA},
		"in a list, in a list":     {llm.OpenAI, 429, "", `[[` + inOpenAI("insufficient_quota", "", "x") + `]]`, moneyA},
		"blanks everywhere":        {llm.OpenAI, 429, "", "\r\n\t [ \n {\n\"error\"\n:\n{\n\"code\"\t:\t\"insufficient_quota\"\n}\n}\n]\n", moneyA},
		"a byte order mark":        {llm.OpenAI, 429, "", "\xef\xbb\xbf" + inOpenAI("insufficient_quota", "", "x"), moneyA},
		"escaped code":             {llm.OpenAI, 429, "", `{"error":{"code":"insufficient\u005fquota"}}`, moneyA},
		"huge body, error first":   {llm.OpenAI, 429, "", `{"error":{"code":"insufficient_quota","message":"` + strings.Repeat("x", 1<<20) + `"}}`, moneyA},
		"huge body, error too far": {llm.OpenAI, 429, "", `{"pad":"` + strings.Repeat("x", 1<<20) + `","error":{"code":"insufficient_quota"}}`, rateT},
	})
}

// Section 1.2.
func TestFactsAzure(t *testing.T) {
	azure := func(code, message string) string {
		return fmt.Sprintf(`{"error":{"code":%q,"message":%q}}`, code, message)
	}
	check(t, map[string]fact{
		"rate":                {llm.AzureOpenAI, 429, "", azure("429", "Requests have exceeded token rate limit. Please retry after 45 seconds."), "rate_limited yes 45s target"},
		"rate, ms":            {llm.AzureOpenAI, 429, "retry-after-ms: 1500\nretry-after: 2", azure("429", "exceeded the call rate limit. Please retry after 45 seconds."), "rate_limited yes 1.5s target"},
		"rate, x-ms":          {llm.AzureOpenAI, 429, "x-ms-retry-after-ms: 250\nretry-after: 2", azure("429", "x"), "rate_limited yes 250ms target"},
		"rate, number":        {llm.AzureOpenAI, 429, "", `{"error":{"code":429,"message":"exceeded call rate limit, Please retry after 1 second"}}`, "rate_limited yes 1s target"},
		"a day":               {llm.AzureOpenAI, 429, "", azure("429", "Please retry after 86400 seconds."), "quota_exhausted no 24h0m0s target"},
		"a day, by header":    {llm.AzureOpenAI, 429, "retry-after: 86400", azure("429", "x"), "quota_exhausted no 24h0m0s target"},
		"demand":              {llm.AzureOpenAI, 429, "retry-after-ms: 100", azure("429", "The system is experiencing high demand."), "overloaded yes 100ms target"},
		"unable":              {llm.AzureOpenAI, 429, "", azure("NoCapacity", "We are temporarily unable to process your request."), overloadT},
		"lowered":             {llm.AzureOpenAI, 429, "x-ratelimit-limit-tokens: 10\nx-ratelimit-remaining-tokens: 0\nx-ratelimit-reset-tokens: 55", azure("429", "x"), "rate_limited yes 55s target"},
		"extra hyphen":        {llm.AzureOpenAI, 429, "x-ratelimit-remaining-tokens: 0\nx-rate-limit-reset-tokens: 55", azure("429", "x"), "rate_limited yes 55s target"},
		"minus one":           {llm.AzureOpenAI, 429, "x-ratelimit-remaining-tokens: -1\nx-ratelimit-limit-tokens: -1\nx-ratelimit-reset-tokens: 0", azure("429", "x"), rateT},
		"filter":              {llm.AzureOpenAI, 400, "", `{"error":{"code":"content_filter","type":null,"message":"x","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":true}}}}}`, policyR},
		"filter, inner alone": {llm.AzureOpenAI, 400, "", `{"error":{"code":null,"message":"x","innererror":{"code":"ResponsibleAIPolicyViolation"}}}`, policyR},
		"filter, by text":     {llm.AzureOpenAI, 400, "", azure("", "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."), policyR},
		"filtered":            {llm.AzureOpenAI, 200, "", `{"choices":[{"finish_reason":"content_filter","content_filter_results":{"hate":{"filtered":true}}}]}`, policyR},
		"filter did not run":  {llm.AzureOpenAI, 200, "", `{"choices":[{"finish_reason":"stop","content_filter_results":{"error":{"code":"content_filter_error","message":"x"}}}]}`, "none"},
		"prompt's did not":    {llm.AzureOpenAI, 200, "", `{"choices":[{"finish_reason":"stop"}],"prompt_filter_results":[{"content_filter_results":{"error":{"code":"content_filter_error"}}}]}`, "none"},
		"no deployment":       {llm.AzureOpenAI, 404, "", azure("DeploymentNotFound", "x"), badT},
		"network rule":        {llm.AzureOpenAI, 403, "", azure("403", "Access denied due to Virtual Network rules"), badA},
		"API Management":      {llm.AzureOpenAI, 403, "", `{"statusCode":403,"message":"Out of call volume quota. Quota will be replenished in 10:00:00."}`, moneyA},
		"its rate":            {llm.AzureOpenAI, 429, "retry-after: 10", `{"statusCode":429,"message":"Token limit is exceeded. Try again in 10 seconds."}`, "rate_limited yes 10s target"},
	})
}

// Section 1.3.
func TestFactsAnthropic(t *testing.T) {
	anthropic := func(kind, message, details string) string {
		return fmt.Sprintf(`{"type":"error","error":{"details":%s,"type":%q,"message":%q},"request_id":"req_1"}`, details, kind, message)
	}
	const invalid, rate = "invalid_request_error", "rate_limit_error"
	check(t, map[string]fact{
		"bad":                    {llm.Anthropic, 400, "", anthropic(invalid, "x", "null"), badR},
		"context":                {llm.Anthropic, 400, "", anthropic(invalid, "prompt is too long: 213000 tokens > 200000 maximum", "null"), tooLongR},
		"own limit":              {llm.Anthropic, 400, "", anthropic(invalid, "You have reached your specified API usage limits. You will regain access on 2026-09-01.", "null"), moneyA},
		"own workspace's":        {llm.Anthropic, 400, "", anthropic(invalid, "You have reached your specified workspace API usage limits.", "null"), moneyA},
		"credit":                 {llm.Anthropic, 400, "", anthropic(invalid, "Your credit balance is too low to access the Anthropic API.", "null"), moneyA},
		"credit by type":         {llm.Anthropic, 400, "", anthropic("billing_error", "x", "null"), moneyA},
		"key":                    {llm.Anthropic, 401, "", anthropic("authentication_error", "x", "null"), badA},
		"rights":                 {llm.Anthropic, 403, "", anthropic("permission_error", "x", "null"), badA},
		"payment":                {llm.Anthropic, 402, "", anthropic("billing_error", "x", "null"), moneyA},
		"model":                  {llm.Anthropic, 404, "", anthropic("not_found_error", "model: x", "null"), badT},
		"conflict":               {llm.Anthropic, 409, "", anthropic("conflict_error", "x", "null"), transientT},
		"size":                   {llm.Anthropic, 413, "", anthropic("request_too_large", "Request exceeds the maximum size", "null"), tooLongR},
		"size, by the edge":      {llm.Anthropic, 413, "content-type: text/html", "<html>413 Payload Too Large</html>", tooLongR},
		"rate":                   {llm.Anthropic, 429, "retry-after: 12", anthropic(rate, "x", "null"), "rate_limited yes 12s target"},
		"rate by resets":         {llm.Anthropic, 429, "date: Sun, 01 Mar 2026 12:00:00 GMT\nanthropic-ratelimit-requests-remaining: 0\nanthropic-ratelimit-requests-reset: 2026-03-01T12:00:30Z\nanthropic-ratelimit-input-tokens-remaining: 0\nanthropic-ratelimit-input-tokens-reset: 2026-03-01T12:00:42Z\nanthropic-ratelimit-output-tokens-remaining: 5\nanthropic-ratelimit-output-tokens-reset: 2026-03-01T12:10:00Z", anthropic(rate, "x", "null"), "rate_limited yes 42s target"},
		"reset with a zone":      {llm.Anthropic, 429, "date: Sun, 01 Mar 2026 12:00:00 GMT\nanthropic-ratelimit-tokens-remaining: 0\nanthropic-ratelimit-tokens-reset: 2026-03-01T13:00:30.5+01:00", anthropic(rate, "x", "null"), "rate_limited yes 30.5s target"},
		"enforced":               {llm.Anthropic, 429, "", anthropic(rate, "x", `{"error_code":"enforced_spend_limit_reached"}`), moneyA},
		"enforced, details late": {llm.Anthropic, 429, "", `{"type":"error","error":{"type":"rate_limit_error","message":"x","details":{"a":[1,{"b":2}],"error_code":"enforced_spend_limit_reached"}}}`, moneyA},
		"long context":           {llm.Anthropic, 429, "", anthropic(rate, "Extra usage is required for long context requests.", "null"), tooLongR},
		"internal":               {llm.Anthropic, 500, "", anthropic("api_error", "Internal server error", "null"), transientT},
		"Overloaded":             {llm.Anthropic, 500, "", anthropic("api_error", "Overloaded", "null"), overloadT},
		"time-out":               {llm.Anthropic, 504, "", anthropic("timeout_error", "x", "null"), transientT},
		"overload":               {llm.Anthropic, 529, "", anthropic("overloaded_error", "Overloaded", "null"), overloadT},
		"overload, wait":         {llm.Anthropic, 529, "retry-after: 1.5", anthropic("overloaded_error", "Overloaded", "null"), "overloaded yes 1.5s target"},
		"overload, empty":        {llm.Anthropic, 529, "", "", overloadT},
		"in a stream":            {llm.Anthropic, 200, "", anthropic("overloaded_error", "Overloaded", "null"), overloadT},
		"in a stream, rate":      {llm.Anthropic, 200, "", anthropic(rate, "x", "null"), rateT},
		"in a stream, bad":       {llm.Anthropic, 200, "", anthropic(invalid, "x", "null"), badR},
		"in a stream, missing":   {llm.Anthropic, 200, "", anthropic("not_found_error", "x", "null"), badT},
		"refusal":                {llm.Anthropic, 200, "", `{"type":"message","content":[],"stop_reason":"refusal","stop_details":{"category":"cyber"}}`, policyR},
		"window":                 {llm.Anthropic, 200, "", `{"type":"message","stop_reason":"model_context_window_exceeded"}`, "none"},
		"most tokens":            {llm.Anthropic, 200, "", `{"type":"message","stop_reason":"max_tokens"}`, "none"},
		"pause":                  {llm.Anthropic, 200, "", `{"type":"message","stop_reason":"pause_turn"}`, "none"},
		"a new type":             {llm.Anthropic, 400, "", anthropic("moon_error", "x", "null"), badR},
	})
}
