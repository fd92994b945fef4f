package forward

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"sluice/internal/awsenv"
	"sluice/internal/batch"
	"sluice/internal/compress"
	"sluice/internal/config"
	"sluice/internal/deliver"
	"sluice/internal/destination"
	"sluice/internal/destination/datadog"
	"sluice/internal/destination/httpjson"
	"sluice/internal/park"
	"sluice/internal/queue"
	"sluice/internal/reingest"
	"sluice/internal/secret"
	"sluice/internal/tags"
)

const userAgent = "sluice/" + Version

// Compression levels where the settings give none. Denser output is worth less than the processor time it takes, and
// for gzip the second level costs hardly more than the first.
const (
	zstdLevel = 1
	gzipLevel = 2
)

// FromEnvironment makes the forwarder that the process's environment asks for. If the settings are wrong it says so once,
// and returns a forwarder that refuses every event: AWS keeps them. Settings that are kept elsewhere are read again when
// that happens, as the fault may be in the reading.
func FromEnvironment(ctx context.Context) *Forwarder {
	return fromEnvironment(ctx, config.Load, eventGCPercent)
}

// ObjectsFromEnvironment is FromEnvironment for a function that reads objects and is handed small events.
func ObjectsFromEnvironment(ctx context.Context) *Forwarder {
	return fromEnvironment(ctx, config.Load, objectGCPercent)
}

// TransformFromEnvironment is FromEnvironment for the transformation of a delivery stream, which has no destinations.
func TransformFromEnvironment(ctx context.Context) *Forwarder {
	return fromEnvironment(ctx, config.LoadTransform, eventGCPercent)
}

// loadFunc reads settings: config.Load or config.LoadTransform.
type loadFunc func(context.Context, map[string]string, config.Fetcher) (*config.Config, error)

func fromEnvironment(ctx context.Context, settings loadFunc, gcPercent int) *Forwarder {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	env := config.Environ(os.Environ())
	limitMemory(env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"])
	load := func() (*Forwarder, error) {
		f, err := load(ctx, settings, env, log)
		if err == nil && env["GOGC"] == "" {
			f.gcPercent = gcPercent
		}
		return f, err
	}
	f, err := load()
	if err == nil {
		return f
	}
	log.Error("not configured: every event is returned to AWS", "error", err.Error())
	f = Refusing(err)
	if config.IsFetched(env) {
		f.reload = load
	}
	return f
}

func load(ctx context.Context, settings loadFunc, env map[string]string, log *slog.Logger) (*Forwarder, error) {
	aws := awsenv.New(os.Getenv)
	stores := secret.NewStores(os.Getenv, aws)
	cfg, err := settings(ctx, env, config.NewDocuments(stores, aws.Config))
	if err != nil {
		return nil, err
	}
	for _, warning := range cfg.Warnings {
		log.Warn(warning)
	}
	outside := world{secrets: stores, s3: lazyClient(aws.Config), aws: aws, client: deliver.NewClient, now: time.Now, out: os.Stdout, log: log}
	return build(ctx, cfg, outside, functionOf(env))
}

// memoryShare is the part of a function's memory that the Go heap may use before it is collected harder (delivery
// contract S10).
const memoryShare = 0.85

// How much garbage there may be beside the live heap before it is collected, from the first event on: the megabyte that
// lives before is not worth collecting, which takes a third of the start. Where an event of megabytes lives, collecting often
// costs one to three hundredths of the time and keeps the peak down. Where objects are read little lives, and it would
// cost a seventh.
const (
	eventGCPercent  = 15
	objectGCPercent = 50
)

func limitMemory(megabytes string) {
	if mb, err := strconv.ParseInt(megabytes, 10, 64); err == nil && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(memoryShare * float64(mb<<20)))
	}
}

func functionOf(env map[string]string) Function {
	return Function{
		Name:    env["AWS_LAMBDA_FUNCTION_NAME"],
		Version: env["AWS_LAMBDA_FUNCTION_VERSION"],
		Region:  env["AWS_REGION"],

		LogGroup: env["AWS_LAMBDA_LOG_GROUP_NAME"],
	}
}

// world is what a forwarder has to do with the outside; tests have another one.
type world struct {
	secrets secret.Fetcher
	s3      func() (s3Client, error)
	aws     caller
	client  func(deliver.ClientOptions) (*http.Client, error)
	now     func() time.Time
	out     io.Writer // takes one line per invocation
	log     *slog.Logger
}

// caller makes signed calls to AWS.
type caller interface {
	reingest.Caller
	queue.Caller
	tags.Caller
}

// build wires a configuration. Secrets start to be fetched while the rest is set up; one that cannot be fetched now is
// asked for again when it is needed.
func build(ctx context.Context, cfg *config.Config, outside world, function Function) (*Forwarder, error) {
	b := &builder{world: outside, cfg: cfg, epoch: fingerprint(cfg)}
	rules, err := rulesOf(cfg, function)
	if err != nil {
		return nil, err
	}
	f := &Forwarder{
		rules:       rules,
		maxInflated: cfg.MaxInflatedBytes,
		function:    function,
		buckets:     cfg.Buckets,
		park:        newParking(cfg, outside.s3, b.epoch),
		transformer: transformerOf(cfg, outside.now),
		maxReceives: cfg.MaxReceives,
		tee:         cfg.Firehose.Tee,
		tags:        tagCacheOf(cfg, outside),
		out:         outside.out,
		now:         outside.now,
	}
	if cfg.Firehose.Reingest {
		f.reingest = reingest.New(outside.aws)
	}
	if cfg.ContinueQueue != "" {
		f.queue = queue.New(outside.aws, cfg.ContinueQueue)
	}
	b.park = f.park
	if f.objects, err = newObjectSource(cfg, outside.s3); err != nil {
		return nil, err
	}
	for i := range cfg.Destinations {
		lane, err := b.lane(ctx, &cfg.Destinations[i])
		if err != nil {
			return nil, fmt.Errorf("destination %s: %w", cfg.Destinations[i].ID, err)
		}
		f.lanes = append(f.lanes, lane)
	}
	return f, nil
}

// fingerprint changes when the settings do. Secrets are not in it: they print themselves redacted.
func fingerprint(cfg *config.Config) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v", *cfg))
	return hex.EncodeToString(sum[:8])
}

// builder makes lanes.
type builder struct {
	world
	cfg   *config.Config
	epoch string
	park  *parking
	roots *x509.CertPool // of all destinations; nil until one needs it
}

func (b *builder) lane(ctx context.Context, d *config.Destination) (*lane, error) {
	dest, url, err := b.destination(ctx, d)
	if err != nil {
		return nil, err
	}
	roots, err := b.trusted()
	if err != nil {
		return nil, err
	}
	client, err := b.client(deliver.ClientOptions{
		URL: url, Roots: roots, AllowPrivate: d.AllowPrivate, MaxInFlight: d.MaxInFlight,
		AttemptTimeout: d.AttemptTimeout,
	})
	if err != nil {
		return nil, err
	}
	oversize := batch.Truncate
	if d.Oversize == config.OversizeSplit {
		oversize = batch.Chunk
	}
	o := deliver.Options{MaxInFlight: d.MaxInFlight, AttemptTimeout: d.AttemptTimeout}
	if b.park != nil {
		o.Hint = sharedHint{park: b.park, destination: d.ID}
	}
	l := newLane(deliver.NewSender(dest, client, o), d.ID+"/"+b.epoch, oversize)
	l.place = park.Destination{ID: d.ID, Type: string(d.Type), Host: hostOf(url)}
	l.reshape = reshaperOf(d.Items())
	if d.Type == config.TypeDatadog && d.Datadog.Late != config.LateSend {
		l.ages = datadog.MaxAge
	}
	return l, nil
}

// trusted returns the certificates to trust: nil for the system's, else those and the bundle's.
func (b *builder) trusted() (*x509.CertPool, error) {
	if b.cfg.CABundle == "" || b.roots != nil {
		return b.roots, nil
	}
	pem, err := os.ReadFile(b.cfg.CABundle)
	if err != nil {
		return nil, fmt.Errorf("ca_bundle: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("certificates of the system: %w", err)
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca_bundle: no certificate in %s", b.cfg.CABundle)
	}
	b.roots = roots
	return roots, nil
}

// secret returns a secret that is being fetched already.
func (b *builder) secret(ctx context.Context, ref secret.Ref) *secret.Secret {
	s := secret.New(ref, b.secrets, secret.DefaultTTL)
	s.Prefetch(ctx)
	return s
}

func (b *builder) destination(ctx context.Context, d *config.Destination) (dest destination.Destination, url string, err error) {
	if d.Type == config.TypeHTTP {
		return b.http(ctx, d)
	}
	return b.datadog(ctx, d)
}

func (b *builder) datadog(ctx context.Context, d *config.Destination) (destination.Destination, string, error) {
	o := datadogItems(d.Items(), b.cfg.Redacts())
	o.ID, o.APIKey, o.UserAgent, o.Now = d.ID, b.secret(ctx, d.Datadog.APIKey), userAgent, b.now
	preferred := config.CompressionGzip
	if d.URL.IsZero() {
		site, known, err := datadog.SiteURL(d.Datadog.Site)
		if err != nil {
			return nil, "", err
		}
		if !known {
			b.log.Warn("site is not known to this version: its usual address is used", "destination", d.ID, "url", site)
		}
		o.URL, preferred = site, config.CompressionZstd
	} else {
		o.URL = datadog.IntakeURL(d.URL.Reveal())
	}
	var err error
	o.Codecs, err = codecs(d, preferred)
	return datadog.New(o), o.URL, err
}

func (b *builder) http(ctx context.Context, d *config.Destination) (destination.Destination, string, error) {
	o := httpjson.Options{
		ID: d.ID, URL: d.URL.Reveal(), Method: d.HTTP.Method, Fields: d.HTTP.Fields, UserAgent: userAgent, Now: b.now,
		Attributes: attributesOf(d.Attributes, b.cfg.Redacts()),
		Limits: destination.Limits{
			BodyBytes: d.HTTP.MaxBodyBytes, Records: d.HTTP.MaxRecords, RecordBytes: d.HTTP.MaxRecordBytes,
		},
	}
	if d.HTTP.Format == config.FormatJSONLines {
		o.Format = httpjson.JSONLines
	}
	for _, codes := range d.HTTP.SuccessCodes {
		o.SuccessCodes = append(o.SuccessCodes, httpjson.StatusRange{First: codes.First, Last: codes.Last})
	}
	for _, h := range d.HTTP.Headers {
		value := b.secret(ctx, h.Value)
		o.Headers = append(o.Headers, httpjson.Header{
			Name:    h.Name,
			Refresh: value.Refresh,
			Value: func(ctx context.Context) (string, error) {
				v, err := value.Get(ctx)
				if err != nil {
					return "", err
				}
				return v.Reveal(), nil
			},
		})
	}
	var err error
	if o.Codecs, err = codecs(d, config.CompressionGzip); err != nil {
		return nil, "", err
	}
	dest, err := httpjson.New(o)
	return dest, o.URL, err
}

// codecs returns the content coding to use, and gzip behind any other as what every intake knows.
func codecs(d *config.Destination, preferred config.Compression) ([]compress.Codec, error) {
	if d.Compression != config.CompressionAuto {
		preferred = d.Compression
	}
	if preferred == config.CompressionNone {
		return []compress.Codec{compress.Plain{}}, nil
	}
	level := func(usual int) int {
		if d.CompressionLevel != 0 {
			return d.CompressionLevel
		}
		return usual
	}
	gzip, err := compress.Gzip(level(gzipLevel))
	if err != nil || preferred == config.CompressionGzip {
		return []compress.Codec{gzip}, err
	}
	zstd, err := compress.Zstd(level(zstdLevel))
	return []compress.Codec{zstd, gzip}, err
}
