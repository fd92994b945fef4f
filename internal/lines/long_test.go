package lines

import (
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// elementsAndParts takes all elements, those that are too long in parts, which it joins.
func elementsAndParts(t *testing.T, e *Envelope) (list []kept, err error) {
	t.Helper()
	for {
		p, err := e.Element()
		switch {
		case err == nil:
			list = append(list, keep(p))
		case assert.ObjectsAreEqual(ErrTooLong, errorKind(err)):
			joined, err := parts(t, e)
			list = append(list, joined)
			if err != nil {
				_, again := e.Element()
				assert.Equal(t, err, again)
				_, again = e.Part()
				assert.Equal(t, err, again)
				return list, err
			}
		default:
			return list, err
		}
	}
}

func errorKind(err error) error {
	if v, ok := err.(*valueError); ok { //nolint:errorlint // what is returned is never wrapped
		return v.kind
	}
	return err
}

// parts joins the parts of the element that is too long.
func parts(t *testing.T, e *Envelope) (joined kept, err error) {
	t.Helper()
	var text strings.Builder
	for n := 1; ; n++ {
		p, err := e.Part()
		if err != nil {
			joined.Text = text.String()
			return joined, err
		}
		require.Equal(t, n, p.Part)
		require.NotEmpty(t, p.Text)
		require.LessOrEqual(t, len(p.Text), PartBytes)
		if n == 1 {
			joined.Offset = p.Offset
		}
		require.Equal(t, joined.Offset+int64(text.Len()), p.Offset)
		require.True(t, p.Last || len(p.Text) > PartBytes-4)
		require.True(t, utf8.Valid(p.Text), "cut between characters")
		text.Write(p.Text)
		if p.Last {
			joined.Text, joined.Last = text.String(), true
			return joined, nil
		}
	}
}

func TestPartsOfAnElementThatIsTooLong(t *testing.T) {
	filler := strings.Repeat(`\"}]é語\\`, MaxValueBytes/8)
	for name, long := range map[string]string{
		"an object":            `{"a":[{"b":"` + filler + `"}],"c":{}}`,
		"a list":               `[1,{"a":"]"},"` + filler + `"]`,
		"many small members":   `{` + strings.Repeat(`"a":[1,"}"],`, MaxValueBytes/8) + `"b":2}`,
		"a text":               `"` + filler + `"`,
		"a text with an end":   `"` + filler + `\\"`,
		"a number":             strings.Repeat("1", MaxValueBytes+10),
		"as long as the parts": `"` + strings.Repeat("x", 10*PartBytes-2) + `"`,
	} {
		for how, sizes := range map[string][]byte{"at once": nil, "in small reads": {255, 0, 3}} {
			for behind, end := range map[string]string{"an element": `,3,"4"],"x":1}y`, "a space": ` , 3, "4"],"x":1}y`} {
				t.Run(name+"/"+how+"/"+behind, func(t *testing.T) {
					w := over(`{"Records":[1,`+long+","+long+end, io.EOF, sizes...)
					e, ok := w.Envelope("Records")
					require.True(t, ok)
					list, err := elementsAndParts(t, e)
					require.Equal(t, io.EOF, err)
					require.Equal(t, []string{"1", long, long, "3", `"4"`}, texts(list))
					_, after, err := e.Rest()
					require.NoError(t, err)
					assert.Equal(t, `"x":1`, string(after))
					assert.Equal(t, "y", string(w.Peek(10)))
					assert.LessOrEqual(t, len(w.buf), 2*MaxValueBytes)
				})
			}
		}
	}
}

func TestPartsOfAnElementThatIsBroken(t *testing.T) {
	open := `{"a":"` + strings.Repeat("x", 2*MaxValueBytes)
	for name, tc := range map[string]struct {
		text, want string
		end        error
		err        string
		rest       string
	}{
		"a string without an end":    {open + "\n{\"b\":1}\n", open, io.EOF, "want a comma or the end of the array", "{\"b\":1}\n"},
		"where a part would begin":   {open[:9*PartBytes] + "\n{\"b\":1}\n", open[:9*PartBytes], io.EOF, "stream ends inside a value", "\n{\"b\":1}\n"},
		"the stream ends inside":     {open, open, io.EOF, "stream ends inside a value", ""},
		"the stream ends at a part":  {open[:9*PartBytes], open[:9*PartBytes], io.EOF, "stream ends inside a value", ""},
		"the source breaks":          {open[:9*PartBytes+10], open[:9*PartBytes], errSource, errSource.Error(), open[9*PartBytes : 9*PartBytes+10]},
		"the source breaks behind":   {open + `"}`, open + `"}`, errSource, errSource.Error(), ""},
		"an element without a comma": {open + `"} 2]`, open + `"}`, io.EOF, "want a comma or the end of the array", "2]"},
	} {
		t.Run(name, func(t *testing.T) {
			w := over(`{"Records":[1,`+tc.text, tc.end)
			e, ok := w.Envelope("Records")
			require.True(t, ok)
			list, err := elementsAndParts(t, e)
			require.ErrorContains(t, err, tc.err)
			require.Len(t, list, 2)
			require.Equal(t, tc.want, list[1].Text)
			assert.Equal(t, tc.rest, string(w.Peek(100)))
		})
	}
}

func TestPartOfWhatIsNotTooLong(t *testing.T) {
	w := over(`{"Records":[1,x]}`, io.EOF)
	e, ok := w.Envelope("Records")
	require.True(t, ok)
	_, err := e.Part()
	assert.Equal(t, errNoParts, err)
	_, err = e.Element()
	require.NoError(t, err)
	_, broken := e.Element()
	require.ErrorIs(t, broken, ErrNotJSON)
	_, err = e.Part()
	assert.Equal(t, broken, err)
}

func TestHoldsOnly(t *testing.T) {
	long := strings.Repeat("1,", MaxValueBytes/2)
	for name, tc := range map[string]struct {
		text string
		want bool
	}{
		"a list":                        {`{"items":[{"a":1},{"b":[2]}]}`, true},
		"an empty list":                 {`{"items":[]}`, true},
		"white space":                   {"\n { \"items\" : [ 1 ,\n 2 ] \n } x", true},
		"another name of these":         {`{"events":[1]}{`, true},
		"another name":                  {`{"other":[1]}`, false},
		"a member before":               {`{"a":1,"items":[1]}`, false},
		"a member behind":               {`{"items":[1],"a":1}`, false},
		"a list behind":                 {`{"items":[1],"events":[1]}`, false},
		"no list":                       {`{"items":{"items":[1]}}`, false},
		"a list that is broken":         {`{"items":[1,x]}`, false},
		"a list that breaks off":        {`{"items":[1,`, false},
		"an object that breaks off":     {`{"items":[1]`, false},
		"an object that ends otherwise": {`{"items":[1]]`, false},
		"a list as long as may be":      {`{"items":[` + long[:MaxValueBytes-4] + `11]}`, true},
		"a list that is too long":       {`{"items":[` + long + `1]}`, false},
		"a list alone":                  {`[1]`, false},
		"nothing":                       {" ", false},
	} {
		t.Run(name, func(t *testing.T) {
			ways := cuts()
			if len(tc.text) > 1000 {
				ways = map[string][]byte{"at once": nil, "in small reads": {255, 0, 3}}
			}
			for how, sizes := range ways {
				w := over(tc.text, io.EOF, sizes...)
				assert.Equal(t, tc.want, w.HoldsOnly("events", "items"), how)
				assert.LessOrEqual(t, w.Offset(), int64(1), how)
				_, ok := w.Envelope("events", "items")
				assert.True(t, ok || !tc.want, how)
			}
		})
	}
	assert.False(t, over(`{"items":[1]`, errSource).HoldsOnly("items"))
}
