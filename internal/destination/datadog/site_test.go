package datadog

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSiteURL(t *testing.T) {
	for site, known := range map[string]bool{
		"datadoghq.com": true, "us3.datadoghq.com": true, "us5.datadoghq.com": true, "datadoghq.eu": true, "ap1.datadoghq.com": true,
		"ap2.datadoghq.com": true, "uk1.datadoghq.com": true, "ddog-gov.com": true, "us2.ddog-gov.com": true,

		"mars1.datadoghq.com": false, "datad0g.com": false, "logs.internal": false, "a_b-c.example": false,
	} {
		url, got, err := SiteURL(site)
		assert.NoError(t, err, site)
		assert.Equal(t, "https://http-intake.logs."+site+"/api/v2/logs", url)
		assert.Equal(t, known, got, site)
	}
	url, known, err := SiteURL("DatadogHQ.eu")
	assert.NoError(t, err)
	assert.True(t, known, "host names have no case")
	assert.Equal(t, "https://http-intake.logs.datadoghq.eu/api/v2/logs", url)
}

// The API key goes to where a site leads, so a site can be the end of a host name and nothing else.
func TestSiteURLHostileSites(t *testing.T) {
	for _, site := range []string{
		"", ".", ".datadoghq.com", " datadoghq.com", "datadoghq.com\n", "example.com/", "example.com/?", "example.com#", "a@example.com", "@example.com",
		"example.com:8080", "[::1]", "%2e", `example.com\x`, "{protocol}", "{name}", "{site}", "a b", "\x00", "ä.eu", "<x>", "a,b", "$(x)",
	} {
		url, known, err := SiteURL(site)
		assert.ErrorContains(t, err, "want a host name", site)
		assert.Empty(t, url)
		assert.False(t, known)
	}
}

func TestIntakeURL(t *testing.T) {
	for base, want := range map[string]string{
		"https://logs.example.com":               "https://logs.example.com/api/v2/logs",
		"https://logs.example.com/":              "https://logs.example.com/api/v2/logs",
		"http://localhost:8282":                  "http://localhost:8282/api/v2/logs",
		"https://logs.example.com/proxy//":       "https://logs.example.com/proxy/api/v2/logs",
		"https://logs.example.com/api/v2/logs":   "https://logs.example.com/api/v2/logs",
		"https://logs.example.com/api/v2/logs/":  "https://logs.example.com/api/v2/logs",
		"https://logs.example.com/x/api/v2/logs": "https://logs.example.com/x/api/v2/logs",
		"https://logs.example.com/api/v2":        "https://logs.example.com/api/v2/api/v2/logs",
	} {
		assert.Equal(t, want, IntakeURL(base))
	}
}

// BenchmarkSiteURL shows what the official client's table costs at start-up.
func BenchmarkSiteURL(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := SiteURL("datadoghq.eu"); err != nil {
			b.Fatal(err)
		}
	}
}
