package forward

import (
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sluice/internal/config"
	"sluice/internal/park"
	"sluice/internal/source/object"
)

// objectSource is what reading S3 objects takes, kept between invocations.
type objectSource struct {
	decoder         object.Decoder
	client          func() (s3Client, error) // made when it is first needed: most functions never do
	routes          routes
	decodeID        string // of the settings that decide how objects decode
	strict          bool   // what cannot be redacted is not sent
	maxPlain        int64  // bytes of an object after decompression
	followManifests bool
}

func newObjectSource(cfg *config.Config, client func() (s3Client, error)) (*objectSource, error) {
	routes, err := routesOf(cfg)
	if err != nil {
		return nil, err
	}
	return &objectSource{
		client: client, routes: routes, decodeID: decodeID(cfg), strict: cfg.Redacts(), maxPlain: cfg.MaxObjectBytes, followManifests: cfg.FollowManifests,
	}, nil
}

// s3Client is what is asked of S3.
type s3Client interface {
	object.Getter
	park.Client
}

// lazyClient makes the client of S3 once, of what the environment says.
func lazyClient(configure func() (aws.Config, error)) func() (s3Client, error) {
	return sync.OnceValues(func() (s3Client, error) {
		cfg, err := configure()
		if err != nil {
			return nil, fmt.Errorf("client of s3: %w", err)
		}
		return object.NewClient(cfg), nil
	})
}
