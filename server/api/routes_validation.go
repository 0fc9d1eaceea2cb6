package api

import "net/http"

func (a *API) validationRoutes() []route {
	return []route{
		{
			method: http.MethodPost, path: validating, id: "validateConfiguration", module: validation, access: required, run: handle(a.validate),
			summary: "Check a custom configuration",
			description: "Fields, types, ranges, and whether the fields go together. The status is 200 for an invalid configuration, " +
				"too: errors says what is wrong. A batch in configurations has one answer for each, in their order.",
		},
		{
			method: http.MethodPost, path: validating + "-secure", id: "validateConfigurationSecurely", module: validation, access: required, run: handle(a.validateSecure),
			summary: "Check a custom configuration for security, too",
			description: "As validate, with the rules of the security pass in its words: 3.0 is no integer, and an empty object is valid. " +
				"security_info has the size of the configuration as it was received.",
		},
		{
			method: http.MethodPost, path: validating + "-json", id: "validateConfigurationText", module: validation, access: required, run: handle(a.validateText),
			summary:     "Check a custom configuration that is a text",
			description: "The text is what RESILIENCE_CUSTOM_CONFIG would hold. If it is no JSON, errors says where it breaks.",
		},
		{
			method: http.MethodPost, path: validating + "/field-whitelist", id: "analyzeConfigurationFields", module: validation, access: required, run: handle(a.whitelist),
			summary:     "Show what each field of a configuration may hold",
			description: "For each field whether it is allowed, what it takes and what it has. The value of a field that is not allowed is not repeated.",
		},
		{
			method: http.MethodGet, path: validating + "/security-config", id: "getValidationLimits", module: validation, access: required, run: handle(a.securityConfig),
			summary:     "Show the limits of validation",
			description: "What a configuration may hold at most, and how often an address may ask for a validation.",
		},
		{
			method: http.MethodGet, path: validating + "/rate-limit-status", id: "getValidationQuota", module: validation, access: required, run: handle(a.rateLimitStatus),
			summary:     "Show how many validations a client has left",
			description: "One quota covers all validations of an address. Asking for it uses nothing up.",
		},
	}
}
