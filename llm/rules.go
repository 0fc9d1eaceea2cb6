package llm

import (
	"net/http"
	"strings"

	"github.com/trysail-go/trysail"
)

// The rules stand in the order in which evidence.judge asks them. Each concludes or
// reports false.

// overridden knows where one provider means something else than the others.
func (e *evidence) overridden() bool {
	r := e.report
	switch {
	case string(r.limitSource) == "openrouter_in_flight_budget":
		// Money that answers under way may still cost; it comes back with their end.
		return e.conclude(trysail.ClassRateLimited, ScopeAccount, "in-flight budget")
	case len(r.limitSource) > 0 && (e.status == http.StatusPaymentRequired || e.status == http.StatusForbidden):
		return e.conclude(trysail.ClassQuotaExhausted, ScopeAccount, "limit source")
	case r.flagged && e.status == http.StatusForbidden:
		return e.conclude(trysail.ClassContentPolicy, ScopeRequest, "moderation")
	case e.status == 498 && e.code(overloadCodes) == "" && (e.provider == Cohere || e.text.holds("invalid token")):
		return e.conclude(trysail.ClassPermanent, ScopeAccount, "invalid token")
	case e.status == 498 && e.provider == Groq:
		return e.conclude(trysail.ClassOverloaded, ScopeTarget, "flex capacity")
	case e.status == http.StatusFailedDependency && e.provider == Groq:
		return e.conclude(trysail.ClassPermanent, ScopeRequest, "failed dependency")
	case e.provider == AzureOpenAI && e.status == http.StatusForbidden && e.text.holds("quota"):
		// API Management answers 429 for its rates and 403 for its quotas.
		return e.conclude(trysail.ClassQuotaExhausted, ScopeAccount, "gateway quota")
	case r.original > 0:
		return e.byOriginal()
	default:
		return false
	}
}

// byOriginal judges what the model behind Bedrock answered.
func (e *evidence) byOriginal() bool {
	switch status := e.report.original; {
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusTooManyRequests:
		return e.conclude(trysail.ClassTransient, ScopeTarget, "model error")
	default:
		return e.conclude(trysail.ClassPermanent, ScopeRequest, "model error")
	}
}

// largerThanLimit finds one request that is larger than the whole window of a
// rate. It comes with the code of a rate limit, and waiting never helps
// (openai/codex issue 38366, Groq's 413).
func (e *evidence) largerThanLimit() bool {
	if e.text.holds("request too large") && e.text.holds("limit ") && e.text.holds("requested ") ||
		e.text.holds("input or output tokens must be reduced") {
		return e.conclude(trysail.ClassContextLength, ScopeRequest, "request too large")
	}
	return false
}

// googleQuota splits Google's RESOURCE_EXHAUSTED, which stands for four things. The
// name of the quota decides, before the wait: a day's quota comes with a
// wait of seconds when a minute's is used up, too (googleapis/python-genai issue 2044).
func (e *evidence) googleQuota() bool {
	google := e.provider == Gemini || e.provider == Vertex || e.googleStatus == "resource_exhausted"
	if !google || e.status != http.StatusTooManyRequests && (e.status != 0 || e.googleStatus != "resource_exhausted") {
		return false
	}
	switch {
	case e.report.perDay, e.text.phrase(dayPhrases) != "":
		return e.conclude(trysail.ClassQuotaExhausted, ScopeTarget, "per day")
	case e.mainCode == "quota_exceeded":
		return e.conclude(trysail.ClassQuotaExhausted, ScopeTarget, "quota_exceeded")
	case limitZero(e.text.text):
		return e.conclude(trysail.ClassQuotaExhausted, ScopeAccount, "limit: 0")
	case e.text.holds("exceeded your current quota") && !e.report.quotaNamed && !e.waits:
		return e.conclude(trysail.ClassQuotaExhausted, ScopeAccount, "exceeded your current quota")
	case strings.HasPrefix(e.text.text, "resource exhausted"):
		// Vertex' shared capacity, which is nobody's quota.
		return e.conclude(trysail.ClassOverloaded, ScopeTarget, "resource exhausted")
	}
	return e.conclude(trysail.ClassOverloaded, ScopeTarget, e.text.phrase(capacityPhrases)) ||
		e.conclude(trysail.ClassQuotaExhausted, ScopeAccount, e.text.phrase(monthPhrases)) ||
		e.code(quotaCodes) == "" && e.text.phrase(billingPhrases) == "" &&
			e.conclude(trysail.ClassRateLimited, ScopeTarget, "resource_exhausted")
}

// limitZero finds a limit of nothing: the tier does not include the model.
func limitZero(text string) bool {
	for {
		_, after, found := strings.Cut(text, "limit: 0")
		if !found {
			return false
		}
		if after == "" || after[0] != '.' && (after[0] < '0' || after[0] > '9') ||
			after[0] == '.' && (len(after) == 1 || after[1] < '0' || after[1] > '9') {
			return true
		}
		text = after
	}
}

// quota finds that money or an allowance is used up.
func (e *evidence) quota() bool {
	code := e.code(quotaCodes)
	if code == "weight_exceeds_budget" {
		// OpenRouter: this request may cost more than is left; a smaller one may go.
		return e.conclude(trysail.ClassQuotaExhausted, ScopeRequest, code)
	}
	if e.conclude(trysail.ClassQuotaExhausted, ScopeAccount, code) {
		return true
	}
	switch e.status {
	case http.StatusPaymentRequired:
		return e.conclude(trysail.ClassQuotaExhausted, ScopeAccount, "status")
	case http.StatusForbidden:
		if e.text.holds("billing has not been enabled") { // Gemini
			return e.conclude(trysail.ClassQuotaExhausted, ScopeAccount, "billing has not been enabled")
		}
	case http.StatusTooManyRequests:
		if e.provider == OpenAI && e.text.holds("exceeded your current quota") {
			return e.conclude(trysail.ClassQuotaExhausted, ScopeAccount, "exceeded your current quota")
		}
	case 0, http.StatusBadRequest:
	default:
		return false
	}
	return e.conclude(trysail.ClassQuotaExhausted, ScopeAccount, e.text.phrase(billingPhrases))
}

// longWindow finds a rate of a day or a month.
func (e *evidence) longWindow() bool {
	if e.status != http.StatusTooManyRequests && e.status != http.StatusRequestEntityTooLarge && e.code(rateCodes) == "" {
		return false
	}
	return e.conclude(trysail.ClassQuotaExhausted, ScopeTarget, e.text.phrase(dayPhrases)) ||
		e.conclude(trysail.ClassQuotaExhausted, ScopeAccount, e.text.phrase(monthPhrases))
}

// policy finds content that was refused.
func (e *evidence) policy() bool {
	if e.conclude(trysail.ClassContentPolicy, ScopeRequest, e.code(policyCodes)) {
		return true
	}
	switch e.status {
	case http.StatusUnauthorized, http.StatusNotFound, http.StatusTooManyRequests:
		return false
	}
	return e.status < 500 && e.conclude(trysail.ClassContentPolicy, ScopeRequest, e.text.phrase(policyPhrases))
}

// context finds a request that is larger than the model takes.
func (e *evidence) context() bool {
	if e.conclude(trysail.ClassContextLength, ScopeRequest, e.code(contextCodes)) {
		return true
	}
	switch e.status {
	case http.StatusBadRequest:
		// Bedrock says it of a rate, too.
		if e.text.holds("too many tokens") && e.code("\nthrottlingexception\n") == "" {
			return e.conclude(trysail.ClassContextLength, ScopeRequest, "too many tokens")
		}
	case 0, http.StatusForbidden, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity, http.StatusTooManyRequests:
	default:
		return false
	}
	if e.text.holds("max_tokens") && e.text.holds("is too large") { // vLLM
		return e.conclude(trysail.ClassContextLength, ScopeRequest, "max_tokens")
	}
	return e.conclude(trysail.ClassContextLength, ScopeRequest, e.text.phrase(contextPhrases))
}

// hopeless finds OpenRouter's word that a retry is useless.
func (e *evidence) hopeless() bool {
	return e.report.final && e.conclude(trysail.ClassPermanent, ScopeTarget, "availability")
}

// capacity finds a provider without capacity, under whatever status.
func (e *evidence) capacity() bool {
	if e.conclude(trysail.ClassOverloaded, ScopeTarget, e.code(overloadCodes)) {
		return true
	}
	switch e.status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound:
		return false
	}
	return e.conclude(trysail.ClassOverloaded, ScopeTarget, e.text.phrase(capacityPhrases))
}

// broken finds a target that cannot serve the model, and a key that is none.
func (e *evidence) broken() bool {
	return e.conclude(trysail.ClassPermanent, ScopeTarget, e.text.phrase(brokenPhrases)) ||
		e.conclude(trysail.ClassPermanent, ScopeTarget, e.code("\ndeploymentnotfound\n")) ||
		e.conclude(trysail.ClassPermanent, ScopeAccount, e.code("\napi_key_invalid\n"))
}

// invited follows the server's word that a retry may help where the status alone
// would not have one.
func (e *evidence) invited() bool {
	switch e.status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusUnprocessableEntity:
		return strings.EqualFold(e.shouldRetry(), "true") && e.conclude(trysail.ClassTransient, ScopeTarget, "x-should-retry") ||
			e.report.passing && e.conclude(trysail.ClassTransient, ScopeTarget, "availability")
	}
	return false
}

// byStatus falls back to the table of statuses. A code may still tell whom a
// permanent error concerns.
func (e *evidence) byStatus() bool {
	if e.status < http.StatusBadRequest {
		return false
	}
	class, scope := statusMeaning(e.status)
	if class == trysail.ClassPermanent && scope == ScopeRequest {
		return e.conclude(class, ScopeAccount, e.code(accountCodes)) ||
			e.conclude(class, ScopeTarget, e.code(targetCodes)) ||
			e.conclude(class, scope, "status")
	}
	return e.conclude(class, scope, "status")
}

// byCode judges an error that came without a status.
func (e *evidence) byCode() bool {
	return e.conclude(trysail.ClassRateLimited, ScopeTarget, e.code(rateCodes)) ||
		e.conclude(trysail.ClassPermanent, ScopeAccount, e.code(accountCodes)) ||
		e.conclude(trysail.ClassPermanent, ScopeTarget, e.code(targetCodes)) ||
		e.conclude(trysail.ClassPermanent, ScopeRequest, e.code(requestCodes)) ||
		e.conclude(trysail.ClassTransient, ScopeTarget, "in-band")
}

// once reports whether the failure is worth one more attempt only: somebody has waited for the answer in
// vain, which takes minutes and may have been paid for, or the model has made a slip.
func (e *evidence) once() bool {
	if e.found.class != trysail.ClassTransient {
		return false
	}
	switch e.status {
	case http.StatusGatewayTimeout, 499, 524:
		return true
	}
	return e.code(onceCodes) != "" || listed(slipEnds, e.found.reason) != ""
}

// statusMeaning is the table of statuses. It differs from [trysail.StatusClass], which
// does not know that an AI provider answers; 520 to 530 are Cloudflare's.
func statusMeaning(status int) (trysail.Class, Scope) {
	switch status {
	case http.StatusTooManyRequests:
		return trysail.ClassRateLimited, ScopeTarget
	case http.StatusRequestEntityTooLarge:
		return trysail.ClassContextLength, ScopeRequest
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusFailedDependency, http.StatusTooEarly, 499:
		return trysail.ClassTransient, ScopeTarget
	case http.StatusPaymentRequired:
		return trysail.ClassQuotaExhausted, ScopeAccount
	case http.StatusUnauthorized, http.StatusForbidden:
		return trysail.ClassPermanent, ScopeAccount
	case http.StatusNotFound, 526:
		return trysail.ClassPermanent, ScopeTarget
	case http.StatusNotImplemented:
		return trysail.ClassPermanent, ScopeRequest
	case http.StatusServiceUnavailable, 521, 522, 523, 529, 530:
		return trysail.ClassOverloaded, ScopeTarget
	}
	if status < 500 {
		return trysail.ClassPermanent, ScopeRequest
	}
	return trysail.ClassTransient, ScopeTarget
}
