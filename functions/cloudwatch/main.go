// Command cloudwatch is the Lambda function behind CloudWatch Logs subscriptions.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"sluice/internal/forward"
)

func main() {
	lambda.Start(forward.CloudWatch(forward.FromEnvironment(context.Background())))
}
