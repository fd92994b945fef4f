package object

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	defaultAttempts  = 3               // of one request; AWS_MAX_ATTEMPTS says otherwise
	maxBackoff       = 5 * time.Second // between them: three attempts wait less than 10 s in all
	dialTimeout      = 5 * time.Second
	handshakeTimeout = 5 * time.Second
	headerTimeout    = 20 * time.Second // S3 has to start its answer in this time; there is none for the whole of it
	continueTimeout  = time.Second
	keepAlive        = 30 * time.Second
	idleTimeout      = 30 * time.Second
	maxIdle          = 16
	readBufferBytes  = 32 << 10 // a larger Read goes past the buffer
	writeBufferBytes = 8 << 10
)

// NewClient returns a client of S3 that is fit for streaming. It is safe for concurrent use and for buckets of every
// region.
//
// cfg's own HTTP client is not used: it ends a request by the clock, however well the body flows. This one has HTTP/1.1
// alone (one object, one connection: a lost packet stalls nothing else), small buffers, and follows no redirect. Requests
// are retried in the SDK's standard mode, as often as cfg says: the adaptive mode would slow one object down for the
// throttling of another. options come last and may change everything.
func NewClient(cfg aws.Config, options ...func(*s3.Options)) *s3.Client {
	client := &http.Client{
		Transport:     newTransport(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return s3.NewFromConfig(cfg, append([]func(*s3.Options){func(o *s3.Options) {
		o.HTTPClient = client
		attempts := cfg.RetryMaxAttempts
		if attempts <= 0 {
			attempts = defaultAttempts // the SDK takes 0 for no bound
		}
		o.Retryer = retry.NewStandard(func(s *retry.StandardOptions) {
			s.MaxAttempts, s.MaxBackoff = attempts, maxBackoff
		})
		// See [Ref.input]: only who asks for a checksum gets it checked.
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.UseARNRegion, o.DisableMultiRegionAccessPoints = false, true
		o.UsePathStyle = o.UsePathStyle || o.BaseEndpoint != nil && hasNoSubdomains(*o.BaseEndpoint)
	}}, options...)...)
}

func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		TLSHandshakeTimeout:   handshakeTimeout,
		ResponseHeaderTimeout: headerTimeout,
		ExpectContinueTimeout: continueTimeout,
		MaxIdleConns:          maxIdle,
		MaxIdleConnsPerHost:   maxIdle,
		IdleConnTimeout:       idleTimeout,
		ReadBufferSize:        readBufferBytes,
		WriteBufferSize:       writeBufferBytes,
		DisableCompression:    true, // an object is read as it is stored
		Protocols:             protocols,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
	}
}

// hasNoSubdomains tells the endpoint of a server near by, for which no name "bucket.host" exists: an address, localhost,
// or the single word that a container is called by.
func hasNoSubdomains(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false // the SDK will say so
	}
	host := u.Hostname()
	_, err = netip.ParseAddr(host)
	return err == nil || host != "" && !strings.Contains(host, ".") || strings.HasSuffix(host, ".localhost")
}
