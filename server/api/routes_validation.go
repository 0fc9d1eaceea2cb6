package api

import "net/http"

func (a *API) validationRoutes() []route {
	return []route{
		{
			http.MethodPost, validating, "validateConfiguration", validation, required, handle(a.validate),
			"Check a custom configuration",
			"Fields, types, ranges, and whether the fields go together. The status is 200 for an invalid configuration, " +
				"too: errors says what is wrong. A batch in configurations has one answer for each, in their order.",
		},
		{
			http.MethodPost, validating + "-secure", "validateConfigurationSecurely", validation, required, handle(a.validateSecure),
			"Check a custom configuration for security, too",
			"As validate, with the rules of the security pass in its words: 3.0 is no integer, and an empty object is valid. " +
				"security_info has the size of the configuration as it was received.",
		},
		{
			http.MethodPost, validating + "-json", "validateConfigurationText", validation, required, handle(a.validateText),
			"Check a custom configuration that is a text",
			"The text is what RESILIENCE_CUSTOM_CONFIG would hold. If it is no JSON, errors says where it breaks.",
		},
		{
			http.MethodPost, validating + "/field-whitelist", "analyzeConfigurationFields", validation, required, handle(a.whitelist),
			"Show what each field of a configuration may hold",
			"For each field whether it is allowed, what it takes and what it has. The value of a field that is not allowed is not repeated.",
		},
		{
			http.MethodGet, validating + "/security-config", "getValidationLimits", validation, required, handle(a.securityConfig),
			"Show the limits of validation",
			"What a configuration may hold at most, and how often an address may ask for a validation.",
		},
		{
			http.MethodGet, validating + "/rate-limit-status", "getValidationQuota", validation, required, handle(a.rateLimitStatus),
			"Show how many validations a client has left",
			"One quota covers all validations of an address. Asking for it uses nothing up.",
		},
	}
}
