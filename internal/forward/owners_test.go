package forward

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// of is a packed payload of a log group of an account.
func of(t *testing.T, owner string, lines ...string) []byte {
	t.Helper()
	return packed(t, bytes.ReplaceAll(document(t, lines...), []byte(ownAccount), []byte(owner)))
}

// channels are the ways of payloads of CloudWatch Logs. Each takes payloads through a rig with an environment, and returns
// the lines that came out and what became of the others.
func channels() map[string]func(t *testing.T, env map[string]string, payloads [][]byte) (lines []string, c counts) {
	through := func(handler func(*Forwarder) Handler, eventOf func(*rig, [][]byte) []byte) func(*testing.T, map[string]string, [][]byte) ([]string, counts) {
		return func(t *testing.T, env map[string]string, payloads [][]byte) ([]string, counts) {
			t.Helper()
			env = maps.Clone(env)
			if env["SLUICE_CONFIG"] == "" {
				env["SLUICE_CONFIG"] = both
			}
			r := newRigOf(t, env)
			_, ledger, err := r.invoke(t, handler, eventOf(r, payloads))
			require.NoError(t, err)
			return r.intake.messages(t, archiveHost), ledger.Destinations["archive"]
		}
	}
	object := func(key string, body func(payloads [][]byte) []byte) func(*testing.T, map[string]string, [][]byte) ([]string, counts) {
		return through(S3, func(r *rig, payloads [][]byte) []byte {
			return []byte(native(r.s3.put(logBucket, key, body(payloads))))
		})
	}
	return map[string]func(*testing.T, map[string]string, [][]byte) ([]string, counts){
		"direct":            through(CloudWatch, func(_ *rig, payloads [][]byte) []byte { return direct(joined(payloads...)) }),
		"Kinesis":           through(Kinesis, func(_ *rig, payloads [][]byte) []byte { return batchOf(payloads...) }),
		"Kinesis aggregate": through(Kinesis, func(_ *rig, payloads [][]byte) []byte { return batchOf(aggregate(payloads...)) }),
		"backup of Firehose": object("backup/2026/02/01/09/app-1-2026-02-01-09-30-00-11111111-2222-4333-8444-555555555555",
			func(payloads [][]byte) []byte { return joined(payloads...) }),
		"failed records of Firehose": object("errors/processing-failed/2026/02/01/09/app-1-2026-02-01-09-30-00-11111111-2222-4333-8444-555555555555",
			func(payloads [][]byte) []byte {
				var b bytes.Buffer
				for _, data := range payloads {
					b.WriteString(envelopeOf(data))
				}
				return b.Bytes()
			}),
		"transformation": throughStream,
	}
}

// envelopeOf is the line in which Firehose keeps a record that failed.
func envelopeOf(data []byte) string {
	return fmt.Sprintf(`{"attemptsMade":4,"arrivalTimestamp":1769938200123,"errorCode":"x","errorMessage":"y",`+
		`"attemptEndingTimestamp":1769938200124,"rawData":%q}`+"\n", base64.StdEncoding.EncodeToString(data))
}

// throughStream takes payloads through the transformation of a delivery stream, as a record each.
func throughStream(t *testing.T, env map[string]string, payloads [][]byte) ([]string, counts) {
	t.Helper()
	env = maps.Clone(env)
	env["SLUICE_FIREHOSE_OUTPUT"] = "message"
	all, c := newStreamRig(t, env).transformAll(t, puts(payloads...))
	lines := []string{}
	for _, v := range all {
		if v.Result == "Dropped" {
			continue
		}
		require.Equal(t, "Ok", v.Result)
		lines = append(lines, strings.Split(strings.TrimSuffix(v.text(), "\n"), "\n")...)
	}
	return lines, c
}

// Lines of an account that is not allowed are dropped and counted, by whatever way its payload comes; a control message is
// one whoever sends it, and so is our own log.
func TestAllowedOwners(t *testing.T) {
	const third = "210987654321"
	control := packed(t, []byte(controlPayload))
	for name, tc := range map[string]struct {
		setting  string
		payloads [][]byte
		lines    []string
		dropped  tally
	}{
		"no setting":            {"", [][]byte{of(t, ownAccount, "a"), of(t, otherAccount, "b"), of(t, "", "c")}, []string{"a", "b", "c"}, tally{}},
		"another account":       {ownAccount, [][]byte{of(t, otherAccount, "a", "b")}, []string{}, tally{"not_allowed_source": 2}},
		"one of two":            {third + "," + otherAccount, [][]byte{of(t, otherAccount, "a", "b")}, []string{"a", "b"}, tally{}},
		"our own, not named":    {otherAccount, [][]byte{of(t, ownAccount, "a")}, []string{}, tally{"not_allowed_source": 1}},
		"taking turns":          {ownAccount, [][]byte{of(t, ownAccount, "a"), of(t, otherAccount, "b", "c"), of(t, ownAccount, "d"), of(t, third, "e")}, []string{"a", "d"}, tally{"not_allowed_source": 3}},
		"no account":            {ownAccount, [][]byte{of(t, "", "a"), of(t, ownAccount, "b")}, []string{"b"}, tally{"not_allowed_source": 1}},
		"almost the account":    {ownAccount, [][]byte{of(t, ownAccount+"0", "a"), of(t, " "+ownAccount, "b"), of(t, ownAccount[:11], "c")}, []string{}, tally{"not_allowed_source": 3}},
		"control message":       {ownAccount, [][]byte{control, of(t, ownAccount, "a")}, []string{"a"}, tally{"control_message": 1}},
		"control and a foreign": {ownAccount, [][]byte{control, of(t, otherAccount, "a"), control}, []string{}, tally{"control_message": 2, "not_allowed_source": 1}},
		"our own log":           {otherAccount, [][]byte{packed(t, documentOf(t, "DATA_MESSAGE", ownLogGroup, "a")), of(t, otherAccount, "b")}, []string{"b"}, tally{"own_log_group": 1}},
	} {
		for channel, through := range channels() {
			t.Run(name+"/"+channel, func(t *testing.T) {
				lines, c := through(t, map[string]string{"SLUICE_ALLOWED_OWNERS": tc.setting}, tc.payloads)
				assert.Equal(t, tc.lines, lines)
				assert.Equal(t, tc.dropped, c.Dropped)
				assert.Equal(t, len(tc.lines), c.Delivered)
				assert.Equal(t, len(tc.lines)+sum(tc.dropped), c.In)
			})
		}
	}
}

// In the transformation a record of which nothing is left is Dropped, and what is allowed in another one stays.
func TestAllowedOwnersInATransformation(t *testing.T) {
	r := newStreamRig(t, map[string]string{"SLUICE_FIREHOSE_OUTPUT": "message", "SLUICE_ALLOWED_OWNERS": ownAccount})
	all, c := r.transformAll(t, puts(of(t, otherAccount, "a"), joined(of(t, otherAccount, "b"), of(t, ownAccount, "c")), []byte("a text")))
	assert.Equal(t, []string{"Dropped", "Ok", "Ok"}, resultsOf(all))
	assert.Equal(t, "c\n", all[1].text())
	assert.Equal(t, "a text\n", all[2].text(), "a text has no owner")
	assert.Equal(t, tally{"not_allowed_source": 2}, c.Dropped)
}

// What tee delivers is what the transformation kept.
func TestAllowedOwnersWithTee(t *testing.T) {
	r := newStreamRig(t, map[string]string{"SLUICE_CONFIG": oneHTTP, "SLUICE_FIREHOSE_TEE": "true", "SLUICE_ALLOWED_OWNERS": ownAccount})
	_, c := r.transformAll(t, puts(of(t, otherAccount, "a"), of(t, ownAccount, "b")))
	assert.Equal(t, []string{"b"}, r.intake.messages(t, archiveHost))
	assert.Equal(t, tally{"not_allowed_source": 1}, c.Dropped)
}

// What has no owner is not asked for one: objects are a matter of their bucket, texts of who may write to the stream.
func TestAllowedOwnersLeavesOthers(t *testing.T) {
	env := map[string]string{"SLUICE_CONFIG": oneHTTP, "SLUICE_ALLOWED_OWNERS": otherAccount}
	r := newRigOf(t, env)
	_, ledger, err := r.invoke(t, Kinesis, batchOf([]byte("a"), packed(t, []byte("b"))))
	require.NoError(t, err)
	assert.Equal(t, 2, ledger.Destinations["archive"].Delivered)
	r = newRigOf(t, env)
	o := r.s3.put(logBucket, "AWSLogs/"+ownAccount+"/elasticloadbalancing/eu-west-1/2026/02/01/a.log", []byte("c\n"))
	_, _, err = r.invoke(t, S3, []byte(native(o)))
	require.NoError(t, err)
	assert.Equal(t, []string{"c"}, r.intake.messages(t, archiveHost))
}
