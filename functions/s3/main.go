// Command s3 is the Lambda function behind notifications of S3 objects, by whatever route, and S3 Batch Operations.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"sluice/internal/forward"
)

func main() {
	lambda.Start(forward.S3(forward.ObjectsFromEnvironment(context.Background())))
}
