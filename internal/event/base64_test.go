package event_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/event"
)

func TestDecodeBase64(t *testing.T) {
	for name, tc := range map[string]struct {
		src  string
		want string
		bad  int // offset in the error; -1 for no error
	}{
		"standard":                           {"aGVsbG8/IQ==", "hello?!", -1},
		"empty":                              {"", "", -1},
		"only white space":                   {" \n", "", -1},
		"no padding, one byte over":          {"aGVsbG8/IQ", "hello?!", -1},
		"no padding, two bytes over":         {"aGVsbG8", "hello", -1},
		"half of the padding":                {"aGVsbG8/IQ=", "hello?!", -1},
		"newlines as mail programs put them": {"aGVs\r\nbG8/\r\nIQ==\r\n", "hello?!", -1},
		"spaces and tabs":                    {" aGVs bG8/\tIQ= =", "hello?!", -1},
		"URL-safe alphabet":                  {"-_-_", "\xfb\xff\xbf", -1},
		"standard alphabet, same bytes":      {"+/+/", "\xfb\xff\xbf", -1},
		"bad character":                      {"aGVs!G8=", "", 4},
		"bad character after white space":    {"aG Vs!G8=", "", 5},
		"not ASCII":                          {"aGVsbG8é", "", 7},
		"text after padding":                 {"YQ==YQ==", "", 4},
		"padding at the start":               {"=YWI", "", 0},
		"padding after one character":        {"YWJjY=", "", 5},
		"six bits left over":                 {"YWJjY", "", 5},
		"NUL":                                {"YWJj\x00", "", 4},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := event.DecodeBase64([]byte("kept:"), []byte(tc.src))
			assert.Equal(t, "kept:"+tc.want, string(got))
			if tc.bad < 0 {
				require.NoError(t, err)
				return
			}
			var corrupt base64.CorruptInputError
			require.ErrorAs(t, err, &corrupt)
			assert.Equal(t, tc.bad, int(corrupt))
		})
	}
}

func TestDecodeBase64ReusesItsBuffer(t *testing.T) {
	src := []byte(strings.Repeat("QUJD", 1000))
	buf := make([]byte, 0, 3000)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		out, err := event.DecodeBase64(buf, src)
		if err != nil || len(out) != 3000 || &out[0] != &buf[:1][0] {
			t.Fatal(len(out), err)
		}
	}))
}

// Every length, with padding and without, into a buffer that has no room to spare.
func TestDecodeBase64Lengths(t *testing.T) {
	plain := bytes.Repeat([]byte("\x00\xff\x7f?"), 20)
	for n := range plain {
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding} {
			got, err := event.DecodeBase64(nil, []byte(encoding.EncodeToString(plain[:n])))
			require.NoError(t, err)
			require.Equal(t, string(plain[:n]), string(got))
		}
	}
}

// FuzzDecodeBase64 checks three laws: what encoding/base64 accepts is decoded alike, every spelling of the same bytes
// decodes to them, and a refusal points into the text and leaves dst alone.
func FuzzDecodeBase64(f *testing.F) {
	for _, seed := range []string{"", "aGVsbG8=", "aGVs\nbG8", "-_+/", "YQ==YQ==", "a", "\x1f\x8b\x08"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		dst := []byte("kept")
		got, err := event.DecodeBase64(dst, src)
		require.True(t, bytes.HasPrefix(got, dst))
		if err != nil {
			var corrupt base64.CorruptInputError
			require.ErrorAs(t, err, &corrupt)
			require.LessOrEqual(t, int(corrupt), len(src))
			require.Equal(t, "kept", string(got))
		}
		if want, strictErr := base64.StdEncoding.DecodeString(string(src)); strictErr == nil {
			require.NoError(t, err)
			require.Equal(t, string(want), string(got[len(dst):]))
		}
		for _, spelling := range []string{
			base64.StdEncoding.EncodeToString(src),
			base64.RawURLEncoding.EncodeToString(src),
			" " + strings.ReplaceAll(base64.StdEncoding.EncodeToString(src), "A", "A\n\t"),
		} {
			back, err := event.DecodeBase64(nil, []byte(spelling))
			require.NoError(t, err)
			require.Equal(t, string(src), string(back))
		}
	})
}
