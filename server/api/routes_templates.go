package api

import "net/http"

func (a *API) templateRoutes() []route {
	return []route{
		{
			http.MethodGet, "/config/templates", "listTemplates", templates, required, handle(a.listTemplates),
			"List the templates",
			"All templates by key, each with its numbers.",
		},
		{
			http.MethodGet, "/config/templates/{template_name}", "getTemplate", templates, required, handle(a.template),
			"Show one template",
			"The numbers of one template.",
		},
		{
			http.MethodPost, "/config/validate-template", "validateTemplate", templates, required, handle(a.checkTemplate),
			"Check a template with overrides",
			"Lays the overrides over the template's numbers, within operation_overrides operation by operation, and checks the whole. " +
				"Presets are good templates, too. The status is 200 also for what is not valid, and for a template that there is not.",
		},
		{
			http.MethodPost, "/config/recommend-template", "recommendTemplate", templates, required, handle(a.suggestTemplate),
			"Recommend a template for a configuration",
			"The template that comes nearest to a custom configuration, by attempts, threshold and default strategy; null when none comes near.",
		},
	}
}
