package api

import "net/http"

func (a *API) templateRoutes() []route {
	return []route{
		{
			method: http.MethodGet, path: "/config/templates", id: "listTemplates", module: templates, access: required, run: handle(a.listTemplates),
			summary:     "List the templates",
			description: "All templates by key, each with its numbers.",
		},
		{
			method: http.MethodGet, path: "/config/templates/{template_name}", id: "getTemplate", module: templates, access: required, run: handle(a.template),
			summary:     "Show one template",
			description: "The numbers of one template.",
		},
		{
			method: http.MethodPost, path: "/config/validate-template", id: "validateTemplate", module: templates, access: required, run: handle(a.checkTemplate),
			summary: "Check a template with overrides",
			description: "Lays the overrides over the template's numbers, within operation_overrides operation by operation, and checks the whole. " +
				"Presets are good templates, too. The status is 200 also for what is not valid, and for a template that there is not.",
		},
		{
			method: http.MethodPost, path: "/config/recommend-template", id: "recommendTemplate", module: templates, access: required, run: handle(a.suggestTemplate),
			summary:     "Recommend a template for a configuration",
			description: "The template that comes nearest to a custom configuration, by attempts, threshold and default strategy; null when none comes near.",
		},
	}
}
