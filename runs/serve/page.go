package serve

import (
	"bytes"
	_ "embed"
	"net/http"

	"plumbline/runs/page"
)

//go:embed page.html
var pageBody string

//go:embed page.css
var pageStyle string

//go:embed page.js
var pageScript string

var tryKind = page.New(pageBody, pageStyle, pageScript)

// tryPage is the page to try a record by hand. It holds nothing of the models: it asks for them, with the token where
// one is wanted.
func tryPage() ([]byte, error) {
	var b bytes.Buffer
	if err := tryKind.Write(&b, page.Head{Title: "plumbline serve", Served: true}, nil, nil); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (s *Server) tryIt(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(s.page)
	return nil
}
