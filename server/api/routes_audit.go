package api

import "net/http"

func (a *API) auditRoutes() []route {
	return []route{
		{
			method: http.MethodGet, path: "/audit-log", id: "listAuditLog", module: auditing, access: required, run: handle(a.auditLog),
			extension: true,
			summary:   "Say who changed what",
			description: "Every change that was made through this API, by a signal or by a changed file: who, what, when, before and after. " +
				"What was refused, failed or was only tried changed nothing and is not in it. A key that may only read may read it, too.",
		},
	}
}
