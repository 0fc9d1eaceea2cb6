package gateway

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestEveryRowAnswers asks everything that is measured once, so that a benchmark does not have to fail for it.
func TestEveryRowAnswers(t *testing.T) {
	provider := start(t, "provider", "")
	for _, role := range []string{"trysail", "reverse-proxy+duplex", "forwarder"} {
		t.Run(role, func(t *testing.T) {
			proxy := start(t, role, "http://"+provider.address)
			c, err := dial(proxy.address)
			if err != nil {
				t.Fatal(err)
			}
			defer c.close()
			for _, l := range []load{plain(1), streams(1), plain(1)} {
				if _, err := c.ask(request(proxy.address, l.question), l.answer, l.first); err != nil {
					t.Error(err)
				}
			}
			if size := proxy.memory(t); size < 1 || proxy.ready <= 0 {
				t.Errorf("%v MiB, ready after %v; want more than nothing", size, proxy.ready)
			}
		})
	}
}

// TestWrongAnswersFail keeps a broken proxy from looking fast.
func TestWrongAnswersFail(t *testing.T) {
	for name, answer := range map[string]string{
		"a byte is another": strings.Replace(completion, "fox", "fax", 1),
		"cut off":           completion[:len(completion)-1],
		"too long":          completion + "\n",
		"empty":             "",
	} {
		t.Run(name, func(t *testing.T) {
			if err := askOnce(t, func(w http.ResponseWriter) { _, _ = io.WriteString(w, answer) }); err == nil {
				t.Error("no error")
			}
		})
	}
	t.Run("another status", func(t *testing.T) {
		if err := askOnce(t, func(w http.ResponseWriter) { http.Error(w, "no", http.StatusTeapot) }); err == nil || !strings.Contains(err.Error(), "418") {
			t.Errorf("error %v, want one with the status", err)
		}
	})
	t.Run("the right one", func(t *testing.T) {
		if err := askOnce(t, func(w http.ResponseWriter) { _, _ = fmt.Fprint(w, completion) }); err != nil {
			t.Error(err)
		}
	})
}

func askOnce(t *testing.T, answer func(http.ResponseWriter)) error {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		answer(w)
	}))
	defer s.Close()
	address := strings.TrimPrefix(s.URL, "http://")
	c, err := dial(address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	_, err = c.ask(request(address, question), completion, len(completion))
	return err
}

func TestStreamIsAsSaid(t *testing.T) {
	if n := len(events()); n != 100 {
		t.Errorf("%d events, want 100", n)
	}
	for name, text := range map[string]string{"question": question, "stream question": streamQuestion, "completion": completion} {
		if len(text) < 900 || len(text) > 1300 {
			t.Errorf("the %s has %d bytes, want about 1 kB", name, len(text))
		}
	}
}
