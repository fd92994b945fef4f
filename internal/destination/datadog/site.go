package datadog

import (
	"fmt"
	"strings"

	official "github.com/DataDog/datadog-api-client-go/v2/api/datadog"
)

const (
	submitLog = "v2.LogsApi.SubmitLog" // the operation in the official client's server table
	logsPath  = "/api/v2/logs"

	bySite = 0 // https://{subdomain}.{site}, for the sites the client knows
	byName = 1 // {protocol}://{name}
)

// SiteURL is the logs intake of a Datadog site, such as datadoghq.eu, from the official client's table. known is false
// for a site that the table does not have: it may be newer than the table, so it gets the URL that all sites share. The
// error is about a site that is no host name. Making the table takes some 60 µs: ask once.
func SiteURL(site string) (url string, known bool, err error) {
	site = strings.ToLower(site) // as host names are compared
	if !isHostName(site) {
		return "", false, fmt.Errorf("datadog site %q: want a host name such as datadoghq.eu", site)
	}
	servers := official.NewConfiguration().OperationServers[submitLog]
	if url, err := servers.URL(bySite, map[string]string{"site": site}); err == nil {
		return url + logsPath, true, nil
	}
	url, err = servers.URL(byName, map[string]string{"name": "http-intake.logs." + site})
	if err != nil {
		return "", false, fmt.Errorf("intake of Datadog site %q: %w", site, err)
	}
	return url + logsPath, false, nil
}

// isHostName reports whether a site in lower case can become the end of a host name and nothing else: the API key goes
// there.
func isHostName(site string) bool {
	return site != "" && site[0] != '.' && strings.Trim(site, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == ""
}

// IntakeURL is the logs intake below a base URL of the user's: a private link, a proxy, an Observability Pipelines worker.
// A URL that already names the logs API is left as it is.
func IntakeURL(base string) string {
	base = strings.TrimRight(base, "/")
	if strings.HasSuffix(base, logsPath) {
		return base
	}
	return base + logsPath
}
