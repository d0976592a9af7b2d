// Package pagetest opens pages in a headless Chromium and says what a reader would meet: errors, requests, cut text.
package pagetest

import (
	"context"
	_ "embed"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Required is the environment variable that makes a missing browser a failure instead of a reason to skip.
const Required = "PLUMBLINE_BROWSER"

// Pictures is the environment variable with the folder where pictures of pages are kept; without it none are.
const Pictures = "PLUMBLINE_PICTURES"

// Screen is how a reader looks at a page.
type Screen struct {
	Width, Height int
	Dark          bool
	NoScripts     bool
	Print         bool // as it is printed, on paper of that width
}

// Screens are those that every page is tried on: wide and narrow, light and dark, the wide one at 200 %, and A4 between
// its margins, printed by who reads in the dark.
var Screens = []Screen{{Width: 1400, Height: 900}, {Width: 1400, Height: 900, Dark: true}, {Width: 390, Height: 844},
	{Width: 390, Height: 844, Dark: true}, {Width: 700, Height: 450}, {Width: 688, Height: 1016, Dark: true, Print: true}}

func (s Screen) String() string {
	name := fmt.Sprintf("%d", s.Width)
	if s.Dark {
		name += "-dark"
	}
	if s.Print {
		name += "-printed"
	}
	if s.NoScripts {
		name += "-without-scripts"
	}
	return name
}

// Tab is a page in the browser.
type Tab struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex
	faults   []string
	requests []string
}

// browser is the program, "" where there is none.
func browser() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// Browser is a running browser.
type Browser struct{ ctx context.Context }

// Start starts a browser that ends with the test. Without one the test is skipped, or fails where one is required; with
// -short it is skipped.
func Start(t testing.TB) *Browser {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes its time, and its goroutines are not ours")
	}
	program := browser()
	if program == "" {
		if os.Getenv(Required) != "" {
			t.Fatal("no Chromium, and " + Required + " is set")
		}
		t.Skip("no Chromium to open the page with")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox,
		chromedp.UserDataDir(t.TempDir()))
	allocated, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(allocated)
	t.Cleanup(end)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("the browser: %v", err)
	}
	return &Browser{ctx}
}

// Open loads a page: a URL, or the path of a file.
func (b *Browser) Open(t testing.TB, page string, s Screen) *Tab {
	t.Helper()
	ctx, end := chromedp.NewContext(b.ctx)
	t.Cleanup(end)
	tab := &Tab{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, tab.listen); err != nil {
		t.Fatalf("the browser: %v", err)
	}
	if !strings.Contains(page, "://") {
		path, err := filepath.Abs(page)
		if err != nil {
			t.Fatal(err)
		}
		page = (&url.URL{Scheme: "file", Path: path}).String()
	}
	scheme := "light"
	if s.Dark {
		scheme = "dark"
	}
	kind := ""
	if s.Print {
		kind = "print"
	}
	media := emulation.SetEmulatedMediaParams{Media: kind,
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	call(tab, network.Enable, network.EnableParams{})
	call(tab, runtime.Enable, cdp.Empty{})
	call(tab, log.Enable, cdp.Empty{})
	call(tab, emulation.SetEmulatedMedia, media)
	call(tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: s.NoScripts})
	tab.do(chromedp.EmulateViewport(int64(s.Width), int64(s.Height)), chromedp.Navigate(page))
	return tab
}

// patience is how long one step in the browser may take.
const patience = 30 * time.Second

func call[P, R any](tab *Tab, command cdp.Command[P, R], params P) {
	tab.t.Helper()
	ctx, stop := context.WithTimeout(tab.ctx, patience)
	defer stop()
	if _, err := chromedp.Call(ctx, command, params); err != nil {
		tab.t.Fatalf("the browser: %v", err)
	}
}

func (tab *Tab) listen(event any) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if o := e.ExceptionDetails.Exception; o != nil {
			text += " " + o.Description
		}
		tab.faults = append(tab.faults, text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" {
			for _, a := range e.Args {
				tab.faults = append(tab.faults, string(a.Value))
			}
		}
	case *log.EventEntryAdded: // what a policy forbade, what a server did not have
		if e.Entry.Level == log.EntryLevelError {
			tab.faults = append(tab.faults, e.Entry.Text+" "+e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		tab.requests = append(tab.requests, e.Request.URL)
	}
}

func (tab *Tab) do(steps ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	ctx, stop := context.WithTimeout(tab.ctx, patience)
	defer stop()
	if err := chromedp.Do(ctx, steps...); err != nil {
		tab.t.Fatalf("the browser: %v", err)
	}
}

// Run runs a script without looking at what it gives; a promise is waited for.
func (tab *Tab) Run(script string) {
	tab.t.Helper()
	tab.do(chromedp.Evaluate[chromedp.Void](script, chromedp.EvalAwaitPromise))
}

// Eval is what a script gives, as JSON has it; a promise is waited for.
func Eval[T any](tab *Tab, script string) T {
	tab.t.Helper()
	ctx, stop := context.WithTimeout(tab.ctx, patience)
	defer stop()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		tab.t.Fatalf("the browser: %v: %s", err, script)
	}
	return v
}

// Text is the text that a script gives.
func (tab *Tab) Text(script string) string {
	tab.t.Helper()
	return Eval[string](tab, script)
}

// Number is the number that a script gives.
func (tab *Tab) Number(script string) float64 {
	tab.t.Helper()
	return Eval[float64](tab, script)
}

// Click clicks on the first element that a CSS selector finds.
func (tab *Tab) Click(selector string) {
	tab.t.Helper()
	tab.do(chromedp.Click(chromedp.CSS(selector)))
}

// Press presses keys with the focus on an element.
func (tab *Tab) Press(selector, keys string) {
	tab.t.Helper()
	tab.do(chromedp.Focus(chromedp.CSS(selector)), chromedp.KeyEvent(keys))
}

// Requests are the addresses that the page asked for, its own first.
func (tab *Tab) Requests() []string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	return append([]string(nil), tab.requests...)
}

// Quiet fails the test where the page threw, warned on the console or asked for anything but itself.
func (tab *Tab) Quiet() {
	tab.t.Helper()
	tab.mu.Lock()
	defer tab.mu.Unlock()
	for _, f := range tab.faults {
		tab.t.Errorf("the console says: %s", f)
	}
	for _, r := range tab.requests[min(1, len(tab.requests)):] {
		if !strings.HasPrefix(r, "blob:") && !strings.HasPrefix(r, "data:") {
			tab.t.Errorf("the page asks for %s", r)
		}
	}
}

// fits looks for a page wider than its window, for text of drawings that is cut at their edges or runs into other text
// of the drawing, and for drawings without anything in them.
//
//go:embed fits.js
var fits string

// Fits fails the test where something of the page is cut, empty or runs into another.
func (tab *Tab) Fits() {
	tab.t.Helper()
	found := Eval[[]string](tab, fits)
	for i, f := range found {
		if i == 20 {
			tab.t.Errorf("and %d more", len(found)-i)
			break
		}
		tab.t.Error(f)
	}
}

// Picture keeps a picture of the whole page, where a folder for pictures is set.
func (tab *Tab) Picture(name string) {
	tab.t.Helper()
	folder := os.Getenv(Pictures)
	if folder == "" {
		return
	}
	png, err := chromedp.Run(tab.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		tab.t.Fatalf("the browser: %v", err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		tab.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), png, 0o644); err != nil {
		tab.t.Fatal(err)
	}
}
