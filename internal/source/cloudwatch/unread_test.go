package cloudwatch

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/record"
)

func TestErrorTellsFromWhereNothingWasYielded(t *testing.T) {
	const good = `{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"g","logStream":"s","subscriptionFilters":[],"logEvents":[{"id":"1","timestamp":1,"message":"a"}`
	other := strings.Replace(good, "DATA_MESSAGE", "OTHER", 1) + "]}"
	for name, tc := range map[string]struct {
		payload string
		want    int
	}{
		"nothing":                          {"", 0},
		"the first document":               {other, 0},
		"behind an event":                  {good + `,{"id":x`, len(good)},
		"at the end of what there is":      {good, len(good)},
		"the second document":              {good + "]}\n" + other, len(good) + 3},
		"no document behind one":           {good + "]}x", len(good)},
		"events that came before the type": {`{"logEvents":[{"id":"1"}],"messageType":"OTHER"}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var d Decoder
			var last error
			for _, err := range d.Records(strings.NewReader(tc.payload), &record.Origin{}) {
				last = err
			}
			var placed *Error
			require.ErrorAs(t, last, &placed)
			assert.Equal(t, int64(tc.want), placed.Unread)
		})
	}
}
