package api

import (
	"maps"
	"net/http"
	"reflect" //nolint:depguard // huma names and finds schemas by reflect.Type
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Names of shared parts of the OpenAPI document.
const (
	schemasPath   = "#/components/schemas/"
	responsesPath = "#/components/responses/"
	requestHeader = "X-Request-ID"
	bearer        = "bearer"
	headerKey     = "apiKey"
	extensionMark = "x-trysail-extension" // of operations that the specification does not have
)

// humaConfig leaves out what huma would add by itself: a page of documentation that
// loads scripts from a CDN, $schema in every answer, and routes for the document.
func (a *API) humaConfig() huma.Config {
	registry := huma.NewMapRegistry(schemasPath, func(t reflect.Type, hint string) string {
		return strings.TrimSuffix(huma.DefaultSchemaNamer(t, hint), "View")
	})
	registry.Schema(typeOf[Problem](), true, "")
	cfg := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:   "Trysail internal API",
				Version: a.version,
				License: &huma.License{Name: "Apache 2.0", Identifier: "Apache-2.0"},
				Description: "Shows and controls the operations and circuit breakers of one trysail program. " +
					"Every error is an RFC 9457 problem. A server without configured keys asks for none.",
			},
			Servers: []*huma.Server{{URL: "/", Description: "This server"}},
			Tags: []*huma.Tag{
				{Name: health, Description: "Whether calls get through, and how many do."},
				{Name: configuring, Description: "What is in force, and how it is changed while calls run."},
				{Name: presets, Description: "Complete sets of numbers under one name, and which of them fits where."},
				{Name: templates, Description: "Custom configurations to begin with."},
				{Name: validation, Description: "Checks of custom configurations before they are used."},
				{Name: breakers, Description: "What stops calls to a dependency that keeps failing."},
				{Name: monitoring, Description: "How configurations are used, and what somebody should look at."},
				{Name: auditing, Description: "Who changed what."},
				{Name: performance, Description: "What configurations and the engine cost."},
			},
			Components: &huma.Components{
				Schemas:         registry,
				Responses:       map[string]*huma.Response{},
				Parameters:      commonParams(),
				Headers:         map[string]*huma.Header{requestHeader: requestIDHeader()},
				SecuritySchemes: securitySchemes(),
			},
		},
		Formats:       map[string]huma.Format{"application/json": format(), "json": format()},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{complete(registry)},
	}
	if a.gateway != nil {
		cfg.Tags = append(cfg.Tags, &huma.Tag{Name: gateways, Description: "Where requests go, how that stands, and what was used."})
	}
	return cfg
}

func securitySchemes() map[string]*huma.SecurityScheme {
	return map[string]*huma.SecurityScheme{
		bearer:    {Type: "http", Scheme: "bearer", Description: "Authorization: Bearer <key>. It is looked at first."},
		headerKey: {Type: "apiKey", In: "header", Name: "X-API-Key", Description: "For clients that cannot send a bearer token."},
	}
}

func requestIDSchema() *huma.Schema {
	one, most := 1, 128
	return &huma.Schema{Type: huma.TypeString, MinLength: &one, MaxLength: &most, Pattern: "^[!-~]+$"}
}

// commonParams are the headers that every operation understands.
func commonParams() map[string]*huma.Param {
	one, most := 1, maxTag
	return map[string]*huma.Param{
		requestHeader: {
			Name: requestHeader, In: "header", Schema: requestIDSchema(),
			Description: "A name for this request in answers and logs: 1 to 128 visible ASCII characters. " +
				"Without a usable one the server makes one.",
		},
		sessionHeader: {
			Name: sessionHeader, In: "header",
			Schema:      &huma.Schema{Type: huma.TypeString, MinLength: &one, MaxLength: &most, Pattern: "^[!-~]+$", Examples: []any{"batch-17"}},
			Description: "The session that what this request records belongs to; see /monitoring/session/{session_id}.",
		},
		userHeader: {
			Name: userHeader, In: "header",
			Schema:      &huma.Schema{Type: huma.TypeString, MinLength: &one, MaxLength: &most, Pattern: `^[^\x00-\x1f\x7f]+$`},
			Description: "Whose work this request is, for people: printable characters in UTF-8.",
		},
	}
}

func commonParamRefs() []*huma.Param {
	refs := []*huma.Param{}
	for _, name := range slices.Sorted(maps.Keys(commonParams())) {
		refs = append(refs, &huma.Param{Ref: "#/components/parameters/" + name})
	}
	return refs
}

func requestIDHeader() *huma.Header {
	return &huma.Header{Schema: requestIDSchema(), Description: "The name of this request: the client's, or one that the server made."}
}

// operation is the row as huma wants it.
func (r route) operation() huma.Operation {
	security := []map[string][]string{{bearer: {}}, {headerKey: {}}}
	if r.access == optional {
		security = append(security, map[string][]string{}) // nothing at all is fine too
	}
	op := huma.Operation{
		Method: r.method, Path: base + r.path, OperationID: r.id,
		Tags: []string{r.module}, Summary: r.summary, Description: r.description,
		Security:     security,
		Metadata:     map[string]any{guardKey: r.guard()},
		Parameters:   commonParamRefs(),
		MaxBodyBytes: maxBody + 1, // huma refuses what reaches the limit
		Responses: map[string]*huma.Response{
			"200": {Headers: requestIDHeaders()},
		},
	}
	if r.extension {
		op.Extensions = map[string]any{extensionMark: true}
	}
	for _, status := range r.problems() {
		op.Responses[strconv.Itoa(status)] = problemRef(status)
	}
	return op
}

func problemRef(status int) *huma.Response {
	return &huma.Response{Ref: responsesPath + responseName(status)}
}

// problems are the statuses that a route may answer besides its good one.
func (r route) problems() []int {
	statuses := []int{
		http.StatusUnauthorized, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity,
		http.StatusTooManyRequests, http.StatusInternalServerError,
	}
	if !r.guard().reads {
		statuses = append(statuses, http.StatusForbidden, http.StatusServiceUnavailable)
	}
	if strings.Contains(r.path, "{") && !r.anyName {
		statuses = append(statuses, http.StatusNotFound)
	}
	statuses = append(statuses, r.further...)
	if r.method == http.MethodPost {
		statuses = append(statuses, http.StatusBadRequest, http.StatusRequestTimeout, http.StatusUnsupportedMediaType)
	}
	return statuses
}

// describe adds to the document what the routes share.
func describe(doc *huma.OpenAPI, problems map[int]bool) {
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post} {
			if op != nil && op.RequestBody != nil {
				allowNull(doc.Components.Schemas, op.RequestBody)
			}
		}
	}
	schema := &huma.Schema{Ref: schemasPath + "Problem"}
	for status := range problems {
		response := &huma.Response{
			Description: http.StatusText(status),
			Headers:     requestIDHeaders(),
			Content:     map[string]*huma.MediaType{problemType: {Schema: schema}},
		}
		if status == http.StatusUnauthorized {
			response.Headers["WWW-Authenticate"] = &huma.Header{Schema: &huma.Schema{Type: huma.TypeString}, Description: "Bearer"}
		}
		if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
			response.Headers["Retry-After"] = &huma.Header{Schema: &huma.Schema{Type: huma.TypeInteger}, Description: "Seconds."}
		}
		doc.Components.Responses[responseName(status)] = response
	}
}

// allowNull says of members of a body that may be missing that they may be null, too: huma takes one for the other, and clients
// that are generated send null for what is not set. Bodies that huma does not decode have no name in the document.
func allowNull(schemas huma.Registry, body *huma.RequestBody) {
	for _, media := range body.Content {
		if media.Schema == nil || media.Schema.Ref == "" {
			continue
		}
		schema := schemas.SchemaFromRef(media.Schema.Ref)
		for name, member := range schema.Properties {
			if member.Ref == "" && !slices.Contains(schema.Required, name) {
				member.Nullable = true
			}
		}
	}
}

// asWritten are keywords of a schema that are for readers of the document only: what they say is checked by the operation itself,
// whose words are better than huma's.
type asWritten = map[string]any

func requestIDHeaders() map[string]*huma.Header {
	return map[string]*huma.Header{requestHeader: {Ref: "#/components/headers/" + requestHeader}}
}

// responseName is the name of a shared answer, such as "NotFound".
func responseName(status int) string {
	return strings.ReplaceAll(http.StatusText(status), " ", "")
}

// maxName bounds the characters of a name in a path or a query.
const maxName = 200

// A pathName is a path parameter that names something: 1 to 200 characters, none of
// them a control character. huma decodes it, and %2e%2e%2f with it.
type pathName string

// Schema implements [huma.SchemaProvider].
func (pathName) Schema(huma.Registry) *huma.Schema {
	one, most := 1, maxName
	return &huma.Schema{
		Type: huma.TypeString, MinLength: &one, MaxLength: &most,
		Pattern: withoutControls, // PatternDescription would end up in the document, where it is no keyword
	}
}

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }
