package tags

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"sluice/internal/awsenv"
	"sluice/internal/record"
)

// The services that know tags. Formats: Resource Groups Tagging API reference and CloudWatch Logs API reference.
var (
	taggingAPI = awsenv.Service{
		Name: "tagging", SDKID: "Resource Groups Tagging API", Target: "ResourceGroupsTaggingAPI_20170126",
	}
	logsAPI = awsenv.Service{Name: "logs", SDKID: "CloudWatch Logs", Target: "Logs_20140328"}
)

// maxCallResources is how many resources GetResources takes (its reference, ResourceARNList).
const maxCallResources = 100

// api is how the tags of one kind are asked for.
type api struct {
	permission string
	most       int // resources of a call
	ask        func(ctx context.Context, aws Caller, region string, arns []string) (answer, error)
}

// answer is what an API says of the resources of a call.
type answer struct {
	tags  map[string]record.Tags // of those that are named; there may be none
	whole bool                   // the others have none; otherwise nothing was said of them
}

func apiOf(kind Kind) api {
	if kind == LogGroup {
		return api{permission: "logs:ListTagsForResource", most: 1, ask: listTagsForResource}
	}
	return api{permission: "tag:GetResources", most: maxCallResources, ask: getResources}
}

// The errors of both are those of a Caller, which say what was called.

// getResources asks the Resource Groups Tagging API, which leaves out what has no tags. A list of ARNs and a token for the
// next page exclude each other, so what is missing from an answer with a token is asked for again by name.
// Format: Resource Groups Tagging API reference, "GetResources".
func getResources(ctx context.Context, aws Caller, region string, arns []string) (answer, error) {
	in := struct {
		ResourceARNList []string
	}{arns}
	var out struct {
		PaginationToken        string
		ResourceTagMappingList []struct {
			ResourceARN string
			Tags        []struct{ Key, Value string }
		}
	}
	if err := aws.Call(ctx, taggingAPI, region, "GetResources", in, &out); err != nil {
		return answer{}, err
	}
	texts := map[string][]string{}
	for _, r := range out.ResourceTagMappingList {
		if !slices.Contains(arns, r.ResourceARN) {
			continue
		}
		texts[r.ResourceARN] = append(texts[r.ResourceARN], "") // it is named, with tags or without
		for _, tag := range r.Tags {
			texts[r.ResourceARN] = append(texts[r.ResourceARN], Clean(tag.Key, tag.Value))
		}
	}
	a := answer{tags: make(map[string]record.Tags, len(texts)), whole: out.PaginationToken == ""}
	for arn := range texts {
		a.tags[arn] = cleaned(texts[arn])
	}
	if !a.whole && len(a.tags) == 0 {
		return answer{}, fmt.Errorf("the answer of GetResources has a token for more, and none of the %d resources asked for", len(arns))
	}
	return a, nil
}

// listTagsForResource asks CloudWatch Logs for the tags of one log group.
// Format: CloudWatch Logs API reference, "ListTagsForResource".
func listTagsForResource(ctx context.Context, aws Caller, region string, arns []string) (answer, error) {
	in := struct {
		ResourceARN string `json:"resourceArn"`
	}{arns[0]}
	var out struct {
		Tags map[string]string `json:"tags"`
	}
	err := aws.Call(ctx, logsAPI, region, "ListTagsForResource", in, &out)
	if code := codeOf(err); strings.Contains(code, "ResourceNotFound") {
		return answer{whole: true}, nil
	}
	if err != nil {
		return answer{}, err
	}
	texts := make([]string, 0, len(out.Tags))
	for key, value := range out.Tags {
		texts = append(texts, Clean(key, value))
	}
	return answer{tags: map[string]record.Tags{arns[0]: cleaned(texts)}, whole: true}, nil
}

// codeOf is AWS's word for the refusal that err is; empty when it is none.
func codeOf(err error) string {
	if api, ok := errors.AsType[*awsenv.APIError](err); ok {
		return api.Code
	}
	return ""
}

// isInvalid reports whether AWS did not like what it was asked, which may be one resource among many.
func isInvalid(err error) bool {
	code := codeOf(err)
	return strings.Contains(code, "InvalidParameter") || strings.Contains(code, "Validation")
}

// isThrottled reports whether AWS had too many calls.
func isThrottled(err error) bool {
	api, ok := errors.AsType[*awsenv.APIError](err)
	return ok && (api.Status == http.StatusTooManyRequests || strings.Contains(api.Code, "Throttl") ||
		strings.Contains(api.Code, "LimitExceeded"))
}

// isDenied reports whether somebody has to do something before such a call can succeed.
func isDenied(err error) bool {
	api, ok := errors.AsType[*awsenv.APIError](err)
	return ok && (api.Status == http.StatusUnauthorized || api.Status == http.StatusForbidden || strings.Contains(api.Code, "AccessDenied"))
}

// explain adds what to do about a failed call, where there is something.
func (a *api) explain(err error) error {
	if isDenied(err) {
		return fmt.Errorf("%w; grant the function %s on all resources, or do not look these tags up", err, a.permission)
	}
	return err
}
