package bucket

import (
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Two doors lead to the same objects, and what happens at one is no concern of the other.
func TestDoor(t *testing.T) {
	s := start(t)
	door, err := s.Door()
	require.NoError(t, err)
	_, err = s.PutObject(t.Context(), logs, "a", strings.NewReader("one"))
	require.NoError(t, err)
	s.SetScript(Always(SlowDown()))

	body, err := read(t.Context(), client(door), get("a", nil))

	require.NoError(t, err)
	assert.Equal(t, "one", string(body))
	assert.Empty(t, s.Requests())
	require.Len(t, door.RequestsOf(logs, "a"), 1)
	_, err = read(t.Context(), client(s), get("a", nil))
	require.ErrorContains(t, err, "SlowDown")
	require.NoError(t, door.Close())
	_, err = s.Get(t.Context(), logs, "a")
	require.NoError(t, err, "a door that is closed leaves the objects")
}

func TestDown(t *testing.T) {
	s := start(t)
	require.NoError(t, s.Down())
	_, err := read(t.Context(), client(s), get("a", nil))
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	_, err = s.PutObject(t.Context(), logs, "a", strings.NewReader("one"))
	require.NoError(t, err, "a test goes past what is down")

	require.NoError(t, s.Up())

	_, err = read(t.Context(), client(s), get("a", nil))
	require.NoError(t, err)
}

func TestMetadataAndWhoAsks(t *testing.T) {
	s := start(t)
	_, err := client(s).PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String(logs), Key: aws.String("a"), Body: strings.NewReader("one"), Metadata: map[string]string{"count": "812", "Dest": "main"},
	})
	require.NoError(t, err)

	named, err := s.Metadata(t.Context(), logs, "a")

	require.NoError(t, err)
	assert.Equal(t, map[string]string{"count": "812", "dest": "main"}, named)
	requests := s.RequestsOf(logs, "a")
	require.Len(t, requests, 1)
	assert.Equal(t, 812, requests[0].Count)
	assert.Equal(t, http.MethodPut, requests[0].Method)
	assert.Contains(t, requests[0].Agent, "aws-sdk-go-v2/")
	_, err = s.Metadata(t.Context(), logs, "b")
	assert.ErrorContains(t, err, "head s3://example-logs/b")
}

func TestRemoveBucket(t *testing.T) {
	s := start(t)
	_, err := s.PutObject(t.Context(), logs, "a/b/c", strings.NewReader("one"))
	require.NoError(t, err)

	require.NoError(t, s.RemoveBucket(logs))

	_, err = s.List(t.Context(), logs, "")
	require.ErrorContains(t, err, "NoSuchBucket")
	require.NoError(t, s.CreateBucket(t.Context(), logs, false), "the name is free")
	list, err := s.List(t.Context(), logs, "")
	require.NoError(t, err)
	assert.Empty(t, list)
	for _, name := range []string{"", "..", "a/b"} {
		assert.ErrorContains(t, s.RemoveBucket(name), "want a name")
	}
}
