// Command internalapi is a server that is not Trysail's: it forecasts the weather at sea, with calls to a service that may fail. Beside its
// own pages it mounts the internal API, by which operators see and steer the calls.
//
//	API_KEY=sesame go run ./internalapi 127.0.0.1:8080
//	curl 'http://127.0.0.1:8080/forecast?sea=Biscay'
//	curl -H 'X-API-Key: sesame' http://127.0.0.1:8080/internal/resilience/circuit-breakers
//
// In a browser, http://127.0.0.1:8080/internal/docs shows the API.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/monitor"
	"github.com/trysail-go/trysail/server/api"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.LookupEnv, os.Stderr); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "internalapi:", err)
		os.Exit(1)
	}
}

// run serves on the address that args name, until ctx ends.
func run(ctx context.Context, args []string, lookup func(string) (string, bool), stderr io.Writer) error {
	if len(args) != 1 {
		return errors.New("want one argument, the address to listen on, such as 127.0.0.1:8080")
	}
	key, _ := lookup("API_KEY")
	keys, err := api.NewKeys(key)
	if err != nil {
		return err
	}
	if keys.Empty() {
		return errors.New("API_KEY is not set, want a key for the internal API: without one it would let everybody in")
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	s, err := newServer(config.Sources{Lookup: lookup}, keys, log)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	log.Info("listening", "url", "http://"+listener.Addr().String())
	return serve(ctx, s, listener)
}

// newServer puts the program together: one orchestrator, which the program's own handlers call and the internal API shows.
func newServer(sources config.Sources, keys api.Keys, log *slog.Logger) (*http.Server, error) {
	loaded, err := sources.Load()
	if err != nil {
		return nil, err
	}
	events, err := monitor.New(monitor.Config{})
	if err != nil {
		return nil, err
	}
	loaded.Trysail.Observer = events // what happens to calls is then under /monitoring and /events
	orc, err := trysail.New(loaded.Trysail)
	if err != nil {
		return nil, err
	}
	reloader, err := config.NewReloader(config.ReloaderConfig{
		Orchestrator: orc, Start: loaded, Read: func(context.Context) (config.Sources, error) { return sources, nil },
	})
	if err != nil {
		return nil, err
	}
	internal, err := api.New(api.Config{
		Orchestrator: orc, Reloader: reloader, Monitor: events, Keys: keys, Service: "forecasts", Version: "1.0.0", Logger: log,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /forecast", forecasts{orc.Operation("forecast")})
	mux.Handle("/internal/", internal.Handler())
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	s.RegisterOnShutdown(internal.Close) // ends event streams, for which Shutdown would wait
	return s, nil
}

// forecasts answers what the weather will be.
type forecasts struct{ operation *trysail.Operation }

// ServeHTTP implements [http.Handler].
func (f forecasts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	forecast, err := trysail.Do(r.Context(), f.operation, func(ctx context.Context) (string, error) {
		return ask(ctx, r.URL.Query().Get("sea"))
	})
	switch {
	case errors.Is(err, trysail.ErrOpen):
		http.Error(w, "no forecast: "+err.Error(), http.StatusServiceUnavailable)
	case err != nil:
		http.Error(w, "no forecast: "+err.Error(), http.StatusBadGateway)
	default:
		_, _ = fmt.Fprintln(w, forecast)
	}
}

// ask stands for a call to a service elsewhere. Its stations of the Tethys have been down for 20 million years.
func ask(_ context.Context, sea string) (string, error) {
	switch sea {
	case "":
		return "", trysail.Permanent(errors.New("no sea is named, want one such as ?sea=Biscay")) // nothing that a repetition could help
	case "Tethys":
		return "", errors.New("the service does not answer")
	default:
		return sea + ": southwest 5 to 7, rain later", nil
	}
}

// serve answers requests until ctx ends, then lets those under way finish.
func serve(ctx context.Context, s *http.Server, listener net.Listener) error {
	drained := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		drained <- s.Shutdown(grace)
	})
	defer stop()
	if err := s.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-drained
}
