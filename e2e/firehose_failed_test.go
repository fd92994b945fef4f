package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/generate"
	"sluice/e2e/stack/delivery"
	"sluice/e2e/stack/intake"
	"sluice/e2e/stack/notify"
)

var compressions = []delivery.Compression{
	delivery.Uncompressed, delivery.Gzip, delivery.Zip, delivery.Snappy, delivery.HadoopSnappy,
}

// errorPrefixes are as people set them; the folder is somewhere in a key.
var errorPrefixes = []string{
	"",
	"errors/",
	"errors/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/",
	"year=!{timestamp:yyyy}/!{firehose:random-string}/!{firehose:error-output-type}/",
	"a b+c%41/!{firehose:error-output-type}-of-the-shop/",
}

// The failed objects of every folder are the lines that are in them, however they are packed and wherever they are.
func TestFailedObjects(t *testing.T) {
	r := newLoopRig(t, nil, setup{})
	r.intake.SetScript(intake.Always(intake.Step{Checks: []intake.Check{r.keep}}))
	for i, compression := range compressions {
		t.Run(string(compression), func(t *testing.T) {
			l := r.newLoop(t, 200+uint64(i), func(cfg *delivery.Config) {
				cfg.Name = "loop." + strings.ToLower(string(compression))
				cfg.Objects.Compression, cfg.Objects.ErrorPrefix = compression, errorPrefixes[i]
			})
			r.mu.Lock()
			r.items = nil
			r.mu.Unlock()
			for j, kind := range delivery.FailedKinds() {
				w, err := l.stream.Failed(t.Context(), kind, l.failedRecords(j%2 == 1)...)
				require.NoError(t, err)
				assert.Contains(t, w.Key, kind)
			}

			report := l.audit()

			assert.Equal(t, deliverable(l.lines), report.Delivered)
			assert.Zero(t, report.TotalDuplicates())
			for folder, n := range r.toldFolders() {
				assert.Equal(t, len(l.lines)/len(delivery.FailedKinds()), n, "lines of %s that say where they are from", folder)
			}
			assert.Len(t, r.toldFolders(), len(delivery.FailedKinds()))
		})
	}
}

// failedRecords are records of each shape.
func (l *loop) failedRecords(asPrinted bool) []delivery.FailedRecord {
	var list []delivery.FailedRecord
	add := func(id string, data []byte, lines ...generate.Line) {
		for _, line := range lines {
			line.Payload = id
			l.lines = append(l.lines, line)
		}
		list = append(list, delivery.FailedRecord{
			Data: data, Payload: id, Attempts: len(list), Arrived: time.Now().Add(-time.Minute), AsPrinted: asPrinted,
		})
	}
	packed, plain := l.payload(20, generate.Mixed), l.payload(10, generate.Mixed)
	add(packed.ID, packed.Gzip(), packed.Lines...)
	add(plain.ID, plain.Document, plain.Lines...)
	text, members := l.generate.Object(5, generate.ALB), l.generate.Object(5, generate.JSONLines(generate.Mixed))
	add(text.ID, text.Body, text.Lines...)
	add(members.ID, members.Gzip(), members.Lines...)
	id, data, lines := l.flowLines(5)
	add(id, bytes.TrimSuffix(data, []byte("\n")), lines...)
	if !asPrinted { // of an envelope that is broken nobody knows that there was no record in it: it is a line
		add("empty", nil)
	}
	return list
}

// toldFolders counts the items that say in which folder of Firehose they were.
func (r *s3Rig) toldFolders() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := map[string]int{}
	for _, item := range r.items {
		var attributes struct {
			Kind string `json:"error_type"`
		}
		if json.Unmarshal(item["firehose"], &attributes) == nil {
			counts[attributes.Kind]++
		}
	}
	return counts
}

// A manifest of Redshift lists objects and is no log; it is followed where its objects are not announced themselves.
func TestRedshiftManifest(t *testing.T) {
	for name, follow := range map[string]bool{"not followed": false, "followed": true} {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{}
			if follow {
				env["SLUICE_FOLLOW_MANIFESTS"] = "true"
			}
			r := newLoopRig(t, nil, setup{env: env})
			l := r.newLoop(t, 300, func(cfg *delivery.Config) {
				cfg.HTTP, cfg.Transform, cfg.Objects.Prefix, cfg.Objects.Compression = nil, nil, "copy/", delivery.Gzip
				announce := cfg.Written
				cfg.Written = func(w delivery.Written) {
					if w.Kind != delivery.Delivered { // what is meant for Redshift is announced by nobody
						announce(w)
					}
				}
			})
			for range 3 {
				id, data, lines := l.flowLines(20)
				l.put(id, data, lines...)
				require.NoError(t, l.stream.Flush(t.Context()))
			}
			l.announceManifest(follow)

			report := l.audit()

			assert.Equal(t, deliverable(l.lines), report.Delivered)
			assert.Equal(t, 1, report.Dropped)
			assert.Zero(t, report.TotalDuplicates())
			assert.Equal(t, map[string]int{"not_a_log": 1}, r.drops())
			assert.Equal(t, follow, report.Delivered > 0)
			assert.Equal(t, follow, slices.Contains(statuses(r.intake), http.StatusAccepted))
		})
	}
}

// announceManifest has Firehose say that Redshift did not load what the stream delivered so far. Without follow its lines
// are not expected anywhere but in Redshift.
func (l *loop) announceManifest(follow bool) {
	l.t.Helper()
	written := l.stream.Objects()
	objects := make([]notify.Object, len(written))
	for i, w := range written {
		objects[i] = w.Object
	}
	w, err := l.stream.Manifest(l.t.Context(), objects...)
	require.NoError(l.t, err)
	if !follow {
		l.lines = nil
	}
	for i := range l.lines {
		l.lines[i].Payload = w.Key
	}
	l.lines = append(l.lines, generate.Line{Payload: w.Key, Rule: "not_a_log"})
}
