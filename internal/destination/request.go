package destination

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
)

// NewRequest makes the request that carries body, with the headers that every intake gets: Content-Length,
// Content-Encoding unless the body is plain, and the batch's id as Idempotency-Key and X-Forwarder-Batch (delivery
// contract 2.6).
//
// A client sends the request at most once. net/http would repeat one that has an Idempotency-Key, and follow a 307 or
// 308 with it, if it could rewind the body; deliver counts attempts and must be the only one to make them. So GetBody
// is nil.
//
// The request reads body.Bytes until its Body is closed, which a transport may do after the answer has come.
func NewRequest(ctx context.Context, method, url string, body Body) (*http.Request, error) {
	// A bare *bytes.Reader would be recognised, and given a GetBody.
	req, err := http.NewRequestWithContext(ctx, method, url, io.NopCloser(bytes.NewReader(body.Bytes)))
	if err != nil {
		// The cause quotes the URL, which may hold a token.
		return nil, errors.New("make the request: method or url is not valid; check the url of the destination")
	}
	req.ContentLength = int64(len(body.Bytes))
	if encoding := body.Codec.Encoding(); encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	req.Header.Set("Idempotency-Key", body.BatchID)
	req.Header.Set("X-Forwarder-Batch", body.BatchID)
	return req, nil
}
