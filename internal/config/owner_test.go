package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAllowedOwners(t *testing.T) {
	const one, two = "123456789012", "012345678901" // a number with a zero in front is a text too
	for name, tc := range map[string]struct {
		env  []string
		want []string
		err  string
	}{
		"none":                     {},
		"an empty variable":        {env: []string{"SLUICE_ALLOWED_OWNERS="}},
		"variable":                 {env: []string{"SLUICE_ALLOWED_OWNERS=" + one}, want: []string{one}},
		"several, with spaces":     {env: []string{"SLUICE_ALLOWED_OWNERS= " + one + " , " + two + " "}, want: []string{one, two}},
		"list of numbers":          {env: []string{"SLUICE_CONFIG=allowed_owners: [" + one + ", " + two + "]"}, want: []string{one, two}},
		"list of texts":            {env: []string{"SLUICE_CONFIG=allowed_owners: ['" + one + "']"}, want: []string{one}},
		"each once":                {env: []string{"SLUICE_ALLOWED_OWNERS=" + one + "," + one}, want: []string{one}},
		"a variable wins":          {env: []string{"SLUICE_ALLOWED_OWNERS=" + one, "SLUICE_CONFIG=allowed_owners: " + two}, want: []string{one}},
		"a space":                  {env: []string{"SLUICE_ALLOWED_OWNERS= "}, err: `SLUICE_ALLOWED_OWNERS: "": want ids of accounts, each of 12 digits`},
		"a comma at the end":       {env: []string{"SLUICE_ALLOWED_OWNERS=" + one + ","}, err: `SLUICE_ALLOWED_OWNERS: "": want ids of accounts`},
		"no account":               {env: []string{"SLUICE_ALLOWED_OWNERS=*"}, err: `SLUICE_ALLOWED_OWNERS: "*": want ids of accounts`},
		"eleven digits":            {env: []string{"SLUICE_ALLOWED_OWNERS=" + one[1:]}, err: `SLUICE_ALLOWED_OWNERS: "23456789012": want`},
		"an empty list":            {env: []string{"SLUICE_CONFIG=allowed_owners: []"}, err: "allowed_owners (line 1): is empty, which would allow every account: want ids of accounts"},
		"a mapping":                {env: []string{"SLUICE_CONFIG=allowed_owners: {a: b}"}, err: "allowed_owners (line 1): a mapping: want ids of accounts"},
		"too many":                 {env: []string{"SLUICE_CONFIG=allowed_owners: [" + accounts(1001) + "]"}, err: "allowed_owners (line 1): has 1001 accounts or more: want at most 1000"},
		"as many as there may be":  {env: []string{"SLUICE_CONFIG=allowed_owners: [" + accounts(1000) + "]"}, want: strings.Split(accounts(1000), ", ")},
		"beside those of a bucket": {env: []string{"SLUICE_BUCKETS=logs=" + two, "SLUICE_ALLOWED_OWNERS=" + one}, want: []string{one}},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := load(t, with(tc.env...))
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				assert.NotContains(t, err.Error(), "\n", "one problem")
				return
			}
			require.NoError(t, err)
			assertValid(t, c)
			assert.Equal(t, tc.want, c.AllowedOwners)
			assert.Empty(t, c.Warnings)
		})
	}
}

func accounts(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("%012d", i)
	}
	return strings.Join(list, ", ")
}

// The bytes as they came may hold a second payload, of another account.
func TestAllowedOwnersRefusesOriginal(t *testing.T) {
	_, err := LoadTransform(t.Context(), Environ([]string{"SLUICE_FIREHOSE_OUTPUT=original", "SLUICE_ALLOWED_OWNERS=123456789012"}), stub{})
	require.ErrorContains(t, err, "firehose_output: original sends the bytes as they came")
	_, err = LoadTransform(t.Context(), Environ([]string{"SLUICE_FIREHOSE_OUTPUT=message", "SLUICE_ALLOWED_OWNERS=123456789012"}), stub{})
	require.NoError(t, err)
}
