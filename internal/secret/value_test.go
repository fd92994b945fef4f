package secret

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const canary = "c4n4ry-0123456789abcdef"

// holder has a value in every kind of place a printer may look into.
type holder struct {
	Exported Value
	hidden   Value
	Pointer  *Value
	Any      any
	List     []Value
	Map      map[string]Value
	Ref      Ref
	ref      Ref
}

func newHolder(t *testing.T) holder {
	t.Helper()
	value := NewValue(canary)
	ref, err := ParseRef("plain:" + canary)
	require.NoError(t, err)
	return holder{
		Exported: value, hidden: value, Pointer: &value, Any: value, List: []Value{value},
		Map: map[string]Value{"key": value}, Ref: ref, ref: ref,
	}
}

func TestValueIsNeverPrinted(t *testing.T) {
	h := newHolder(t)
	value := h.Exported
	subjects := map[string]any{
		"value":                 value,
		"pointer":               &value,
		"pointer to a pointer":  func() any { p := &value; return &p }(),
		"struct":                h,
		"pointer to a struct":   &h,
		"slice":                 []Value{value},
		"map":                   map[string]Value{"key": value},
		"struct as a map's key": map[[1]any]string{{&value}: "x"},
		"error":                 fmt.Errorf("refused %v: %w", value, errors.New("x")),
		"reference":             h.Ref,
		"secret":                New(h.Ref, nil, 0),
	}
	verbs := []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%o", "%b", "%c", "%U", "%e", "%t", "%p", "%T", "%!", "%20.3v", "%-10s"}
	for name, subject := range subjects {
		for _, verb := range verbs {
			assertNoCanary(t, name+" "+verb, fmt.Appendf(nil, verb, subject))
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		assert.Equal(t, redacted, fmt.Sprintf(verb, value), verb)
		assert.Equal(t, "plain:"+redacted, fmt.Sprintf(verb, h.Ref), verb)
	}
	assert.Equal(t, redacted, value.String())
	assert.Equal(t, redacted, value.GoString())
	assert.Equal(t, redacted, Value{}.String(), "whether a secret is empty is not shown either")
}

func TestValueIsNeverEncoded(t *testing.T) {
	h := newHolder(t)
	encoders := map[string]func(any) ([]byte, error){
		"json": json.Marshal,
		"yaml": yaml.Marshal,
		"slog text": func(v any) ([]byte, error) {
			var buf bytes.Buffer
			slog.New(slog.NewTextHandler(&buf, nil)).Info("x", "v", v, slog.Group("g", "v", v))
			return buf.Bytes(), nil
		},
		"slog json": func(v any) ([]byte, error) {
			var buf bytes.Buffer
			slog.New(slog.NewJSONHandler(&buf, nil)).Info("x", "v", v, slog.Group("g", "v", v))
			return buf.Bytes(), nil
		},
	}
	for name, encode := range encoders {
		for what, subject := range map[string]any{"value": h.Exported, "pointer": h.Pointer, "ref": h.Ref, "struct": h} {
			out, err := encode(subject)
			require.NoError(t, err, "%s of a %s", name, what)
			assert.Contains(t, string(out), redacted, "%s of a %s", name, what)
			assertNoCanary(t, name+" "+what, out)
		}
	}
	type element struct{ V Value }
	out, err := xml.Marshal(element{h.Exported})
	require.NoError(t, err)
	assertNoCanary(t, "xml", out)
}

func assertNoCanary(t *testing.T, where string, text []byte) {
	t.Helper()
	for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), fmt.Sprintf("% x", canary), fmt.Sprintf("%d", []byte(canary))} {
		assert.NotContains(t, string(text), form, where)
	}
}

func TestValue(t *testing.T) {
	for name, tc := range map[string]struct {
		text, want string
	}{
		"final newline removed":          {text: "abc\n", want: "abc"},
		"white space on both sides":      {text: "\r\n\t abc \u00a0", want: "abc"},
		"white space inside is the text": {text: "a b", want: "a b"},
		"nothing":                        {},
		"nothing but white space":        {text: " \n"},
	} {
		t.Run(name, func(t *testing.T) {
			value := NewValue(tc.text)
			assert.Equal(t, tc.want, value.Reveal())
			assert.Equal(t, tc.want == "", value.IsEmpty())
			assert.True(t, value.Equal(NewValue(tc.want)))
			assert.False(t, value.Equal(NewValue(tc.want+"x")))
		})
	}
}
