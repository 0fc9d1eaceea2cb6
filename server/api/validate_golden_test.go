package api_test

import (
	"strings"
	"testing"
	"testing/synctest"
)

// The requests of the specification, as it prints them.
const (
	specValidate = `{
  "configuration": {
    "retry_attempts": 3,
    "circuit_breaker_threshold": 5,
    "timeout_seconds": 30
  }
}`
	specSecure = `{
  "configuration": {
    "retry_attempts": 5,
    "circuit_breaker_threshold": 8,
    "default_strategy": "conservative"
  }
}`
	specTrouble = `{"configuration": {"retry_attempts": 15}}`
)

// TestValidationAnswers is [TestAnswersOfEveryRoute] for the module of validation.
func TestValidationAnswers(t *testing.T) {
	const (
		plain     = base + "/config/validate"
		secure    = plain + "-secure"
		text      = plain + "-json"
		whitelist = plain + "/field-whitelist"
		security  = plain + "/security-config"
		quota     = plain + "/rate-limit-status"
	)
	batch := `{"configurations": [{"retry_attempts": 3}, {"retry_attempts": 0}, {}]}`
	for name, tc := range map[string]struct {
		ask    request
		status int
	}{
		"validate of the specification":         {post(plain, specValidate), 200},
		"validate what is wrong":                {post(plain, `{"configuration": {"retry_attempts": 15, "exponential_min": 9, "exponential_max": 8, "operation_overrides": {"nothing": "critical"}}}`), 200},
		"validate a registered operation":       {post(plain, `{"configuration": {"jitter_enabled": true, "exponential_max": 30, "operation_overrides": {"good": "critical", "planned": "balanced"}}}`), 200},
		"validate nothing":                      {post(plain, `{"configuration": {}}`), 200},
		"validate a batch":                      {post(plain, batch), 200},
		"validate without a key":                {post(plain, specValidate).with("X-API-Key", ""), 401},
		"validate without a body":               {post(plain, ""), 422},
		"validate without a configuration":      {post(plain, "{}"), 422},
		"validate null":                         {post(plain, `{"configuration": null}`), 422},
		"validate an array":                     {post(plain, `{"configuration": ["hunter2"]}`), 422},
		"validate one and a batch":              {post(plain, `{"configuration": {}, "configurations": [{}]}`), 422},
		"validate an empty batch":               {post(plain, `{"configurations": []}`), 422},
		"validate a batch of 21":                {post(plain, `{"configurations": [`+strings.Repeat("{},", 20)+`{}]}`), 422},
		"validate a batch of numbers":           {post(plain, `{"configurations": [1]}`), 422},
		"validate with another member":          {post(plain, `{"configuration": {}, "password": "hunter2"}`), 422},
		"validate with a member in capitals":    {post(plain, `{"Configuration": {"retry_attempts": 3}}`), 422},
		"validate with a member twice":          {post(plain, `{"configuration": {"retry_attempts": 3}, "configuration": {}}`), 422},
		"validate broken JSON":                  {post(plain, "{\n  \"configuration\": {\"retry_attempts\": 3,}}"), 422},
		"validate half of the JSON":             {post(plain, `{"configuration": {"hunter2`), 422},
		"validate a form":                       {post(plain, "a=b").with("Content-Type", "application/x-www-form-urlencoded"), 415},
		"validate too much":                     {post(plain, strings.Repeat(" ", 1<<20+1)), 413},
		"secure of the specification":           {post(secure, specSecure), 200},
		"secure of the specification's trouble": {post(secure, specTrouble), 200},
		"secure nothing":                        {post(secure, `{"configuration": {}}`), 200},
		"secure a batch":                        {post(secure+"?client_ip=203.0.113.7", batch), 200},
		"secure hostile":                        {post(secure, `{"configuration": {"<script>": "${jndi:x}", "retry_attempts": 3.0, "default_strategy": "\u0000"}}`), 200},
		"secure too large":                      {post(secure, `{"configuration": {"default_strategy": "`+strings.Repeat("hunter2", 600)+`"}}`), 200},
		"secure without a key":                  {post(secure, specSecure).with("X-API-Key", ""), 401},
		"secure without a configuration":        {post(secure, "{}"), 422},
		"secure for an unusable name":           {post(secure+"?client_ip=a%0Ab", specSecure), 422},
		"text in the body":                      {post(text, `{"json_config": "{\"retry_attempts\": 3, \"exponential_min\": 1, \"jitter_enabled\": true}"}`), 200},
		"text in the query":                     {post(text+"?json_config=%7B%22retry_attempts%22:3%7D", ""), 200},
		"text that is no JSON":                  {post(text, `{"json_config": "{\"retry_attempts\": 3,}"}`), 200},
		"text that is empty":                    {post(text, `{"json_config": ""}`), 200},
		"text that is an array":                 {post(text, `{"json_config": "[]"}`), 200},
		"text that is missing":                  {post(text, ""), 422},
		"text in both":                          {post(text+"?json_config=%7B%7D", `{"json_config": "{}"}`), 422},
		"text that is a number":                 {post(text, `{"json_config": 3}`), 422},
		"text in capitals":                      {post(text, `{"JSON_config": "{}"}`), 422},
		"text without a key":                    {post(text, `{"json_config": "{}"}`).with("X-API-Key", ""), 401},
		"whitelist":                             {post(whitelist, `{"configuration": {"retry_attempts": 3, "exponential_min": 1.5, "jitter_enabled": true, "default_strategy": "critical", "operation_overrides": {"qa": "balanced"}}}`), 200},
		"whitelist with faults":                 {post(whitelist, `{"configuration": {"retry_attempts": "3", "password": "hunter2", "jitter_max": null, "exponential_max": [5]}}`), 200},
		"whitelist of what cannot be read":      {post(whitelist, `{"configuration": {"a": `+strings.Repeat("[", 11)+strings.Repeat("]", 11)+`}}`), 200},
		"whitelist of null":                     {post(whitelist, `{"configuration": null}`), 422},
		"whitelist of nothing":                  {post(whitelist, `{}`), 422},
		"whitelist without a key":               {post(whitelist, `{"configuration": {}}`).with("X-API-Key", ""), 401},
		"security config":                       {get(security), 200},
		"security config without a key":         {get(security).with("X-API-Key", ""), 401},
		"quota":                                 {get(quota), 200},
		"quota of a name":                       {get(quota + "?client_ip=203.0.113.7"), 200},
		"quota of an unusable name":             {get(quota + "?client_ip=" + strings.Repeat("x", 201)), 422},
		"quota without a key":                   {get(quota).with("X-API-Key", ""), 401},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				checkRow(t, newAPI(t, busy(t)), "", tc.ask, tc.status)
			})
		})
	}
}
