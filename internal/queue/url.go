package queue

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

const (
	maxNameBytes   = 80 // SQS developer guide, "Amazon SQS standard queue quotas"
	accountDigits  = 12
	legacyHost     = "queue.amazonaws.com"
	legacyRegion   = "us-east-1" // of the legacy host without a region
	wantURL        = "expected https://sqs.<region>.amazonaws.com/<account>/<name>"
	maxRegionBytes = 32 // the longest today has 16
)

// domains are those of the partitions, and of the endpoints that speak IPv6 too. AWS general reference, "Amazon SQS endpoints
// and quotas".
var domains = []string{
	"amazonaws.com", "amazonaws.com.cn", "c2s.ic.gov", "sc2s.sgov.gov", "csp.hci.ic.gov", "cloud.adc-e.uk", "amazonaws.eu",
	"api.aws", "api.amazonwebservices.com.cn",
}

// regionOf returns the region that the URL of a queue names; "" for one on this machine, which stands for the function's own
// region. The forms:
//
//	https://sqs.<region>.<domain>/<account>/<name>             also with sqs-fips
//	https://<region>.queue.<domain>/<account>/<name>           legacy
//	https://queue.amazonaws.com/<account>/<name>               legacy, us-east-1
//	https://vpce-….sqs.<region>.vpce.<domain>/<account>/<name> private endpoint
//	http://localhost:<port>/<account>/<name>                   a stand-in for SQS on this machine
//
// The URL is a name: the call goes where the environment says that SQS is, never to the host in the URL. So one on this
// machine works with AWS_ENDPOINT_URL_SQS or AWS_ENDPOINT_URL alone, and without them AWS refuses it.
func regionOf(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return "", errors.New("the URL of the queue is not set: " + wantURL)
	case err != nil || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.RawFragment != "":
		return "", fmt.Errorf("the URL of the queue is none, or has more than host and path: %s", wantURL)
	}
	if err := checkPath(u.EscapedPath()); err != nil {
		return "", err
	}
	if isLoopback(u.Hostname()) && (u.Scheme == "http" || u.Scheme == "https") {
		return "", nil
	}
	region := regionOfHost(strings.ToLower(u.Host))
	if u.Scheme != "https" || region == "" {
		return "", fmt.Errorf("the URL of the queue has %+.80q: %s", u.Scheme+"://"+u.Host, wantURL)
	}
	return region, nil
}

// checkPath wants /<account>/<name> of a standard queue.
func checkPath(path string) error {
	words := strings.Split(path, "/")
	if len(words) != 3 || words[0] != "" || len(words[1]) != accountDigits || strings.Trim(words[1], "0123456789") != "" {
		return fmt.Errorf("the URL of the queue has the path %+.120q: %s", path, wantURL)
	}
	name := words[2]
	if strings.HasSuffix(name, ".fifo") {
		return fmt.Errorf("the queue %+.80q is a FIFO queue: use a standard one, order is not needed", name)
	}
	if name == "" || len(name) > maxNameBytes || strings.ContainsFunc(name, func(r rune) bool { return !isNameRune(r) }) {
		return fmt.Errorf("the queue is called %+.80q: expected 1 to %d letters, digits, '-' and '_'", name, maxNameBytes)
	}
	return nil
}

func isNameRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_'
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// regionOfHost returns the region of a host of SQS, "" when it is none.
func regionOfHost(host string) string {
	if host == legacyHost {
		return legacyRegion
	}
	labels := strings.SplitN(host, ".", 3)
	if strings.HasPrefix(host, "vpce-") && len(labels) == 3 { // vpce-….sqs.<region>.vpce.<domain>, as if it had no vpce
		region, domain, _ := strings.Cut(labels[2], ".vpce.")
		labels = []string{labels[1], region, domain}
	}
	if len(labels) != 3 || !slices.Contains(domains, labels[2]) {
		return ""
	}
	switch region := labels[1]; {
	case (labels[0] == "sqs" || labels[0] == "sqs-fips") && isRegion(region):
		return region
	case labels[1] == "queue" && isRegion(labels[0]):
		return labels[0]
	default:
		return ""
	}
}

// isRegion reports whether name is spelled like a region, as in us-gov-west-1.
func isRegion(name string) bool {
	words := strings.Split(name, "-")
	last := len(words) - 1
	if len(name) > maxRegionBytes || last < 2 || len(words[last]) != 1 || words[last][0] < '0' || words[last][0] > '9' {
		return false
	}
	for _, word := range words[:last] {
		if word == "" || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") != "" {
			return false
		}
	}
	return true
}
