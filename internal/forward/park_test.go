package forward

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/park"
)

// A note says all that is needed to read the rest again, for the one destination that it is about.
func TestNote(t *testing.T) {
	r := newRigOf(t, map[string]string{"SLUICE_CONFIG": with("park_bucket: example-parked=111122223333, park_prefix: prod/sluice, buckets: [example-logs]", both)})
	text, _ := textLines(2000)
	gz := packed(t, text)
	o := r.s3.put(logBucket, "app/a b.log.gz", gz[:len(gz)-100])
	o.Version = "v1"
	answer, _, err := r.invoke(t, S3, inQueue(native(o)))
	require.NoError(t, err)
	assert.JSONEq(t, allTaken, answer)
	require.Len(t, r.s3.parked, 2)
	for i, want := range []park.Destination{
		{ID: "datadog", Type: "datadog", Host: "http-intake.logs.datadoghq.eu"},
		{ID: "archive", Type: "http", Host: "logs.example.com"},
	} {
		note := r.s3.parked[i]
		assert.Equal(t, parkBucket, note.Bucket)
		assert.Equal(t, otherAccount, note.Owner)
		assert.Regexp(t, `^prod/sluice/v1/dead/`+want.ID+`/corrupt/2026/02/01/[A-Z2-7]{26}\.a01\.jsonl\.gz$`, note.Key)
		h := note.Header
		assert.Equal(t, want, h.Dest)
		assert.Equal(t, "corrupt", h.Reason.Code)
		assert.Equal(t, "permanent", h.Reason.Class)
		assert.Contains(t, h.Reason.Message, "gzip")
		assert.Equal(t, time.UnixMilli(1769938200123).UTC(), h.FirstFailedAt, "when it was announced: the same at every attempt")
		assert.Equal(t, start, h.LastFailedAt)
		assert.Equal(t, requestID, h.RequestID)
		assert.Equal(t, Version, h.Forwarder)
		assert.NotEmpty(t, h.ConfigSHA)
		require.Len(t, h.Sources, 1)
		assert.Equal(t, park.EntryS3, h.Sources[0].Entry)
		assert.Equal(t, []string{logBucket, "app/a b.log.gz", "v1", o.ETag, "0065BA2F0F9A3C1B27"},
			[]string{h.Sources[0].Bucket, h.Sources[0].Key, h.Sources[0].VersionID, h.Sources[0].ETag, h.Sources[0].Sequencer})
		assert.Equal(t, []string{ownAccount, "eu-west-1"}, []string{h.Sources[0].Owner, h.Sources[0].Region}, "to read it with the same care")
		assert.Equal(t, park.Plain, h.Sources[0].Layer)
	}
	assert.NotEqual(t, r.s3.parked[0].Header.BatchID, r.s3.parked[1].Header.BatchID)
}

// A note that could be made for one destination and not for the other leaves the message to its owner.
func TestNoteForOneDestinationOnly(t *testing.T) {
	r := newRig(t, parkingBoth)
	r.s3.refusePutTo = "archive"
	o := r.s3.put(logBucket, "a.parquet", []byte("PAR1\x15\x04..PAR1"))
	answer, ledger, err := r.invoke(t, S3, inQueue(native(o)))
	require.NoError(t, err)
	assert.JSONEq(t, failedMessages(0), answer)
	for id, c := range ledger.Destinations {
		assert.Equal(t, tally{"parquet": 1}, c.Returned, id)
	}
	assert.Len(t, r.s3.parked, 1)

	r.s3.refusePutTo = ""
	answer, ledger, err = r.invoke(t, S3, inQueue(native(o)))
	require.NoError(t, err)
	assert.JSONEq(t, allTaken, answer)
	assert.Equal(t, tally{"parquet": 1}, ledger.Destinations["archive"].Parked)
	assert.Len(t, r.s3.parked, 2, "the one that was there is not made again")
}

// Notes are made with time that is kept back from reading and sending, but not beyond what the function has.
func TestNoteAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, parkingBoth)
		r.Forwarder.now = time.Now
		ctx := within(t, 10*time.Second)
		time.Sleep(4 * time.Second)
		o := r.s3.put(logBucket, "a.parquet", []byte("PAR1\x15\x04..PAR1"))
		r.s3.takes = 2 * time.Second // each PUT: the second ends when reading may not go on any more
		answer, ledger, err := r.invokeWithin(ctx, t, S3, inQueue(native(o)))
		require.NoError(t, err)
		assert.JSONEq(t, allTaken, answer)
		assert.Equal(t, tally{"parquet": 1}, ledger.Destinations["archive"].Parked)

		late := within(t, 2*time.Second)
		o = r.s3.put(logBucket, "b.parquet", []byte("PAR1\x15\x04..PAR1"))
		answer, ledger, err = r.invokeWithin(late, t, S3, inQueue(native(o)))
		require.NoError(t, err)
		require.NoError(t, late.Err(), "answered in time")
		assert.JSONEq(t, failedMessages(0), answer)
		assert.Equal(t, tally{"parquet": 1}, ledger.Destinations["archive"].Returned)
	})
}

// Without a client of S3 nothing is read and nothing is noted: the message comes again.
func TestNoClient(t *testing.T) {
	r := newRig(t, parkingBoth)
	r.objects.client = func() (s3Client, error) { return nil, errors.New("client of s3: no region is set") }
	o := r.s3.lines("a.log", "x")
	r.comesTo(t, inQueue(native(o)), ending{answer: failedMessages(0), err: "no region is set", returned: tally{"s3_client": 1}})
}

func TestHostOf(t *testing.T) {
	for text, want := range map[string]string{
		"https://logs.example.com/ingest/tok3n?a=b": "logs.example.com", "https://user:pass@[2001:db8::1]:8080/": "2001:db8::1", ":": "", "": "",
	} {
		assert.Equal(t, want, hostOf(text), text)
	}
}
