package intake

import (
	"net"
	"net/http"
	"time"
)

// fail ends a request without an answer.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, req *Request, fault Fault) {
	switch fault {
	case NoFault, ResetBeforeBody: // serve has dealt with them
	case ResetAfterBody:
		s.note(req, "reset after the body was read")
		cut(w, true)
	case CloseWithoutAnswer:
		s.note(req, "closed without an answer")
		cut(w, false)
	case Hang:
		s.note(req, "left without an answer")
		select {
		case <-s.released:
		case <-r.Context().Done():
		}
		cut(w, false)
	}
}

func (s *Server) note(req *Request, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	req.Reason = reason
}

// cut ends the connection without an answer: by RST when reset, else by FIN.
func cut(w http.ResponseWriter, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
	conn.Close()
}

// pause waits, and says whether the client is still there.
func pause(r *http.Request, d time.Duration, released <-chan struct{}) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-released:
		return true
	case <-r.Context().Done():
		return false
	}
}
