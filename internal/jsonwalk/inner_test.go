package jsonwalk

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestInnerWalk holds an array whose objects are walked through where they stand to one whose values are looked at first.
func TestInnerWalk(t *testing.T) {
	for name, doc := range map[string]string{
		"objects":                  `[{"a":1}, {"b":"x]}","c":[{}]} ,{}]`,
		"other values between":     `[1,{"a":null},"x",[2,{"b":3}],{"c":4},null]`,
		"an object is not closed":  `[{"a":1},{"b":2`,
		"a bracket of another":     `[{"a":1],{"b":2}]`,
		"a member without a value": `[{"a":},{"b":2}]`,
		"nothing":                  `[]`,
		"cut short":                `[{"a":1},`,
		"text behind a value":      `[{"a":1}x,{"b":2}]`,
	} {
		t.Run(name, func(t *testing.T) {
			walk := func(where bool) (values, names []string, err error) {
				elements := Array([]byte(doc))
				for elements.Next() {
					var members Walk
					if where {
						members = elements.Object()
					} else {
						members = Object(elements.Value())
					}
					for members.Next() {
						names = append(names, string(members.Name())+"="+string(members.Value()))
					}
					elements.Passed(&members)
					values = append(values, string(elements.Value()))
				}
				return values, names, elements.Err()
			}
			values, _, err := walk(false)
			got, names, gotErr := walk(true)
			assert.Equal(t, values, got)
			assert.Equal(t, err, gotErr)
			_, wantNames, _ := walk(false)
			assert.Subset(t, names, wantNames)
		})
	}
}
