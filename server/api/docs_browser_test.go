package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/trysail-go/trysail"
)

// A browser is a real Chromium with one page.
type browser struct {
	context.Context

	mu       sync.Mutex
	requests []string // URLs of what the page asked for
	troubles []string // what Chromium or the page complains of, violations of a content security policy among it
}

// openBrowser starts Chromium, which goes with the test. Nothing that it does by itself leaves the machine.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("%v; scripts/test-needs.sh installs it", err)
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 1000),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-background-networking", true),
	)
	ctx, end := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(end)
	ctx, end = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(end)
	ctx, end = chromedp.NewContext(ctx)
	t.Cleanup(end)
	b := &browser{Context: ctx}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return b
}

func (b *browser) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	case *log.EventEntryAdded:
		b.troubles = append(b.troubles, fmt.Sprintf("%s: %s", e.Entry.Source, e.Entry.Text))
	case *runtime.EventExceptionThrown:
		b.troubles = append(b.troubles, fmt.Sprintf("exception: %+v", e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" {
			b.troubles = append(b.troubles, fmt.Sprintf("console.%s", e.Type))
		}
	}
}

// heard returns the requests that went to another server than home, and what there was to complain of.
func (b *browser) heard(home string) (elsewhere, troubles []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, url := range b.requests {
		if !strings.HasPrefix(url, home+"/") && !strings.HasPrefix(url, "data:") {
			elsewhere = append(elsewhere, url)
		}
	}
	return elsewhere, slices.Clone(b.troubles)
}

// forget drops what was heard.
func (b *browser) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.requests, b.troubles = nil, nil
}

// do takes steps on the page.
func (b *browser) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b, steps...); err != nil {
		elsewhere, troubles := b.heard("")
		t.Fatalf("%v; requests %q, troubles %q", err, elsewhere, troubles)
	}
}

func evaluate[T any](t *testing.T, b *browser, expression string) T {
	t.Helper()
	value, err := chromedp.Run(b, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// tryOut has an operation of the module of circuit breakers executed, and wants status 200 and some texts on the page.
func (b *browser) tryOut(t *testing.T, id string, parameters map[string]string, texts ...string) {
	t.Helper()
	at := "#operations-circuit_breakers-" + id + " "
	b.do(t, chromedp.Click(chromedp.CSS(at+".opblock-summary-control")), chromedp.Click(chromedp.CSS(at+".try-out__btn")))
	for name, value := range parameters {
		b.do(t, chromedp.SendKeys(chromedp.CSS(at+`tr[data-param-name="`+name+`"] input`), value))
	}
	b.do(t, chromedp.Click(chromedp.CSS(at+".execute")), chromedp.WaitVisible(chromedp.CSS(at+".live-responses-table")))
	status := evaluate[string](t, b, `document.querySelector("`+at+`.live-responses-table tbody .response-col_status").textContent.trim()`)
	answer := evaluate[string](t, b, `document.querySelector("`+at+`.live-responses-table").textContent`)
	if !strings.HasPrefix(status, "200") {
		t.Errorf("%s: status %s: %.500s", id, status, answer)
	}
	for _, text := range texts {
		if !strings.Contains(answer, text) {
			t.Errorf("%s: the page does not show %s: %.500s", id, text, answer)
		}
	}
}

// TestDocumentationInABrowser looks at the page as people do.
func TestDocumentationInABrowser(t *testing.T) {
	b := openBrowser(t)
	t.Run("it shows every operation, and they can be tried out with a key", b.checkPage)
	t.Run("what the page must not do is noticed", b.checkNotice)
}

func (b *browser) checkPage(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{})
	orc.Operation("summarize")
	a := newAPI(t, orc)
	server := httptest.NewServer(a.Handler())
	defer server.Close()
	b.do(t, chromedp.Navigate(server.URL+"/internal/docs"), chromedp.WaitVisible(chromedp.CSS(".opblock")))
	shown := evaluate[[]string](t, b, `[...document.querySelectorAll(".opblock-summary")].map(e =>
		e.querySelector(".opblock-summary-method").textContent + " " + e.querySelector("[data-path]").dataset.path)`)
	want := []string{}
	for _, row := range a.Rows() {
		want = append(want, row.Method+" "+row.Path)
	}
	slices.Sort(shown)
	slices.Sort(want)
	if !slices.Equal(shown, want) {
		t.Errorf("operations on the page: %q, want %q", shown, want)
	}

	b.do(t, // give a key
		chromedp.Click(chromedp.CSS(".auth-wrapper > button.authorize")),
		chromedp.SendKeys(chromedp.CSS("#api_key_value"), key),
		chromedp.Click(chromedp.CSS(".auth-container:has(#api_key_value) button.authorize")),
		chromedp.Click(chromedp.CSS("button.btn-done")),
	)
	b.tryOut(t, "listCircuitBreakers", nil, `"summarize"`, `"total_count": 1`)
	b.tryOut(t, "resetCircuitBreaker", map[string]string{"breaker_name": "summarize"}, "summarize", `"new_state": "closed"`)
	if elsewhere, troubles := b.heard(server.URL); len(elsewhere) > 0 || len(troubles) > 0 {
		t.Errorf("requests to other servers %q, want none; complaints %q, want none", elsewhere, troubles)
	}
}

// checkNotice shows that checkPage would have noticed.
func (b *browser) checkNotice(t *testing.T) {
	b.forget()
	policy := send(newAPI(t, newOrchestrator(t, trysail.Config{})), get("/internal/docs")).Header().Get("Content-Security-Policy")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if r.URL.Path == "/bare" {
			_, _ = fmt.Fprint(w, `<link rel="icon" href="data:,"><img src="http://127.0.0.1:1/elsewhere.png">`)
			return
		}
		w.Header().Set("Content-Security-Policy", policy)
		_, _ = fmt.Fprint(w, `<link rel="icon" href="data:,"><script>document.title = "run"</script><p style="color: red">`)
	}))
	defer server.Close()
	b.do(t, chromedp.Navigate(server.URL+"/strict"))
	if title := evaluate[string](t, b, "document.title"); title != "" {
		t.Errorf("an inline script ran: the title is %q", title)
	}
	if _, troubles := b.heard(server.URL); len(troubles) != 2 {
		t.Errorf("complaints %q, want one of the script and one of the style", troubles)
	}
	b.do(t, chromedp.Navigate(server.URL+"/bare"))
	if elsewhere, _ := b.heard(server.URL); len(elsewhere) != 1 {
		t.Errorf("requests to other servers %q, want that of the picture", elsewhere)
	}
}
