package api

import "net/http"

func (a *API) configRoutes() []route {
	return []route{
		{
			method: http.MethodGet, path: "/config", id: "getConfig", module: configuring, access: required, run: handle(a.config),
			summary: "Show the configuration in force",
			description: "The numbers of operations that follow the default strategy, what every operation does, and where it comes from. " +
				"Operations that nobody has used yet are shown as they would be.",
		},
		{
			method: http.MethodPost, path: "/config/reload", id: "reloadConfig", module: configuring, access: required, run: handle(a.reload),
			further: []int{http.StatusConflict},
			summary: "Reload the configuration",
			description: "Without a body all sources are read anew: environment, .env file, configuration file. A preset or a custom configuration takes the " +
				"place of what the sources say until the next reload without one. It is all or nothing: after a problem the old configuration " +
				"stays. Calls under way end as they began; breakers keep their state and take the new numbers.",
		},
		{
			method: http.MethodGet, path: "/config/versions", id: "listConfigVersions", module: configuring, access: required, run: handle(a.versions),
			extension:   true,
			further:     []int{http.StatusConflict},
			summary:     "List the versions of the configuration",
			description: "The configurations that are or were in force, the newest first, with who asked for them and why. The program keeps the newest ones only.",
		},
		{
			method: http.MethodGet, path: "/config/versions/{number}/diff", id: "diffConfigVersions", module: configuring, access: required, run: handle(a.versionDiff),
			extension:   true,
			further:     []int{http.StatusConflict},
			summary:     "Compare two versions of the configuration",
			description: "Every value that is not the same in both versions, with the source that decided it. Values from other places that are the same are no difference.",
		},
		{
			method: http.MethodPost, path: "/config/versions/{number}/rollback", id: "rollbackConfig", module: configuring, access: required, run: handle(a.rollback),
			extension:   true,
			further:     []int{http.StatusConflict},
			summary:     "Go back to a version of the configuration",
			description: "The version is applied again, as a new version. The sources are not read; the next reload goes by them.",
		},
	}
}
