package template_test

import (
	"fmt"
	"slices"
	"strings"
)

// manifestData is what the keys of objects begin with that a manifest lists.
const manifestData = "${ManifestDataPrefix}*"

// checkManifests complains of a role that may not read what a manifest lists where manifests are followed, and of one that
// may where they are not. The manifests themselves are announced, and stand below another prefix.
func checkManifests(w world) []string {
	var complaints []string
	for _, function := range w.template.of(functionType) {
		role := resourceOf(w.template.prop(function, "Role"))
		if !may(w.template, role, "s3:GetObject", "arn:${AWS::Partition}:s3:::${Bucket1}/${BucketPrefix}*") {
			continue
		}
		var allowed []string
		for _, policy := range policiesOf(w.template, role) {
			for _, item := range asList(at(policy.document, "Statement")) {
				actions, wrong := manifestActions(item)
				allowed, complaints = append(allowed, actions...), append(complaints, wrong...)
			}
		}
		for _, action := range []string{"s3:GetObject", "s3:ListBucket"} {
			if !slices.Contains(allowed, action) {
				complaints = append(complaints, fmt.Sprintf("%s: may not do %s with what a manifest lists", role, action))
			}
		}
	}
	return complaints
}

// manifestActions returns what an item of a policy allows with the objects that manifests list, and complaints about it.
func manifestActions(item any) (actions, complaints []string) {
	branches := asList(at(item, "Fn::If"))
	follows := len(branches) == 3 && asText(branches[0]) == "FollowsManifests" && len(either(branches[2])) == 0
	for _, statement := range statements(object{"Statement": []any{item}}) {
		if !isOfManifests(statement) {
			continue
		}
		sid := asText(statement["Sid"])
		if !follows {
			complaints = append(complaints, sid+" holds where no manifest is followed")
		}
		for _, resource := range choices(statement["Resource"]) {
			if !strings.HasSuffix(resource, manifestData) && !sourceBucket.MatchString(resource) {
				complaints = append(complaints, fmt.Sprintf("%s: %s is not what manifests list", sid, resource))
			}
		}
		actions = append(actions, texts(statement["Action"])...)
	}
	return actions, complaints
}

// isOfManifests reports whether a statement is about the objects that manifests list.
func isOfManifests(statement object) bool {
	return asText(at(statement, "Condition", "StringLike", "s3:prefix")) == manifestData ||
		slices.ContainsFunc(choices(statement["Resource"]), func(resource string) bool { return strings.HasSuffix(resource, manifestData) })
}

// manifestFaults are those in what reads the objects that a manifest lists.
var manifestFaults = map[string]fault{
	"manifest that leads to what may not be read": {
		check: "manifests can be followed", after: "ReadWhatManifestsList", old: "${Bucket1}/${ManifestDataPrefix}*", new: "${Bucket1}/${BucketPrefix}*",
		want: "ReadWhatManifestsList: arn:${AWS::Partition}:s3:::${Bucket1}/${BucketPrefix}* is not what manifests list",
	},
	"manifests followed without a right to read": {
		check: "manifests can be followed", old: "            - Sid: ReadWhatManifestsList\n              Effect: Allow\n              Action:\n                - s3:GetObject\n",
		new:  "            - Sid: ReadWhatManifestsList\n              Effect: Allow\n              Action:\n",
		want: "ReplayRole: may not do s3:GetObject with what a manifest lists",
	},
	"what a manifest lists that cannot be told from what is gone": {
		check: "manifests can be followed", after: "TellGoneOfManifests", old: "Action: s3:ListBucket", new: "Action: s3:GetObject",
		want: "S3Role: may not do s3:ListBucket with what a manifest lists",
	},
	"what no manifest leads to": {
		check: "manifests can be followed", old: "            - FollowsManifests\n            - Sid: ReadWhatManifestsList",
		new: "            - HasBuckets\n            - Sid: ReadWhatManifestsList", want: "ReadWhatManifestsList holds where no manifest is followed",
	},
	"list of a whole source of manifests": {
		check: "roles are least privilege", old: "s3:prefix: !Sub ${ManifestDataPrefix}*", new: "s3:prefix: \"*\"",
		want: "TellGoneOfManifests lists the whole bucket",
	},
	"bucket whose manifests are not followed": {
		check: "every bucket is known everywhere", after: "ReadWhatManifestsList", old: "[HasBucket4,", new: "[HasBucket5,",
		want: "ReadObjectsPolicy ReadWhatManifestsList: knows",
	},
}
