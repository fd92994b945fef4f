// Package awsenv is AWS as a Lambda function knows it: region, credentials and endpoints are in the environment.
//
// It gives the SDK's clients their configuration, and makes calls of the JSON protocol for which no client is worth
// linking: the three clients that read secrets, and the loading of profiles and single sign-on that no function has, are
// 3.7 MB of the 5.8 MB that an empty function has. What is signed is signed by the SDK.
package awsenv

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// Environment reads the variables that Lambda and the AWS SDKs define. It is safe for concurrent use.
type Environment struct {
	get    func(name string) string
	client aws.HTTPClient
	signer *v4.Signer
	sleep  func(context.Context, time.Duration) error
}

// New returns the environment that get looks variables up in. Nothing is read before it is needed.
func New(get func(name string) string) *Environment {
	return &Environment{
		get:    get,
		client: awshttp.NewBuildableClient().WithTimeout(callTimeout),
		signer: v4.NewSigner(),
		sleep:  sleep,
	}
}

// Config is the configuration for clients of the SDK. An error says which variable is missing.
func (e *Environment) Config() (aws.Config, error) {
	region := e.region()
	if region == "" {
		return aws.Config{}, errors.New("AWS_REGION is not set: want the region to call AWS in")
	}
	cfg := aws.Config{
		Region:           region,
		Credentials:      aws.CredentialsProviderFunc(e.credentials),
		HTTPClient:       e.client,
		RetryMaxAttempts: e.attempts(),
		ConfigSources:    []any{sources{e}},
	}
	// Where only the variable for all services is set, the SDK's clients ask for it here.
	if url := e.endpoint(""); url != "" {
		cfg.BaseEndpoint = &url
	}
	return cfg, nil
}

func (e *Environment) region() string {
	if region := e.get("AWS_REGION"); region != "" {
		return region
	}
	return e.get("AWS_DEFAULT_REGION")
}

func (e *Environment) credentials(context.Context) (aws.Credentials, error) {
	c := aws.Credentials{
		AccessKeyID:     e.get("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: e.get("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    e.get("AWS_SESSION_TOKEN"),
		Source:          "environment",
	}
	if !c.HasKeys() {
		return aws.Credentials{}, errors.New("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set")
	}
	return c, nil
}

const defaultAttempts = 3

// attempts is how often a call is made at most.
func (e *Environment) attempts() int {
	if n, err := strconv.Atoi(e.get("AWS_MAX_ATTEMPTS")); err == nil && n > 0 {
		return n
	}
	return defaultAttempts
}

// endpoint is the URL that a service is told to have, by a variable for it or for all; empty when there is none.
func (e *Environment) endpoint(sdkID string) string {
	if e.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") == "true" {
		return ""
	}
	if url := e.get("AWS_ENDPOINT_URL_" + strings.ToUpper(strings.ReplaceAll(sdkID, " ", "_"))); url != "" {
		return url
	}
	return e.get("AWS_ENDPOINT_URL")
}

func (e *Environment) fips() bool { return e.get("AWS_USE_FIPS_ENDPOINT") == "true" }

// sources answers what the SDK's clients ask of a configuration beyond its fields.
type sources struct{ e *Environment }

// GetServiceBaseEndpoint is asked by every client for its endpoint.
func (s sources) GetServiceBaseEndpoint(_ context.Context, sdkID string) (string, bool, error) {
	url := s.e.endpoint(sdkID)
	return url, url != "", nil
}

// GetUseFIPSEndpoint is asked by every client.
func (s sources) GetUseFIPSEndpoint(context.Context) (aws.FIPSEndpointState, bool, error) {
	if s.e.fips() {
		return aws.FIPSEndpointStateEnabled, true, nil
	}
	return aws.FIPSEndpointStateUnset, false, nil
}

// suffixes are the domains of the partitions, by how their regions start.
var suffixes = []struct{ prefix, domain string }{
	{"cn-", "amazonaws.com.cn"},
	{"us-iso-", "c2s.ic.gov"},
	{"us-isob-", "sc2s.sgov.gov"},
	{"us-isof-", "csp.hci.ic.gov"},
	{"eu-isoe-", "cloud.adc-e.uk"},
	{"eusc-", "amazonaws.eu"},
}

// url is where a service is called in a region.
func (e *Environment) url(s Service, region string) string {
	if url := e.endpoint(s.SDKID); url != "" {
		return url
	}
	domain := "amazonaws.com"
	for _, suffix := range suffixes {
		if strings.HasPrefix(region, suffix.prefix) {
			domain = suffix.domain
		}
	}
	host := s.Name
	if e.fips() {
		host += "-fips"
	}
	return fmt.Sprintf("https://%s.%s.%s/", host, region, domain)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
