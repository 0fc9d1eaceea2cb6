package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"strings"

	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/server/api"
	"github.com/trysail-go/trysail/server/gateway"
)

// checkAccess refuses to serve others without a key, which would give them the
// provider's credit and the internal API. Keys of clients, under gateway.keys of the file, protect the gateway alone.
func (s *serveCmd) checkAccess(keys api.Keys, clients bool, env config.Environment, log *slog.Logger) error {
	if !keys.Empty() {
		return nil
	}
	too := ""
	if clients {
		too = "; gateway.keys open the gateway, and the internal API needs a key of its own"
	}
	if env.Guarded() {
		return fmt.Errorf("this is a %s environment (%s) and no API key is set: set API_KEY%s", env.Name, env.Source, too)
	}
	if !loopbackAddress(s.Addr) {
		return fmt.Errorf("address %s can be reached from other machines and no API key is set: set API_KEY, or listen on 127.0.0.1%s", s.Addr, too)
	}
	if clients {
		log.Warn("no API key is set: every program on this machine may use the internal API (set API_KEY to change that)")
		return nil
	}
	log.Warn("no API key is set: every program on this machine may use the gateway and the internal API (set API_KEY to change that)")
	return nil
}

// gatewayAccess returns who may use the gateway without a key of a client: every program of this machine,
// or, where others can reach it, those that have a key of the server.
func gatewayAccess(keys api.Keys, required bool) func(*http.Request) gateway.Access {
	return func(r *http.Request) gateway.Access {
		found := keys.Check(r)
		switch known := !keys.Empty() && (found == api.Granted || found == api.ReadOnly); {
		case known && found == api.Granted:
			return gateway.Access{Trusted: true}
		case !required && !known && local(r) != nil: // onlyLocal has refused it, unless the last key of a client has just gone
			return gateway.Access{Denied: "API key required: send one of this gateway's keys where your SDK puts its key. Without one only " +
				"requests for localhost or 127.0.0.1 are answered, and none from web pages of other hosts."}
		case !required:
			return gateway.Access{}
		case found == api.ReadOnly:
			return gateway.Access{Denied: "This API key may only read the internal API: calls of the gateway need one that may do more."}
		case found == api.Missing:
			return gateway.Access{Denied: "API key required: send one of this gateway's keys as Authorization: Bearer <key>, or where your SDK puts its key."}
		default:
			return gateway.Access{Denied: "Invalid API key: send one of this gateway's keys as Authorization: Bearer <key>."}
		}
	}
}

// routes returns the handler of everything that the program serves.
func routes(internal, gw http.Handler) http.Handler {
	mux := http.NewServeMux()
	for prefix, handler := range map[string]http.Handler{"/internal": internal, "/v1": gw, "/v1beta": gw} {
		mux.Handle(prefix, handler) // ServeMux would redirect it to the path with a slash
		mux.Handle(prefix+"/", handler)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		api.WriteProblem(w, r, api.Problem{
			Status: http.StatusNotFound,
			Detail: "There is nothing here. The gateway is under /v1/ and /v1beta/, the internal API is described at " +
				"/internal/docs for people and at /internal/openapi.json for programs.",
		})
	})
	return mux
}

// noRedirects answers a path that is not written in the shortest way, such as /v1/./models, with 404. ServeMux would send the client
// elsewhere, and a redirect is no answer to a program.
func noRedirects(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := r.URL.EscapedPath()
		if clean := path.Clean(p); clean != p && clean+"/" != p {
			api.WriteProblem(w, r, api.Problem{
				Status: http.StatusNotFound,
				Detail: "There is nothing at this path: it has a //, a /./ or a /../ in it. Write it without.",
			})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// onlyLocal refuses requests that name another host than this machine, unless they carry a key.
// Without one the loopback address is the only protection, and a web page could get around it by
// letting its own name point here (DNS rebinding). keyed tells whether the gateway has keys of clients just now, or is nil if it never has: then it looks at
// them itself, and answers in the way of its protocols.
//
// The key is looked at first, because a good one makes the host not matter, whatever its owner calls this machine. So this is a place
// where keys can be tried, on the paths of the gateway too, and it comes before the handlers: a wrong one must count here, or guesses under
// another host's name would meet no limit and no log. What is refused for its host is answered so even when its key is
// wrong: on the gateway's paths that may be a provider's, which is no mistake, and the host is what has to change.
func onlyLocal(next http.Handler, keys api.Keys, keyed func() bool, refuseKey func(http.ResponseWriter, *http.Request, api.Problem)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found := keys.Check(r)
		known := !keys.Empty() && (found == api.Granted || found == api.ReadOnly)
		if keyed != nil && onGateway(r.URL.Path) && keyed() {
			known = true
		}
		err := local(r)
		if err == nil || known {
			next.ServeHTTP(w, r)
			return
		}
		refused := api.Problem{Status: http.StatusForbidden, Detail: err.Error()}
		if found == api.Wrong {
			refuseKey(w, r, refused)
			return
		}
		api.WriteProblem(w, r, refused)
	})
}

// onGateway reports whether a path leads to the gateway, as in routes.
func onGateway(path string) bool {
	for _, prefix := range []string{"/v1", "/v1beta"} {
		if rest, ok := strings.CutPrefix(path, prefix); ok && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}

func local(r *http.Request) error {
	origin := r.Header.Get("Origin")
	switch {
	case !loopbackHost(strings.ToLower(r.Host)):
		return errors.New("without a key this server answers only requests for localhost or 127.0.0.1 (Host header)")
	case origin != "" && !loopbackOrigin(strings.ToLower(origin)):
		return errors.New("without a key this server answers no requests from web pages of other hosts (Origin header)")
	default:
		return nil
	}
}
