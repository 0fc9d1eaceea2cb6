package api

// A Route is a row of the API's table of contents, as its OpenAPI document has it.
type Route struct {
	Method    string `json:"method"`
	Path      string `json:"path"`      // the whole path; names in braces stand for what a caller puts there
	Module    string `json:"module"`    // what the document groups it under
	Access    string `json:"access"`    // the key that a server with keys asks for: "none", "read-only" or "admin"
	Summary   string `json:"summary"`   // a sentence without a full stop
	Extension bool   `json:"extension"` // it is not one of the specification's 38
}

// Base is the path that the paths of all routes begin with.
const Base = base

// The values of [Route.Access]. A wrong key is refused also where none is needed.
const (
	AccessNone     = "none"
	AccessReadOnly = "read-only" // a key that may only read will do
	AccessAdmin    = "admin"
)

// noGateway stands for any.
type noGateway struct{ Gateway }

// Routes returns what the API serves where there is a gateway, module by module.
func Routes() []Route {
	rows := (&API{gateway: noGateway{}}).routes() // what they run is not called
	routes := make([]Route, len(rows))
	for i, r := range rows {
		routes[i] = Route{Method: r.method, Path: base + r.path, Module: r.module, Access: r.needs(), Summary: r.summary, Extension: r.extension}
	}
	return routes
}

func (r route) needs() string {
	switch g := r.guard(); {
	case g.access == optional:
		return AccessNone
	case g.reads:
		return AccessReadOnly
	default:
		return AccessAdmin
	}
}
