package format_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluice/internal/format"
	"sluice/internal/service"
)

const activityHead = "'2024-02-01T00:00:05Z UTC [ db=dev user=awsuser pid=32453 userid=100 xid=1864 ]' LOG: "

// TestFirstLineOfQuery holds that a line which cannot be all of its query says so.
func TestFirstLineOfQuery(t *testing.T) {
	for query, whole := range map[string]bool{
		"select 1": true, "select 1;": true, "select count(*)": true, "select '(', \"(\"": true, "select 'it''s'": true,
		`select 'it\'s'`: true, `select 'it\'s`: true, "/* app (x */ select 1": true, "select 1 -- (": true, "select 1 /* , */": true,
		"create procedure p() as $$ select '( $$": true, "set enable_x to on": true, "select 1 from t for update": true,
		"insert into t default values": true, "fetch 10 in c) x": true, "select a,\nfrom": true, "select (\r\n1": true,
		"select a,": false, "select": false, "SELECT *": false, "select a from": false, "select a\tFROM": false,
		"insert into t (a": false, "select 'a": false, `select "a`: false, "select a /* why": false, "/* app */": false,
		"-- report": false, "select a, -- first": false, "select a, /* first */": false, "select a where b =": false,
		"create procedure p() as $$": false, "/*/": false, "select (a)and": false, "": false,
	} {
		t.Run(query, func(t *testing.T) {
			for _, end := range []string{"", "\r\n"} {
				got, ok := columnsOf(t, format.NewAttributes(format.AWS), service.Redshift, "", activityHead+query+end)
				require.True(t, ok)
				want := "query_first_line='" + query + "'"
				switch {
				case whole:
					want = "query='" + query + "'"
				case query == "":
					want = "xid='1864'"
				}
				assert.Equal(t, want, got[len(got)-1])
				assert.NotContains(t, got, "query=''")
			}
		})
	}
	got, ok := columnsOf(t, format.NewAttributes(format.OTel), service.Redshift, "", activityHead+"select a,")
	require.True(t, ok)
	assert.Contains(t, got, "query_first_line='select a,'")
	got, ok = columnsOf(t, format.NewAttributes(format.OTel), service.Redshift, "", activityHead+"select a\r\nfrom t;\r\n")
	require.True(t, ok)
	assert.Contains(t, got, "db.query.text='select a\r\nfrom t;'")
}
