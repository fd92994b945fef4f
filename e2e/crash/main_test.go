package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/rig"
)

func TestParse(t *testing.T) {
	o, err := parse([]string{"-run", "^s3/", "-seed", "9", "-short", "-v", "-parallel", "3"}, &bytes.Buffer{})
	require.NoError(t, err)
	assert.Equal(t, "^s3/", o.run.String())
	assert.Equal(t, options{run: o.run, seed: 9, schedules: shortSchedules, parallel: 3, short: true, verbose: true}, o)
	for name, args := range map[string][]string{
		"no expression":   {"-run", "("},
		"an argument":     {"s3"},
		"nothing at once": {"-parallel", "0"},
		"fewer than none": {"-schedules", "-1"},
		"no such flag":    {"-x"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse(args, &bytes.Buffer{})
			require.Error(t, err)
		})
	}
}

func crashLab(t *testing.T) *rig.Lab {
	t.Helper()
	if testing.Short() {
		t.Skip("plays the whole system")
	}
	lab, err := rig.Open(t.Context(), rig.LabOptions{Tags: []string{"failpoint"}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, lab.Close()) })
	return lab
}

// Each point once: the command's short form.
func TestCrash(t *testing.T) {
	if testing.Short() {
		t.Skip("plays the whole system")
	}
	var out bytes.Buffer
	err := command(t.Context(), []string{"-short", "-v"}, &out)
	t.Log(out.String())
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	assert.Equal(t, "crash: cases=16 lost=0 unexplained_duplicates=0", lines[len(lines)-1])
}

// A case that does not come to its point fails.
func TestAPointThatIsNotReached(t *testing.T) {
	lab := crashLab(t)
	c := cloudWatchCase()
	c.name, c.injections[0].nth = t.Name(), 99

	_, err := c.playAndJudge(t.Context(), lab)

	require.ErrorContains(t, err, "the points that acted are []")
}

// A line that is lost is found: what was parked is taken away behind the back of everybody.
func TestALostLine(t *testing.T) {
	lab := crashLab(t)
	c := cloudWatchCase()
	c.name, c.outage = t.Name(), true
	c.injections[0] = injection{rig.CloudWatchFunction, 1, "after_park", exit, 1}
	r, err := set(t.Context(), lab, &c.plan)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, r.Close()) })
	require.NoError(t, r.ingest(t.Context()))
	pending, err := r.Pending(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, pending)
	for _, key := range pending {
		require.NoError(t, r.S3.Delete(t.Context(), r.ParkBucket, key))
	}
	require.NoError(t, r.replay(t.Context()))

	o, err := r.outcome(t.Context())

	require.NoError(t, err)
	require.ErrorContains(t, c.judge(&o), "100 lost")
}
