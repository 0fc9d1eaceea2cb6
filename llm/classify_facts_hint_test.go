package llm_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/llm"
)

// Section 2 of providers.md, and what follows from 7.
func TestFactsOfHints(t *testing.T) {
	const (
		date = "Date: Sun, 01 Mar 2026 12:00:00 GMT\n"
		none = "rate_limited yes - target"
	)
	waits := func(d string) string { return "rate_limited yes " + d + " target" }
	for name, tc := range map[string]struct{ header, body, want string }{
		"seconds":                      {"Retry-After: 7", "", waits("7s")},
		"in small letters":             {"retry-after: 7", "", waits("7s")},
		"in capitals":                  {"RETRY-AFTER: 7", "", waits("7s")},
		"with blanks":                  {"Retry-After:   7  ", "", waits("7s")},
		"a fraction":                   {"Retry-After: 0.25", "", waits("250ms")},
		"nothing":                      {"Retry-After: 0", "", waits("0s")},
		"less than nothing":            {"Retry-After: -3", "", none},
		"not a number":                 {"Retry-After: NaN", "", none},
		"garbage":                      {"Retry-After: soon", "", none},
		"blank":                        {"Retry-After: ", "", none},
		"too long":                     {"Retry-After: 1e400", "", "quota_exhausted no 8784h0m0s target"},
		"a date":                       {date + "Retry-After: Sun, 01 Mar 2026 12:00:30 GMT", "", waits("30s")},
		"a date that is over":          {date + "Retry-After: Sun, 01 Mar 2026 11:00:00 GMT", "", waits("0s")},
		"a date, old form":             {date + "Retry-After: Sunday, 01-Mar-26 12:00:30 GMT", "", waits("30s")},
		"a date of C":                  {date + "Retry-After: Sun Mar  1 12:00:30 2026", "", waits("30s")},
		"milliseconds":                 {"Retry-After-Ms: 1500.5", "", "rate_limited yes 1.501s target"},
		"milliseconds first":           {"Retry-After: 60\nRetry-After-Ms: 1500", "", waits("1.5s")},
		"broken milliseconds":          {"Retry-After: 60\nRetry-After-Ms: x", "", waits("1m0s")},
		"Azure's first":                {"Retry-After: 60\nX-Ms-Retry-After-Ms: 250", "", waits("250ms")},
		"Amazon's first":               {"Retry-After: 60\nX-Amz-Retry-After: 250", "", waits("250ms")},
		"header before body":           {"Retry-After: 60", `{"error":{"details":[{"retryDelay":"3s"}]}}`, waits("1m0s")},
		"body before text":             {"", `{"error":{"message":"try again in 9s","details":[{"retryDelay":"3s"}]}}`, waits("3s")},
		"text before resets":           {"x-ratelimit-remaining-tokens: 0\nx-ratelimit-reset-tokens: 6m", `{"error":{"message":"Please try again in 9s."}}`, waits("9s")},
		"the resets that count":        {"x-ratelimit-remaining-tokens: 0\nx-ratelimit-reset-tokens: 12ms\nx-ratelimit-remaining-requests: 3\nx-ratelimit-reset-requests: 5m", "", waits("12ms")},
		"the longest of them":          {"x-ratelimit-remaining-tokens: 0\nx-ratelimit-reset-tokens: 12ms\nx-ratelimit-remaining-requests: 0\nx-ratelimit-reset-requests: 5m", "", waits("5m0s")},
		"none is used up":              {"x-ratelimit-remaining-tokens: 1\nx-ratelimit-reset-tokens: 12ms", "", none},
		"usage based":                  {"x-ratelimit-remaining-tokens_usage_based: 0\nx-ratelimit-reset-tokens_usage_based: 2s", "", waits("2s")},
		"bare seconds":                 {"x-ratelimit-remaining-requests: 0\nx-ratelimit-reset-requests: 55", "", waits("55s")},
		"seconds since 1970":           {date + "x-ratelimit-remaining: 0\nx-ratelimit-reset: 1772366445", "", waits("45s")},
		"milliseconds since 1970":      {date + "x-ratelimit-remaining: 0\nx-ratelimit-reset: 1772366445500", "", waits("45.5s")},
		"zero":                         {"x-ratelimit-remaining-requests: 0\nx-ratelimit-reset-requests: 0", "", none},
		"6m0s in a text":               {"", `{"error":{"message":"Please try again in 6m0s. Visit us."}}`, waits("6m0s")},
		"20ms in a text":               {"", `{"error":{"message":"Please try again in 20ms."}}`, waits("20ms")},
		"7m3.36s in a text":            {"", `{"error":{"message":"try again in 7m3.36s"}}`, waits("7m3.36s")},
		"45 seconds in a text":         {"", `{"error":{"message":"Please retry after 45 seconds."}}`, waits("45s")},
		"an hour and more in a text":   {"", `{"error":{"message":"Please try again in 1h3m20s"}}`, "quota_exhausted no 1h3m20s target"},
		"a minute in words":            {"", `{"error":{"message":"Retry after 1 minute"}}`, waits("1m0s")},
		"soon, in a text":              {"", `{"error":{"message":"Please try again in a moment."}}`, none},
		"in a prompt, not the message": {"", `{"error":{"message":"x","param":"try again in 9s"}}`, none},
		"14 minutes 59":                {"Retry-After: 899", "", waits("14m59s")},
		"15 minutes":                   {"Retry-After: 900", "", "quota_exhausted no 15m0s target"},
		"false":                        {"X-Should-Retry: false", "", "rate_limited no - target"},
		"False":                        {"x-should-retry:  False ", "", "rate_limited no - target"},
		"true":                         {"x-should-retry: true", "", none},
	} {
		t.Run(name, func(t *testing.T) {
			f := fact{"", 429, tc.header, tc.body, tc.want}
			if v := llm.Classify(f.response()); factually(v) != tc.want {
				t.Errorf("%q, %s:\n got %s (%s)\nwant %s", tc.header, tc.body, factually(v), v.Reason, tc.want)
			}
		})
	}
}

// Section 7.3: which statement goes before which.
func TestFactsOfOrder(t *testing.T) {
	const yes, no = "x-should-retry: true", "x-should-retry: false"
	check(t, map[string]fact{
		"too large before money":        {"", 429, "", inOpenAI("tokens", "rate_limit_exceeded", "Request too large: Limit 1, Requested 2, on tokens per day"), tooLongR},
		"must be reduced":               {"", 429, "", inOpenAI("tokens", "rate_limit_exceeded", "The input or output tokens must be reduced in order to run successfully."), tooLongR},
		"money before policy":           {"", 400, "", inOpenAI("insufficient_quota", "content_filter", "x"), moneyA},
		"policy before context":         {"", 400, "", inOpenAI("context_length_exceeded", "content_filter", "x"), policyR},
		"context before overload":       {"", 503, "", inOpenAI("overloaded_error", "context_length_exceeded", "x"), tooLongR},
		"a code before the status":      {"", 400, "", inOpenAI("overloaded_error", "", "x"), overloadT},
		"overload text not at 400":      {"", 400, "", inOpenAI("x", "", "The model is overloaded"), badR},
		"overload text at 500":          {"", 500, "", inOpenAI("x", "", "The model is OVERLOADED"), overloadT},
		"context text not at 500":       {"", 500, "", inOpenAI("x", "", "maximum context length"), transientT},
		"context text at 413":           {"", 413, "", inOpenAI("x", "", "maximum context length"), tooLongR},
		"context text at 422":           {"", 422, "", inOpenAI("x", "", "maximum context length"), tooLongR},
		"many tokens at 429":            {"", 429, "", inOpenAI("x", "", "too many tokens"), rateT},
		"billing text at 403":           {"", 403, "", inOpenAI("x", "", "You have insufficient credits"), moneyA},
		"billing text not at 500":       {"", 500, "", inOpenAI("x", "", "You have insufficient credits"), transientT},
		"month":                         {"", 429, "", inOpenAI("x", "", "limit of 5 per month"), moneyA},
		"day with a rate's code":        {"", 400, "", inOpenAI("x", "rate_limited", "limit of 5 per day"), dayT},
		"day without either":            {"", 400, "", inOpenAI("x", "", "limit of 5 per day"), badR},
		"true at 400":                   {"", 400, yes, inOpenAI("x", "", "x"), transientT},
		"true at 422":                   {"", 422, yes, "", transientT},
		"true at 401":                   {"", 401, yes, "", badA},
		"true with context":             {"", 400, yes, inOpenAI("x", "context_length_exceeded", "x"), tooLongR},
		"true with policy":              {"", 400, yes, inOpenAI("x", "content_filter", "x"), policyR},
		"false at 500":                  {"", 500, no, "", "transient no - target"},
		"false at 503":                  {"", 503, no, "", "overloaded no - target"},
		"405":                           {"", 405, "", "", badR},
		"413":                           {"", 413, "", "", tooLongR},
		"425":                           {"", 425, "", "", transientT},
		"424":                           {"", 424, "", "", transientT},
		"501":                           {"", 501, "", "", badR},
		"502":                           {"", 502, "", "", transientT},
		"200":                           {"", 200, "", "{}", "none"},
		"200, empty":                    {"", 200, "", "", "none"},
		"in-stream, unknown":            {"", 200, "", inOpenAI("moon", "moon", "x"), transientT},
		"in-stream, number":             {"", 200, "", `{"error":{"code":401,"message":"x"}}`, badA},
		"in-stream, number over":        {"", 200, "", `{"error":{"code":600,"message":"x"}}`, transientT},
		"in-stream, number under":       {"", 200, "", `{"error":{"code":399,"message":"x"}}`, transientT},
		"in-stream, http_status_code":   {"", 200, "", `{"error":{"message":"x","http_status_code":429}}`, transientT},
		"decisive alone: exhausted":     {"", 400, "", `{"error":{"status":"RESOURCE_EXHAUSTED","message":"x"}}`, badR},
		"decisive alone: denied":        {"", 500, "", `{"error":{"status":"PERMISSION_DENIED","message":"x"}}`, transientT},
		"decisive alone: invalid":       {"", 500, "", inOpenAI("invalid_request_error", "", "x"), transientT},
		"decisive alone: rate":          {"", 400, "", inOpenAI("rate_limit_exceeded", "", "x"), badR},
		"decisive alone: api_error":     {"", 404, "", inOpenAI("api_error", "", "x"), badT},
		"decisive alone: quota":         {"", 429, "", inOpenAI("x", "", "quota"), rateT},
		"decisive alone: limit":         {"", 429, "", inOpenAI("x", "", "limit exceeded"), rateT},
		"decisive alone: current quota": {"", 429, "", inOpenAI("x", "", "You exceeded your current quota"), rateT},
	})
}

// All codes of section 7.4 count as whole values, wherever a body has its codes, and in no text.
func TestFactsOfCodes(t *testing.T) {
	for want, codes := range map[string]string{
		moneyA: `insufficient_quota, credit_balance_exhausted, organization_spend_limit_exceeded, project_spend_limit_exceeded,
			organization_usage_limit_exceeded, billing_hard_limit_reached, billing_not_active, billing_error, enforced_spend_limit_reached,
			payment_required, insufficient_credits, insufficient_balance, personal-team-blocked:spending-limit, quota_exceeded,
			ServiceQuotaExceededException`,
		overloadT: `overloaded_error, server_is_overloaded, service_unavailable_error, overloaded, capacity_exceeded, resource_unavailable,
			provider_overloaded, capacity_exhausted, temporarily_unavailable, ModelNotReadyException, ServiceUnavailableException, UNAVAILABLE`,
		tooLongR: `context_length_exceeded, context_window_exceeded, request_too_large, exceed_context_size_error`,
		policyR: `content_filter, content_policy_violation, ResponsibleAIPolicyViolation, moderation_blocked, image_content_policy_violation,
			bio_policy, misalignment_policy_violation, refusal`,
	} {
		for code := range strings.SplitSeq(codes, ",") {
			code = strings.TrimSpace(code)
			for place, form := range map[string]string{
				"error.code": `{"error":{"code":%q}}`, "error.type": `{"error":{"type":%q}}`, "error.status": `{"error":{"status":%q}}`,
				"error.error_type": `{"error":{"error_type":%q}}`, "details": `{"error":{"details":{"error_code":%q}}}`,
				"metadata": `{"error":{"metadata":{"error_type":%q}}}`, "innererror": `{"error":{"innererror":{"code":%q}}}`,
				"availability": `{"error":{"availability":{"code":%q}}}`, "code": `{"code":%q}`, "type": `{"type":%q}`, "error_type": `{"error":"x","error_type":%q}`,
				"in a list": `[{"error":{"code":%q}}]`, "in a response": `{"type":"response.failed","response":{"error":{"code":%q}}}`,
			} {
				for _, written := range []string{code, strings.ToUpper(code)} {
					v := llm.Classify(llm.Response{Status: 500, Body: []byte(fmt.Sprintf(form, written))})
					if got := factually(v); got != want {
						t.Errorf("%s as %s: got %s, want %s", written, place, got, want)
					}
				}
				for _, written := range []string{code + "s", "x" + code, "a " + code} {
					v := llm.Classify(llm.Response{Status: 500, Body: []byte(fmt.Sprintf(form, written))})
					if got := factually(v); got != transientT {
						t.Errorf("%s as %s: got %s, want it unknown", written, place, got)
					}
				}
			}
		}
	}
}
