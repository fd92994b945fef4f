package main

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/audit"
	"sluice/e2e/generate"
	"sluice/e2e/stack"
	"sluice/e2e/stack/owner"
)

// bodyOf is a request body of messages.
func bodyOf(t *testing.T, messages ...string) []byte {
	t.Helper()
	items := make([]item, len(messages))
	for i, m := range messages {
		items[i].Message = m
	}
	plain, err := json.Marshal(items)
	require.NoError(t, err)
	return generate.Object{Body: plain}.Gzip()
}

// marked is a short line of the large object.
func marked(seq int) string {
	return generate.ALB(rand.New(rand.NewPCG(1, 0)), time.Time{}, generate.Mark{Src: largeSource, Seq: seq})
}

func TestTally(t *testing.T) {
	many := make([]string, 900)
	for i := range many {
		many[i] = marked(i + 1)
	}
	client := &http.Client{Timeout: time.Minute}
	defer client.CloseIdleConnections()
	for name, tc := range map[string]struct {
		body                    []byte
		key, encoding           string // the right ones when empty
		status                  int
		arrived, surplus, alien int
	}{
		"lines are counted by their numbers": {body: bodyOf(t, marked(1), marked(900)), status: 202, arrived: 2},
		"a full batch":                       {body: bodyOf(t, many...), status: 202, arrived: 900},
		"a line twice is a surplus copy":     {body: bodyOf(t, marked(2), marked(2)), status: 202, arrived: 1, surplus: 1},
		"a changed line is none of ours":     {body: bodyOf(t, strings.Replace(marked(3), "https", "wss", 1)), status: 202, alien: 1},
		"a number beyond the object is none": {body: bodyOf(t, marked(901), marked(0)), status: 202, alien: 2},
		"a text without a mark is none":      {body: bodyOf(t, ""), status: 202, alien: 1},
		"another key":                        {body: bodyOf(t, marked(1)), key: "x", status: 403},
		"another encoding":                   {body: bodyOf(t, marked(1)), encoding: "br", status: 415},
		"a body cut short":                   {body: bodyOf(t, many...)[:1000], status: 400},
		"too large once it is unpacked":      {body: bodyOf(t, strings.Repeat("x", maxBodyBytes)), status: 413},
	} {
		t.Run(name, func(t *testing.T) {
			tally, err := startTally(900)
			require.NoError(t, err)
			defer tally.close()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, tally.server.URL(), bytes.NewReader(tc.body))
			require.NoError(t, err)
			r.Header.Set("DD-API-KEY", apiKey+tc.key)
			r.Header.Set("Content-Encoding", "gzip"+tc.encoding)

			resp, err := client.Do(r)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())

			assert.Equal(t, tc.status, resp.StatusCode)
			arrived, surplus, alien := tally.counts()
			assert.Equal(t, []int{tc.arrived, tc.surplus, tc.alien}, []int{arrived, surplus, alien})
		})
	}
}

func TestLargeAccount(t *testing.T) {
	invocation := func(delivered int) stack.Ledger {
		return stack.Ledger{Destinations: map[string]stack.Destination{destination: {In: delivered, Delivered: delivered}}}
	}
	for name, tc := range map[string]struct {
		copies     []uint8
		alien      int
		deliveries int
		failures   []owner.Failure
		ledgers    []stack.Ledger
		want       audit.Report
		err        string
	}{
		"every line once": {
			copies: []uint8{1, 1, 1}, deliveries: 1, ledgers: []stack.Ledger{invocation(3)}, want: audit.Report{In: 3, Delivered: 3},
		},
		"a second delivery explains copies": {
			copies: []uint8{2, 2, 1}, deliveries: 2, ledgers: []stack.Ledger{invocation(2), invocation(3)},
			want: audit.Report{In: 3, Delivered: 3, Duplicates: map[audit.Class]int{audit.D4: 2}},
		},
		"a single delivery explains none": {
			copies: []uint8{2, 1, 1}, deliveries: 1, ledgers: []stack.Ledger{invocation(3)}, err: "1 unexplained",
			want: audit.Report{In: 3, Delivered: 3, Duplicates: map[audit.Class]int{audit.Unexplained: 1}},
		},
		"a missing line is lost": {
			copies: []uint8{1, 0, 1}, deliveries: 1, ledgers: []stack.Ledger{invocation(2)}, err: "1 lost",
			want: audit.Report{In: 3, Delivered: 2, Lost: 1},
		},
		"given up, the missing lines are returned": {
			copies: []uint8{1, 0, 0}, deliveries: 3, failures: []owner.Failure{{}},
			want: audit.Report{In: 3, Delivered: 1, Returned: 2},
		},
		"a strange line": {
			copies: []uint8{1, 1, 1}, alien: 1, err: "1 corrupted",
			want: audit.Report{In: 3, Delivered: 3, Corrupted: 1},
		},
		"the function overstates": {
			copies: []uint8{1, 1, 1}, ledgers: []stack.Ledger{invocation(4)}, err: "counts 4",
			want: audit.Report{In: 3, Delivered: 3},
		},
		"an unbalanced ledger": {
			copies: []uint8{1, 1, 1}, ledgers: []stack.Ledger{{Unaccounted: 1}}, err: "does not balance",
			want: audit.Report{In: 3, Delivered: 3},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := &large{
				lines: len(tc.copies), tally: &tally{copies: tc.copies, alien: tc.alien},
				async: &owner.Async{History: make([]owner.Delivery, tc.deliveries), Failures: tc.failures},
			}
			r := &audit.Report{Duplicates: map[audit.Class]int{}, Examples: map[string][]string{}}

			l.account(r, tc.ledgers)

			assert.Equal(t, tc.want.String(), r.String())
			assert.Equal(t, tc.want.Corrupted, r.Corrupted)
			if tc.err == "" {
				assert.NoError(t, r.Verdict())
				return
			}
			assert.ErrorContains(t, r.Verdict(), tc.err)
		})
	}
}
