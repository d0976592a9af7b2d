package command

import (
	"strings"

	"plumbline/cmd/terminal"
)

// Wrap breaks text into lines of at most width columns, each after indent.
func Wrap(text, indent string, width int) string {
	var b strings.Builder
	line := indent
	for _, w := range strings.Fields(text) {
		if len(line)+1+len(w) > width && line != indent {
			b.WriteString(line + "\n")
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += w
	}
	return b.String() + line + "\n"
}

// Progress shows on the moving line what a run does.
func (a *App) Progress() *terminal.Progress { return terminal.NewProgress(a.Terminal, a.Quiet) }
