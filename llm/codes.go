package llm

import "strings"

// The tables of this file are texts with one entry per line, in lower case. They cost
// nothing to hold, and an entry that is found is its own reason. Codes are compared as
// whole values; phrases are looked for in the error's message and nowhere else,
// because a prompt may hold any of them.

// quotaCodes mean that money or a long window is gone.
// OpenAI: help centre, articles 6614457 and 5955604. Anthropic: API errors, rate limits.
// OpenRouter: errors and debugging. xAI: console. Bedrock: service model.
const quotaCodes = `
insufficient_quota
credit_balance_exhausted
organization_spend_limit_exceeded
project_spend_limit_exceeded
organization_usage_limit_exceeded
billing_hard_limit_reached
billing_not_active
billing_error
enforced_spend_limit_reached
payment_required
insufficient_credits
insufficient_balance
personal-team-blocked:spending-limit
quota_exceeded
servicequotaexceededexception
weight_exceeds_budget
`

// rateCodes mean a rate, but only where there is no status to say so: OpenAI sends
// rate_limit_exceeded for a request that is too large, too.
const rateCodes = `
rate_limit_exceeded
rate_limit_error
rate_limited
1300
throttlingexception
toomanyrequestsexception
too_many_requests
slow_down
dynamic_request_limited
dynamic_token_limited
`

// overloadCodes mean that the provider has no capacity, whatever the status.
// OpenAI: flex processing. Groq: flex tier. OpenRouter: errors and debugging.
// Google: google.rpc.Code.
const overloadCodes = `
overloaded_error
server_is_overloaded
service_unavailable_error
overloaded
capacity_exceeded
resource_unavailable
provider_overloaded
capacity_exhausted
temporarily_unavailable
modelnotreadyexception
serviceunavailableexception
unavailable
`

// contextCodes mean that the request is larger than the model takes. OpenAI's
// string_above_max_length is about one field and so not among them.
const contextCodes = `
context_length_exceeded
context_window_exceeded
request_too_large
exceed_context_size_error
token_limit_exceeded
max_tokens_exceeded
`

// policyCodes mean that the content was refused.
// OpenAI: responses/response.go of openai-go v3.96.0. Azure: content filtering.
const policyCodes = `
content_filter
content_policy_violation
responsibleaipolicyviolation
moderation_blocked
image_content_policy_violation
bio_policy
misalignment_policy_violation
refusal
`

// accountCodes mean that the credential does not do.
const accountCodes = `
authentication_error
permission_error
permission_denied
unauthenticated
failed_precondition
invalid_api_key
api_key_invalid
accessdeniedexception
unrecognizedclientexception
unsupported_country_region_territory
`

// targetCodes mean that there is no such model or deployment.
const targetCodes = `
not_found_error
not_found
notfounderror
model_not_found
deploymentnotfound
resourcenotfoundexception
`

// requestCodes mean a request that the server cannot take. They count where there is no
// status to say so.
const requestCodes = `
invalid_request_error
invalid_request
invalid_prompt
invalid_argument
out_of_range
bad_request
badrequesterror
notimplementederror
unimplemented
validationexception
validation
template_error
tool_error
unprocessable_entity
data_residency_mismatch
string_above_max_length
string_too_long
image_too_large
image_too_small
image_parse_error
image_file_too_large
image_file_not_found
empty_image_file
invalid_image
invalid_image_format
invalid_image_mode
invalid_base64_image
invalid_image_url
unsupported_image_media_type
failed_to_download_image
`

// onceCodes mean that the server has waited in vain, under whatever status. Anthropic: API errors. Google:
// google.rpc.Code. Bedrock: service model, where the status is 408.
const onceCodes = `
timeout_error
deadline_exceeded
modeltimeoutexception
`

// billingPhrases count at 400, 402, 403, 429 and without a status. "exceeded your current
// quota" is not one of them: it is final at OpenAI and passes within a minute at Gemini.
const billingPhrases = `
credit balance is too low
you have reached your specified
monthly included credits
used all available credits
monthly spending
spend limit
spending limit
insufficient balance
insufficient credits
insufficient funds
prepay credits
out of credits
have any credits
purchase more credits
budget limit exceeded
exceeded your monthly
`

// These name a window that no retry outlives; see longWindow.
const (
	dayPhrases = `
per day
/ day
/day
(rpd)
(tpd)
`
	monthPhrases = `
per month
/ month
/month
`
)

// policyPhrases count at every status but 401, 404, 429 and 5xx.
const policyPhrases = `
safety system
content management policy
content policy
content filtering policy
usage policy
usage policies
moderation system
flagged by
flagged as
`

// contextPhrases count at 400, 403, 413, 422, 429 and without a status. Together says
// it with 403; OpenAI, vLLM and their kin with 400; TGI with 422.
const contextPhrases = `
context length
context window
context limit
context size
prompt is too long
input is too long
maximum prompt length
maximum number of tokens
reduce the length of the
tokens exceed the configured limit
long context requests
+ ` + "`max_new_tokens`" + ` must be
` + "`inputs`" + ` must have less than
request exceeds the maximum size
`

// capacityPhrases count at every status but 400, 401 and 404.
const capacityPhrases = `
overloaded
high demand
temporarily unable to process
capacity exceeded
no capacity
at capacity
over capacity
capacity constraints
insufficient capacity
currently loading
server busy
server is busy
maximum pending requests
timed out waiting for llama runner
`

// brokenPhrases tell of a target that cannot serve the model (Ollama v0.17.4,
// llm/server.go and server/routes.go).
const brokenPhrases = `
requires more system memory
try pulling it first
`

// The reasons for which an answer with a good status ended, where they are no success.
// Google: genai v1.77.0, types.go. Anthropic: stop_reason. Bedrock: StopReason. DeepSeek and
// OpenRouter: finish_reason. Cohere: cohere-go v2.15.3, ChatFinishReason.
const (
	policyEnds = `
content_filter
refusal
safety
recitation
blocklist
prohibited_content
spii
image_safety
image_prohibited_content
image_recitation
content_filtered
guardrail_intervened
error_toxic
`
	transientEnds = `
error
`
	slipEnds = `
malformed_function_call
unexpected_tool_call
malformed_model_output
malformed_tool_use
`
	overloadEnds = `
insufficient_system_resource
`
	contextEnds = `
error_limit
`
	permanentEnds = `
language
too_many_tool_calls
no_image
`
)

// listed returns the entry of the list that equals code, or "". The code is not empty
// and holds no line end.
func listed(list, code string) string {
	for from := 0; ; {
		at := strings.Index(list[from:], code)
		if at < 0 {
			return ""
		}
		at += from
		if end := at + len(code); list[at-1] == '\n' && list[end] == '\n' {
			return list[at:end]
		}
		from = at + 1
	}
}
