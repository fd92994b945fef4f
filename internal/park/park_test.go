package park

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// putter takes or refuses one object after another; past its errors it takes.
type putter struct {
	errs  []error
	asked []*s3.PutObjectInput
	body  []byte
}

func (p *putter) PutObject(_ context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, err
	}
	p.body = body
	p.asked = append(p.asked, in)
	if n := len(p.asked); n <= len(p.errs) && p.errs[n-1] != nil {
		return nil, p.errs[n-1]
	}
	return &s3.PutObjectOutput{}, nil
}

// GetObject finds nothing.
func (p *putter) GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	return nil, refusal(http.StatusNotFound, "NoSuchKey")
}

func refusal(status int, code string) error {
	return &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}},
		Err:      &smithy.GenericAPIError{Code: code, Message: "no"},
	}
}

var failedAt = time.Date(2026, 7, 1, 23, 59, 59, 123_456_789, time.FixedZone("", 2*60*60))

// tail is the rest of an object whose gzip is broken.
func tail() Pointer {
	return Pointer{
		Destination: Destination{ID: "dd-main", Type: "datadog", Host: "http-intake.logs.datadoghq.eu"},
		Reason:      Reason{Code: "decode_gzip", Class: "permanent", Message: "gunzip at byte 70000: checksum is wrong"},
		FirstFailed: failedAt,
		LastFailed:  failedAt.Add(90 * time.Second),
		Source: Source{
			Entry: EntryS3, Owner: "111122223333", Region: "eu-west-1", Bucket: "example-logs", Key: "AWSLogs/a b&<ü>.gz",
			VersionID: "3HL4kqtJvjVBH40Nrjfkd", ETag: "9bb58f26192e4ba00f01e2e7b136bbd8", Sequencer: "0055AED6DCD90281E5", SizeBytes: 1048576,
			ByteRange: &Range{65536, ToEnd},
		},
		RequestID: "8476a536-e9f4-11e8-9739-2dfe598c3fcd", Forwarder: "1.2.0", ConfigSHA: "2c26b46b68ffc68f",
	}
}

func TestPut(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*Pointer)
		golden string
		key    string
		put    func(*Store, Pointer) (string, error)
	}{
		"the tail of an object is dead": {
			change: func(*Pointer) {}, golden: "dead.json",
			key: "sluice/v1/dead/dd-main/decode_gzip/2026/07/01/INN7DNXZ6BCHCE6LZ4235HGNOI.a01.jsonl.gz",
			put: func(s *Store, p Pointer) (string, error) { return s.PutDead(context.Background(), p) },
		},
		"a whole object is pending": {
			change: func(p *Pointer) {
				p.Source.ByteRange = nil
				p.Attempt, p.BatchID, p.Count = 3, "MZXW6YTBOI2DKNRXHA4TAMJSGM.0.1", 812
				p.Reason = Reason{
					Code: "http_503", Class: "retriable", HTTPStatus: 503, RetryAfterSeconds: 30,
					Message: `post "https://user:canary@http-intake.logs.datadoghq.eu/canary?key=canary": 503`,
				}
				p.MaxAge = failedAt.Add(18 * time.Hour)
				p.LastFailed = time.Time{}
			}, golden: "pending.json",
			key: "sluice/v1/pending/dd-main/1789999999-MZXW6YTBOI2DKNRXHA4TAMJSGM.0.1.a03.jsonl.gz",
			put: func(s *Store, p Pointer) (string, error) {
				return s.PutPending(context.Background(), p, time.Unix(1_789_999_999, 5))
			},
		},
		"a part of an object is dead": {
			change: func(p *Pointer) { p.Source.ByteRange = &Range{10, 30} }, golden: "part.json",
			key: "sluice/v1/dead/dd-main/decode_gzip/2026/07/01/ODM54LXQS36U3NDUJI4TPL35BF.a01.jsonl.gz",
			put: func(s *Store, p Pointer) (string, error) { return s.PutDead(context.Background(), p) },
		},
		"the unread rest of an object is pending": {
			change: func(p *Pointer) {
				p.Source.ByteRange, p.Source.Records, p.Source.Decode = nil, &Range{4096, ToEnd}, "fcde2b2edba56bf4"
				p.Reason = Reason{Code: "deadline", Class: "retriable"}
				p.RequestID = "\xffr"
			}, golden: "rest.json",
			key: "sluice/v1/pending/dd-main/1789999999-6TQDCZLLESU56C5E7RNO3LIGO7.a01.jsonl.gz",
			put: func(s *Store, p Pointer) (string, error) {
				return s.PutPending(context.Background(), p, time.Unix(1_789_999_999, 0))
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var fake putter
			store := New(&fake, Options{Bucket: "example-park", Prefix: "/sluice/", Owner: "123456789012"})
			p := tail()
			tc.change(&p)
			before := p
			key, err := tc.put(store, p)
			require.NoError(t, err)
			assert.Equal(t, tc.key, key)
			assert.Equal(t, before, p)

			plain := gunzipped(t, fake.body)
			golden(t, tc.golden, plain)
			assert.NotContains(t, string(plain), "canary")
			first := fake.body
			again, err := tc.put(store, p)
			require.NoError(t, err)
			assert.Equal(t, key, again)
			assert.Equal(t, first, fake.body, "the same pointer gives the same bytes")

			h, err := Decode(bytes.NewReader(first))
			require.NoError(t, err)
			want := p.header()
			want.NotBefore = h.NotBefore
			assert.Equal(t, want, h)
			assert.True(t, store.Owns("example-park", key))
		})
	}
}

func gunzipped(t *testing.T, packed []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	plain, err := io.ReadAll(r)
	require.NoError(t, err)
	return plain
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
}

func TestPutRequest(t *testing.T) {
	var fake putter
	_, err := New(&fake, Options{Bucket: "example-park", Owner: "123456789012", KMSKey: "alias/park"}).PutDead(t.Context(), tail())
	require.NoError(t, err)
	in := fake.asked[0]
	sum := sha256.Sum256(fake.body)
	assert.Equal(t, base64.StdEncoding.EncodeToString(sum[:]), *in.ChecksumSHA256)
	assert.Equal(t, types.ChecksumAlgorithmSha256, in.ChecksumAlgorithm)
	assert.Equal(t, "*", *in.IfNoneMatch)
	assert.Equal(t, "example-park", *in.Bucket)
	assert.True(t, strings.HasPrefix(*in.Key, "v1/dead/"))
	assert.Equal(t, "123456789012", *in.ExpectedBucketOwner)
	assert.Equal(t, "fwd-state=dead", *in.Tagging)
	assert.Equal(t, types.ServerSideEncryptionAwsKms, in.ServerSideEncryption)
	assert.Equal(t, "alias/park", *in.SSEKMSKeyId)
	assert.Equal(t, int64(len(fake.body)), *in.ContentLength)
	assert.Equal(t, map[string]string{
		"batch-id": "INN7DNXZ6BCHCE6LZ4235HGNOI", "attempt": "1", "dest": "dd-main", "reason": "decode_gzip", "count": "0",
		"first-failed-at": "2026-07-01T21:59:59Z",
	}, in.Metadata)

	_, err = New(&fake, Options{Bucket: "example-park"}).PutPending(t.Context(), tail(), time.Unix(1_789_999_999, 0))
	require.NoError(t, err)
	in = fake.asked[1]
	assert.Equal(t, "fwd-state=pending", *in.Tagging)
	assert.Nil(t, in.ExpectedBucketOwner)
	assert.Empty(t, in.ServerSideEncryption)
}

func TestBatchIDTellsPartsApart(t *testing.T) {
	seen := map[string]string{}
	for name, change := range map[string]func(*Pointer){
		"the same":            func(*Pointer) {},
		"another destination": func(p *Pointer) { p.Destination.ID = "loki" },
		"another bucket":      func(p *Pointer) { p.Source.Bucket += "x" },
		"another key":         func(p *Pointer) { p.Source.Key += "x" },
		"another version":     func(p *Pointer) { p.Source.VersionID += "x" },
		"another start":       func(p *Pointer) { p.Source.ByteRange = &Range{1, ToEnd} },
		"another end":         func(p *Pointer) { p.Source.ByteRange = &Range{65536, 70000} },
		"another size":        func(p *Pointer) { p.Source.SizeBytes++ },
		"other settings":      func(p *Pointer) { p.ConfigSHA += "x" },
		"no version":          func(p *Pointer) { p.Source.VersionID = "" },
		"some records":        func(p *Pointer) { p.Source.Records = &Range{0, 812} },
		"other records":       func(p *Pointer) { p.Source.Records = &Range{812, ToEnd} },
		"counted otherwise":   func(p *Pointer) { p.Source.Records, p.Source.Decode = &Range{812, ToEnd}, "2c26b46b" },
		"all, counted so":     func(p *Pointer) { p.Source.Decode = "2c26b46b" },
	} {
		p := tail()
		change(&p)
		require.Len(t, p.id(), 26)
		assert.Empty(t, seen[p.id()], name)
		seen[p.id()] = name
	}
	p := tail()
	p.Reason, p.FirstFailed, p.Attempt, p.RequestID = Reason{Code: "hop_limit"}, time.Now(), 2, "other"
	assert.Equal(t, "the same", seen[p.id()])
}

func TestPutIsDoneOrExplained(t *testing.T) {
	conflict := refusal(409, "ConditionalRequestConflict")
	for name, tc := range map[string]struct {
		errs     []error
		requests int
		err      string
	}{
		"taken":                             {requests: 1},
		"there already":                     {errs: []error{refusal(412, "PreconditionFailed")}, requests: 1},
		"another write, then there":         {errs: []error{conflict, refusal(412, "PreconditionFailed")}, requests: 2},
		"another write that came to naught": {errs: []error{conflict, conflict, conflict}, requests: 4},
		"another write for ever":            {errs: []error{conflict, conflict, conflict, conflict}, requests: 4, err: "return the event"},
		"denied":                            {errs: []error{refusal(403, "AccessDenied")}, requests: 1, err: "grant s3:PutObject and s3:PutObjectTagging on example-park/p/v1/*"},
		"no bucket":                         {errs: []error{refusal(404, "NoSuchBucket")}, requests: 1, err: "create the bucket"},
		"another region":                    {errs: []error{refusal(301, "PermanentRedirect")}, requests: 1, err: "another region"},
		"key disabled":                      {errs: []error{refusal(400, "KMS.DisabledException")}, requests: 1, err: "key which encrypts the bucket is enabled"},
		"throttled":                         {errs: []error{refusal(503, "SlowDown")}, requests: 1, err: "nothing is parked: return the event"},
		"no network":                        {errs: []error{errors.New("connection refused")}, requests: 1, err: "connection refused: nothing is parked"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake := putter{errs: tc.errs}
				key, err := New(&fake, Options{Bucket: "example-park", Prefix: "p"}).PutDead(t.Context(), tail())
				assert.Len(t, fake.asked, tc.requests)
				if tc.err == "" {
					require.NoError(t, err)
					assert.NotEmpty(t, key)
					return
				}
				assert.Empty(t, key)
				require.ErrorContains(t, err, "park in s3://example-park/p/v1/dead/")
				require.ErrorContains(t, err, tc.err)
				require.ErrorIs(t, err, tc.errs[0])
			})
		})
	}
}

func TestPutGivesUpWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	fake := putter{errs: []error{refusal(409, "ConditionalRequestConflict")}}
	store := New(&fake, Options{Bucket: "example-park"})
	store.jitter = func() float64 { return 1 }
	_, err := store.PutDead(ctx, tail())
	require.ErrorIs(t, err, context.Canceled)
	assert.Len(t, fake.asked, 1)
}

func TestPutRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*Pointer)
		err    string
	}{
		"a destination that is a path":       {func(p *Pointer) { p.Destination.ID = "../x" }, `dest.id is "../x"`},
		"a destination with an upper case":   {func(p *Pointer) { p.Destination.ID = "DD" }, "dest.id"},
		"a destination too long":             {func(p *Pointer) { p.Destination.ID = strings.Repeat("a", 33) }, "dest.id"},
		"no destination":                     {func(p *Pointer) { p.Destination.ID = "" }, "dest.id"},
		"a host with a path":                 {func(p *Pointer) { p.Destination.Host = "example.com/key" }, "dest.host has more than a host"},
		"a host with credentials":            {func(p *Pointer) { p.Destination.Host = "u:p@example.com" }, "dest.host"},
		"a reason with a slash":              {func(p *Pointer) { p.Reason.Code = "a/b" }, "reason.code"},
		"a reason too long":                  {func(p *Pointer) { p.Reason.Code = strings.Repeat("a", 41) }, "reason.code"},
		"no reason":                          {func(p *Pointer) { p.Reason.Code = "" }, "reason.code"},
		"a class with a gap":                 {func(p *Pointer) { p.Reason.Class = "a b" }, "reason.class"},
		"a status below 0":                   {func(p *Pointer) { p.Reason.HTTPStatus = -1 }, "reason.http_status"},
		"a batch id with a slash":            {func(p *Pointer) { p.BatchID = "a/b" }, "batch_id"},
		"a batch id with two dots":           {func(p *Pointer) { p.BatchID = "a..0" }, "batch_id"},
		"an attempt of three digits":         {func(p *Pointer) { p.Attempt = 100 }, "attempt is 100"},
		"an attempt below 0":                 {func(p *Pointer) { p.Attempt = -1 }, "attempt is -1"},
		"no time":                            {func(p *Pointer) { p.FirstFailed, p.LastFailed = time.Time{}, time.Time{} }, "first_failed_at"},
		"a time before 1970":                 {func(p *Pointer) { p.FirstFailed = time.Unix(-1, 0) }, "in the year 1969"},
		"a time past four digits":            {func(p *Pointer) { p.MaxAge = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "in the year 10000"},
		"an unknown entry":                   {func(p *Pointer) { p.Source.Entry = "ftp" }, `sources.entry is "ftp", want one of cwl, kinesis`},
		"no bucket":                          {func(p *Pointer) { p.Source.Bucket = "" }, "no bucket and key"},
		"no key":                             {func(p *Pointer) { p.Source.Key = "" }, "no bucket and key"},
		"a key that JSON would change":       {func(p *Pointer) { p.Source.Key = "a\xff" }, `"a\xff" is not UTF-8`},
		"a key too long":                     {func(p *Pointer) { p.Source.Key = strings.Repeat("k", 1025) }, "a text has 1025 bytes"},
		"a size below 0":                     {func(p *Pointer) { p.Source.SizeBytes = -1 }, "sources.size"},
		"a range that ends before it starts": {func(p *Pointer) { p.Source.ByteRange = &Range{5, 4} }, "sources.byte_range is [5,4]"},
		"a range of nothing":                 {func(p *Pointer) { p.Source.ByteRange = &Range{0, 0} }, "sources.byte_range is [0,0]"},
		"a range from before the start":      {func(p *Pointer) { p.Source.ByteRange = &Range{-1, ToEnd} }, "sources.byte_range"},
		"a layer without a range":            {func(p *Pointer) { p.Source.ByteRange, p.Source.Layer = nil, Plain }, "sources.layer"},
		"a count below 0":                    {func(p *Pointer) { p.Count = -1 }, "count is -1"},
		"records that end before they start": {func(p *Pointer) { p.Source.Records = &Range{5, 4} }, "sources.lines is [5,4]"},
		"no records":                         {func(p *Pointer) { p.Source.Records = &Range{7, 7} }, "sources.lines is [7,7]"},
		"records from before the start":      {func(p *Pointer) { p.Source.Records = &Range{-1, ToEnd} }, "sources.lines"},
		"a long fingerprint":                 {func(p *Pointer) { p.Source.Decode = strings.Repeat("f", 65) }, "sources.decode has 65 bytes, want at most 64"},
		"a fingerprint that is no text":      {func(p *Pointer) { p.Source.Decode = "\xff" }, "not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			var fake putter
			p := tail()
			tc.change(&p)
			_, err := New(&fake, Options{Bucket: "example-park"}).PutDead(t.Context(), p)
			require.ErrorContains(t, err, "park: ")
			require.ErrorContains(t, err, tc.err)
			assert.Empty(t, fake.asked)
		})
	}

	var fake putter
	_, err := New(&fake, Options{}).PutDead(t.Context(), tail())
	require.ErrorContains(t, err, "no bucket is set")
	for _, at := range []time.Time{{}, time.Unix(0, 0), time.Unix(999_999_999, 0), time.Unix(10_000_000_000, 0)} {
		_, err = New(&fake, Options{Bucket: "example-park"}).PutPending(t.Context(), tail(), at)
		require.Error(t, err)
	}
	assert.Empty(t, fake.asked)
}

func TestOwns(t *testing.T) {
	store := New(nil, Options{Bucket: "example-park", Prefix: "a/b"})
	for place, want := range map[[2]string]bool{
		{"example-park", "a/b/v1/dead/x"}:                   true,
		{"example-park", "a/b/v1/"}:                         true,
		{"example-park", "aws/lambda/async/f/2026/07/01/x"}: true,
		{"example-park", "aws/lambda/x"}:                    true,
		{"example-park", "a/b/v10/x"}:                       false,
		{"example-park", "a/b/v1"}:                          false,
		{"example-park", "v1/x"}:                            false,
		{"example-park", "AWSLogs/aws/lambda/x"}:            false,
		{"example-logs", "a/b/v1/dead/x"}:                   false,
		{"example-logs", "aws/lambda/async/f/2026/07/01/x"}: false,
	} {
		assert.Equal(t, want, store.Owns(place[0], place[1]), place)
	}
	assert.True(t, New(nil, Options{Bucket: "b"}).Owns("b", "v1/dead/x"))
}
