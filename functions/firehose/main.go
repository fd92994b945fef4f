// Command firehose is the Lambda function behind the data transformation of a Firehose delivery stream.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"sluice/internal/forward"
)

func main() {
	lambda.Start(forward.Firehose(forward.TransformFromEnvironment(context.Background())))
}
