package main

import (
	"context"
	"os"
	"sync"

	"github.com/trysail-go/trysail/config"
	"github.com/trysail-go/trysail/monitor"
	"github.com/trysail-go/trysail/server/api"
	"github.com/trysail-go/trysail/server/configfile"
)

// contentKey is the key of a context for the content of the configuration file that a reload is about.
type contentKey struct{}

// contentIn returns the content that the watcher has handed on. Nil: the file itself is to be read.
func contentIn(ctx context.Context) []byte {
	content, _ := ctx.Value(contentKey{}).([]byte)
	return content
}

// watch begins to watch the configuration file, if there is one.
func (srv *server) watch() error {
	file := srv.now.file.file
	if file == nil {
		return nil
	}
	watcher, err := configfile.NewWatcher(configfile.WatchConfig{
		Path: file.Name(), Hash: file.Hash(), Apply: srv.reloadContent, Alert: srv.tellOfFile,
	})
	srv.watcher = watcher
	return err
}

// reloadContent puts a content of the file in force, whole or not at all. Running requests end as they began. Only signals ask the
// watcher for it.
func (srv *server) reloadContent(content []byte, asked bool) error {
	trigger := config.TriggerFile
	if asked {
		trigger = config.TriggerSignal
	}
	return srv.reload(context.WithValue(context.Background(), contentKey{}, content), trigger)
}

// tellOfFile logs that the file is no good, and that it is good again.
func (srv *server) tellOfFile(err error) {
	if err == nil {
		srv.log.Info("the configuration file is good again")
		return
	}
	srv.log.Error("configuration file", "error", err.Error())
}

// follow reloads the configuration with each signal and each change of the file, until the function that it returns is
// called, which waits for a reload that is under way.
func (srv *server) follow(signals <-chan os.Signal) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var following sync.WaitGroup
	following.Go(func() { srv.followSignals(ctx, signals) })
	if srv.watcher != nil {
		following.Go(func() {
			if err := srv.watcher.Run(ctx); err != nil {
				srv.log.Error("watch the configuration file", "error", err.Error())
			}
		})
	}
	srv.unfollow = sync.OnceFunc(func() {
		cancel()
		following.Wait()
	})
	return srv.unfollow
}

func (srv *server) followSignals(ctx context.Context, signals <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-signals:
			if srv.watcher != nil {
				srv.watcher.Reload() // it knows whether the file is complete
				continue
			}
			_ = srv.reload(ctx, config.TriggerSignal) // a failure is logged where it is told
		}
	}
}

// reload reads the configuration anew.
func (srv *server) reload(ctx context.Context, trigger config.Trigger) error {
	result, err := srv.reloader.Reload(ctx, config.Request{Trigger: trigger})
	if err != nil {
		return err
	}
	loaded := &result.Current.Loaded
	srv.tellLoading(&config.Loaded{ShowLoading: loaded.ShowLoading, Steps: loaded.Steps, Warnings: result.Warnings})
	if !result.Changed { // else applied has recorded and told it
		api.Record(srv.monitor, monitor.Subject{}, result.Events)
		srv.tellAsBefore(result.Current.Number)
	}
	return nil
}
