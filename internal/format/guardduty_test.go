package format_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"sluice/internal/format"
	"sluice/internal/service"
)

// finding is an event of EventBridge, of an administrator's account.
const (
	finding = `{"version":"0","id":"cd2d702e","detail-type":"GuardDuty Finding","source":"aws.guardduty","account":"111122223333","time":"2024-02-01T00:06:00Z","region":"us-east-1","resources":[],"detail":` +
		`{"schemaVersion":"2.0","accountId":"123456789012","region":"us-east-1","id":"f1","type":"Recon:EC2/Portscan","service":{"count":3},"severity":5.30,"updatedAt":"2024-02-01T00:05:00.250Z","title":"a \"b\""}}`
	findingAWS = `{"version":"0","eventbridge_id":"cd2d702e","detail-type":"GuardDuty Finding","source":"aws.guardduty","account":"111122223333","time":"2024-02-01T00:06:00Z","resources":[],` +
		`"schemaVersion":"2.0","accountId":"123456789012","region":"us-east-1","id":"f1","type":"Recon:EC2/Portscan","service":{"count":3},"severity":5.30,"updatedAt":"2024-02-01T00:05:00.250Z","title":"a \"b\""}`
	findingECS = `{"version":"0","eventbridge_id":"cd2d702e","detail-type":"GuardDuty Finding","event.provider":"aws.guardduty","account":"111122223333","time":"2024-02-01T00:06:00Z","resources":[],` +
		`"schemaVersion":"2.0","cloud.account.id":"123456789012","cloud.region":"us-east-1","event.id":"f1","type":"Recon:EC2/Portscan","service":{"count":3},"severity":5.30,"updatedAt":"2024-02-01T00:05:00.250Z","title":"a \"b\""}`
)

func TestFindingOfEventBridge(t *testing.T) {
	for name, tc := range map[string]struct {
		naming     format.Naming
		line, want string
	}{
		"AWS":             {format.AWS, finding, findingAWS},
		"ECS":             {format.ECS, finding, findingECS},
		"over lines":      {format.ECS, strings.NewReplacer(`:{`, ": {\r\n", `,"`, ",\r\n\t\"").Replace(finding) + " ", findingECS},
		"another id":      {format.AWS, `{"id":"1","detail-type":"x","detail":{"id":"2","eventbridge_id":"3"}}`, `{"detail-type":"x","id":"2","eventbridge_id":"3"}`},
		"nothing in it":   {format.AWS, `{"id":"1","detail-type":"x","detail":{}}`, `{"eventbridge_id":"1","detail-type":"x"}`},
		"no detail":       {format.AWS, `{"id":"1","detail-type":"x"}`, `{"id":"1","detail-type":"x"}`},
		"detail is none":  {format.AWS, `{"id":"1","detail-type":"x","detail":null}`, `{"id":"1","detail-type":"x","detail":null}`},
		"detail in S3":    {format.AWS, `{"id":"1","detail":{"id":"2"}}`, `{"id":"1","detail":{"id":"2"}}`},
		"cut":             {format.AWS, finding[:len(finding)-1], ""},
		"cut in detail":   {format.AWS, finding[:len(finding)-2], ""},
		"not valid":       {format.AWS, `{"detail-type":"x","detail":{"id":01}}`, ""},
		"text behind":     {format.AWS, finding + "x", ""},
		"wrong bracket":   {format.AWS, `{"detail-type":"x","detail":{"id":[1}]}}`, ""},
		"comma too many":  {format.AWS, `{"detail-type":"x","detail":{"id":1,}}`, ""},
		"not an object":   {format.AWS, `["detail-type","detail"]`, ""},
		"detail first":    {format.AWS, `{"detail":{"id":"2"},"id":"1","detail-type":"x"}`, `{"eventbridge_id":"1","detail-type":"x","id":"2"}`},
		"member in both":  {format.AWS, `{"detail-type":"x","time":"1","detail":{"time":"2"}}`, `{"detail-type":"x","time":"2"}`},
		"escaped members": {format.AWS, `{"detail-type":"x","a\"\u0041":1,"detail":{"\n":2}}`, `{"detail-type":"x","a\"A":1,"\n":2}`},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.want, attributesOf(t, tc.naming, service.GuardDuty, tc.line))
			assert.Equal(t, tc.want, attributesOf(t, tc.naming, service.GuardDuty, tc.line+"\r\n"))
		})
	}
	assertDocumented(t, service.GuardDuty, findingAWS)
	clock := format.NewClock(service.GuardDuty)
	assert.Equal(t, at(t, "2024-02-01T00:05:00.250Z"), clock.Millis([]byte(finding+"\r\n")))
	assert.Zero(t, clock.Millis([]byte(`{"detail":{"time":"2024-02-01T00:05:00.250Z"}}`)))
	assert.Zero(t, clock.Millis([]byte(`{"detail":"updatedAt"}`)))
}
