package api

import "net/http"

func (a *API) presetRoutes() []route {
	return []route{
		{
			http.MethodGet, "/config/presets", "listPresets", presets, required, handle(a.listPresets),
			"List the presets",
			"All presets: simple, development and production, then those that the program has registered, in that order.",
		},
		{
			http.MethodGet, "/config/presets/{preset_name}", "getPreset", presets, required, handle(a.preset),
			"Show one preset",
			"The numbers of one preset, and what operations do under it that follow its default strategy.",
		},
		{
			http.MethodGet, "/config/presets-summary", "getPresetsSummary", presets, required, handle(a.presetsSummary),
			"Show all presets",
			"What the answer about one preset has, of all of them by key.",
		},
		{
			http.MethodGet, "/config/recommend-preset/{environment}", "recommendPreset", presets, required, handle(a.recommendPreset),
			"Recommend a preset for an environment",
			"Which preset fits an environment of that name, and how sure that is. For a name that says nothing it is the preset simple; " +
				"no name is unknown.",
		},
		{
			http.MethodGet, "/config/recommend-preset-auto", "recommendPresetAuto", presets, required, handle(a.detectPreset),
			"Recommend a preset for where the program runs",
			"Looks at variables, files of the working directory and the host's name. Nothing is changed by it. " +
				"Signals has everything that hints at an environment; the strongest one decides.",
		},
	}
}
