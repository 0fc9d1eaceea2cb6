package api

import "net/http"

func (a *API) configRoutes() []route {
	return []route{
		{
			http.MethodGet, "/config", "getConfig", configuring, required, handle(a.config),
			"Show the configuration in force",
			"The numbers of operations that follow the default strategy, what every operation does, and where it comes from. " +
				"Operations that nobody has used yet are shown as they would be.",
		},
		{
			http.MethodPost, "/config/reload", "reloadConfig", configuring, required, may(handle(a.reload), http.StatusConflict),
			"Reload the configuration",
			"Without a body all sources are read anew: environment, .env file, configuration file. A preset or a custom configuration takes the " +
				"place of what the sources say until the next reload without one. It is all or nothing: after a problem the old configuration " +
				"stays. Calls under way end as they began; breakers keep their state and take the new numbers.",
		},
		{
			http.MethodGet, "/config/versions", "listConfigVersions", configuring, required, extension(may(handle(a.versions), http.StatusConflict)),
			"List the versions of the configuration",
			"The configurations that are or were in force, the newest first, with who asked for them and why. The program keeps the newest ones only.",
		},
		{
			http.MethodGet, "/config/versions/{number}/diff", "diffConfigVersions", configuring, required, extension(may(handle(a.versionDiff), http.StatusConflict)),
			"Compare two versions of the configuration",
			"Every value that is not the same in both versions, with the source that decided it. Values from other places that are the same are no difference.",
		},
		{
			http.MethodPost, "/config/versions/{number}/rollback", "rollbackConfig", configuring, required, extension(may(handle(a.rollback), http.StatusConflict)),
			"Go back to a version of the configuration",
			"The version is applied again, as a new version. The sources are not read; the next reload goes by them.",
		},
	}
}
