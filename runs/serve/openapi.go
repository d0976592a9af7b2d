package serve

import (
	_ "embed"
	"net/http"
)

//go:embed openapi.json
var openAPIText []byte

// openAPI answers with the description of this interface, OpenAPI 3.1.
func (s *Server) openAPI(w http.ResponseWriter, _ *http.Request) error {
	w.Header()["Content-Type"] = jsonType
	w.Write(openAPIText)
	return nil
}
