package api

import "net/http"

func (a *API) presetRoutes() []route {
	return []route{
		{
			method: http.MethodGet, path: "/config/presets", id: "listPresets", module: presets, access: required, run: handle(a.listPresets),
			summary:     "List the presets",
			description: "All presets: simple, development and production, then those that the program has registered, in that order.",
		},
		{
			method: http.MethodGet, path: "/config/presets/{preset_name}", id: "getPreset", module: presets, access: required, run: handle(a.preset),
			summary:     "Show one preset",
			description: "The numbers of one preset, and what operations do under it that follow its default strategy.",
		},
		{
			method: http.MethodGet, path: "/config/presets-summary", id: "getPresetsSummary", module: presets, access: required, run: handle(a.presetsSummary),
			summary:     "Show all presets",
			description: "What the answer about one preset has, of all of them by key.",
		},
		{
			method: http.MethodGet, path: "/config/recommend-preset/{environment}", id: "recommendPreset", module: presets, access: required, run: handle(a.recommendPreset),
			anyName: true,
			summary: "Recommend a preset for an environment",
			description: "Which preset fits an environment of that name, and how sure that is. For a name that says nothing it is the preset simple; " +
				"no name is unknown.",
		},
		{
			method: http.MethodGet, path: "/config/recommend-preset-auto", id: "recommendPresetAuto", module: presets, access: required, run: handle(a.detectPreset),
			summary: "Recommend a preset for where the program runs",
			description: "Looks at variables, files of the working directory and the host's name. Nothing is changed by it. " +
				"Signals has everything that hints at an environment; the strongest one decides.",
		},
	}
}
