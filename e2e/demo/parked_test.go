package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/e2e/generate"
)

// parkedAt is what is parked of an object.
func parkedAt(t *testing.T, key, from string) pointer {
	t.Helper()
	header := `{"schema":1,"kind":"pointer","reason":{"code":"corrupt","message":"unexpected EOF"},` +
		`"sources":[{"entry":"s3","bucket":"` + logBucket + `","key":"` + key + `","byte_range":[` + from + `,-1]}]}` + "\n"
	p, err := readPointer(generate.Object{Body: []byte(header)}.Gzip())
	require.NoError(t, err)
	p.at = "sluice/v1/dead/x"
	return p
}

func TestCheckParked(t *testing.T) {
	list := []*object{{key: "sound", content: content{readable: whole}}, {key: "short", content: content{readable: 70}}}
	short, sound := parkedAt(t, "short", "70"), parkedAt(t, "sound", "0")
	for name, tc := range map[string]struct {
		pointers []pointer
		err      string
	}{
		"the damaged object from its last line": {pointers: []pointer{short}},
		"a damaged object that is not parked":   {err: "short is damaged and was not parked"},
		"a part that begins elsewhere":          {pointers: []pointer{parkedAt(t, "short", "60")}, err: "from byte 60, want 70"},
		"a sound object":                        {pointers: []pointer{short, sound}, err: "sound is parked"},
		"one object twice":                      {pointers: []pointer{short, short}, err: "short is parked"},
		"an object that nobody put":             {pointers: []pointer{short, parkedAt(t, "x", "0")}, err: "x is parked"},
	} {
		t.Run(name, func(t *testing.T) {
			err := checkParked(tc.pointers, list)
			if tc.err == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, tc.err)
		})
	}
}

func TestReadPointer(t *testing.T) {
	for name, body := range map[string][]byte{
		"not packed":       []byte("{}"),
		"cut short":        generate.Object{Body: []byte("{}")}.Gzip()[:15],
		"no JSON":          generate.Object{Body: []byte("{")}.Gzip(),
		"something else":   generate.Object{Body: []byte(`{"kind":"batch","sources":[{}]}`)}.Gzip(),
		"of no object":     generate.Object{Body: []byte(`{"kind":"pointer"}`)}.Gzip(),
		"of several parts": generate.Object{Body: []byte(`{"kind":"pointer","sources":[{},{}]}`)}.Gzip(),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readPointer(body)
			assert.Error(t, err)
		})
	}
}

func TestShowParked(t *testing.T) {
	var out bytes.Buffer
	showParked(&out, []pointer{parkedAt(t, "short", "70")})
	assert.Equal(t, "\nparked, for a person to look at:\n\n  s3://example-sluice/sluice/v1/dead/x\n    of s3://example-logs/short\n"+
		"    from byte 70 of what it holds decompressed: corrupt, unexpected EOF\n", out.String())
}
