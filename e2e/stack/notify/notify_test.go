package notify

import (
	"encoding/json"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

var (
	at    = time.Date(2026, 2, 1, 12, 0, 15, 123_000_000, time.UTC)
	plain = Object{
		Bucket: "example-logs", Key: "AWSLogs/123456789012/vpcflowlogs/a.log.gz", Size: 5_120,
		ETag: "9bb58f26192e4ba00f01e2e7b136bbd8", VersionID: "096fKKXTRTtl3on89fVO.nfljtsv6qko", Sequencer: "0065BA2F0F9A3C1B27", Time: at,
	}
	odd = Object{
		Bucket: "example-logs", Key: "my app/a+b/naïve (copy) 100%25 <x>&y=1:2.log", ETag: "d41d8cd98f00b204e9800998ecf8427e",
		Sequencer: "0065BA2F0F9A3C1B28", Time: at.Add(time.Second),
	}
)

func TestShapes(t *testing.T) {
	for name, body := range map[string][]byte{
		"native":           Native(plain),
		"native-odd-key":   Native(odd),
		"native-two":       Native(plain, odd),
		"native-none":      Native(),
		"removed":          Removed(plain),
		"test-event":       TestEvent("example-logs", at),
		"sns":              SNS(at, Native(odd)),
		"sns-test-event":   SNS(at, TestEvent("example-logs", at)),
		"sns-body":         SNSBody(at, Native(odd)),
		"eventbridge":      EventBridge(odd),
		"eventbridge-gone": EventBridgeRemoved(plain),
		"batch-1":          BatchOperations1("invocation-1", plain),
		"batch-2":          BatchOperations2("invocation-2", map[string]string{"service": "vpc"}, odd, plain),
	} {
		t.Run(name, func(t *testing.T) {
			require.True(t, json.Valid(body))
			file := filepath.Join("testdata", name+".json")
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o755))
				require.NoError(t, os.WriteFile(file, append(body, '\n'), 0o600))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, string(want), string(body)+"\n")
		})
	}
}

// keyOf digs for the key of the only record.
func keyOf(t *testing.T, native []byte) string {
	t.Helper()
	var event struct {
		Records []struct {
			S3 struct {
				Object struct{ Key string }
			}
		}
	}
	require.NoError(t, json.Unmarshal(native, &event))
	require.Len(t, event.Records, 1)
	return event.Records[0].S3.Object.Key
}

func TestAKeyIsEscapedOnceHoweverItTravels(t *testing.T) {
	const want = "my+app/a%2Bb/na%C3%AFve+%28copy%29+100%2525+%3Cx%3E%26y%3D1%3A2.log"
	assert.Equal(t, want, keyOf(t, Native(odd)))

	var sns struct {
		Records []struct {
			SNS struct{ Message string } `json:"Sns"`
		}
	}
	require.NoError(t, json.Unmarshal(SNS(at, Native(odd)), &sns))
	assert.Equal(t, want, keyOf(t, []byte(sns.Records[0].SNS.Message)))

	var body struct{ Message string }
	require.NoError(t, json.Unmarshal(SNSBody(at, Native(odd)), &body))
	assert.Equal(t, want, keyOf(t, []byte(body.Message)))

	var bridge struct {
		Detail struct {
			Object struct{ Key string }
		}
	}
	require.NoError(t, json.Unmarshal(EventBridge(odd), &bridge))
	assert.Equal(t, odd.Key, bridge.Detail.Object.Key, "EventBridge does not escape")
}

func FuzzFormKey(f *testing.F) {
	for _, key := range []string{odd.Key, "%2F", "a//b", "\x00\xff", "+ +", ""} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		decoded, err := url.QueryUnescape(FormKey(key))
		require.NoError(t, err)
		assert.Equal(t, key, decoded)
	})
}
