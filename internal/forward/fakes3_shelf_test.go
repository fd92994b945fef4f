package forward

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// ListObjectsV2 lists a bucket, two keys a page.
func (f *fakeS3) ListObjectsV2(_ context.Context, in *s3.ListObjectsV2Input, _ ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	if err := f.beforehand("LIST", in.Bucket, in.Prefix); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	prefix, after := aws.ToString(in.Prefix), cmp.Or(aws.ToString(in.ContinuationToken), aws.ToString(in.StartAfter))
	out := &s3.ListObjectsV2Output{IsTruncated: aws.Bool(false)}
	for _, name := range slices.Sorted(maps.Keys(f.objects)) {
		key, ours := strings.CutPrefix(name, *in.Bucket+"/")
		if !ours || !strings.HasPrefix(key, prefix) || key <= after {
			continue
		}
		if rest, _, deeper := strings.Cut(key[len(prefix):], aws.ToString(in.Delimiter)); deeper && in.Delimiter != nil {
			folder := prefix + rest + *in.Delimiter
			if n := len(out.CommonPrefixes); n == 0 || *out.CommonPrefixes[n-1].Prefix != folder {
				out.CommonPrefixes = append(out.CommonPrefixes, types.CommonPrefix{Prefix: &folder})
			}
			continue
		}
		if len(out.Contents) == 2 {
			out.IsTruncated, out.NextContinuationToken = aws.Bool(true), out.Contents[1].Key
			break
		}
		o := f.objects[name]
		out.Contents = append(out.Contents, types.Object{
			Key: &key, ETag: aws.String(`"` + o.ETag + `"`), Size: aws.Int64(o.Size), LastModified: aws.Time(start),
		})
	}
	return out, nil
}

// DeleteObject deletes what is as it is expected to be.
func (f *fakeS3) DeleteObject(_ context.Context, in *s3.DeleteObjectInput, _ ...func(*s3.Options)) (*s3.DeleteObjectOutput, error) {
	if err := f.beforehand("DELETE", in.Bucket, in.Key); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	name := *in.Bucket + "/" + *in.Key
	if o := f.objects[name]; o != nil && in.IfMatch != nil && strings.Trim(*in.IfMatch, `"`) != o.ETag {
		return nil, s3Error("DeleteObject", 412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	}
	delete(f.objects, name)
	f.log = append(f.log, "DELETE "+*in.Key)
	return &s3.DeleteObjectOutput{}, nil
}

// keysBelow are the keys of the park bucket that start so.
func (f *fakeS3) keysBelow(prefix string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var keys []string
	for _, name := range slices.Sorted(maps.Keys(f.objects)) {
		if key, ours := strings.CutPrefix(name, parkBucket+"/"); ours && strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	return keys
}
