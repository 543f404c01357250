package sandbox

import "net/http"

func (s *Server) graphRoutes(mux *http.ServeMux) {}
func (s *Server) pageRoutes(mux *http.ServeMux)  {}
func (s *Server) armRoutes(mux *http.ServeMux)   {}
