package forward

// failedSamples are what Firehose keeps of records that it could not process or deliver. Their keys are their paths. A
// record has the time that it says itself, or else that at which it arrived at Firehose.
var failedSamples = []sample{
	{
		// Payloads of CloudWatch Logs, which keep their own times.
		file: "failed-objects/processing-failed/2026/02/01/09/cwl-to-intake-3-2026-02-01-09-35-10-000000a1-0a0b-4c0d-8e0f-0000000000a1",
		key:  "processing-failed/2026/02/01/09/cwl-to-intake-3-2026-02-01-09-35-10-000000a1-0a0b-4c0d-8e0f-0000000000a1",
		want: outcome{
			sent: 4, source: "lambda", service: "basket",
			first: "2026-02-01T09:30:00.288Z", last: "2026-02-01T09:30:00.289Z",
			firehose: `{
				"delivery_stream": "cwl-to-intake", "stream_version": "3", "hour": "2026-02-01T09",
				"error_type": "processing-failed", "error_code": "Lambda.FunctionError",
				"error_message": "The transforming function answered with an error.", "attempts_made": 4,
				"arrived_at": 1769938200321,
				"lambda_arn": "arn:aws:lambda:eu-west-1:111122223333:function:shape:$LATEST",
				"attempt_ending_timestamp": 1769938290000
			}`,
		},
	},
	{
		// A gzip member that is cut: the envelope is noted in the park store.
		file: "failed-objects/decompression-failed/2026/02/01/09/cwl-stream-1-2026-02-01-09-35-10-000000a2-0a0b-4c0d-8e0f-0000000000a2",
		key:  "decompression-failed/2026/02/01/09/cwl-stream-1-2026-02-01-09-35-10-000000a2-0a0b-4c0d-8e0f-0000000000a2",
		want: outcome{parked: map[string]int{"undecodable": 1}},
	},
	{
		// Older names, then newer ones.
		file: "failed-objects/format-conversion-failed/2026/02/01/09/to-columns-1-2026-02-01-09-35-10-000000a3-0a0b-4c0d-8e0f-0000000000a3",
		key:  "format-conversion-failed/2026/02/01/09/to-columns-1-2026-02-01-09-35-10-000000a3-0a0b-4c0d-8e0f-0000000000a3",
		want: outcome{
			sent: 2, source: "s3", service: "s3",
			first: "2026-02-01T09:30:00.321Z", last: "2026-02-01T09:30:00.322Z",
			firehose: `{
				"delivery_stream": "to-columns", "stream_version": "1", "hour": "2026-02-01T09",
				"error_type": "format-conversion-failed", "error_code": "DataFormatConversion.ParseError",
				"error_message": "This is no JSON: ('n' (code 110))", "attempts_made": 1, "arrived_at": 1769938200321,
				"attempt_ending_timestamp": 1769938290000,
				"sequence_number": "49660000000000000000000000000000000000000000000000000031",
				"data_catalog_table": {
					"catalogId": null, "databaseName": "shop", "tableName": "carts",
					"region": "eu-west-1", "versionId": "LATEST", "catalogArn": null
				}
			}`,
		},
	},
	{
		// Numbers as texts, then as numbers.
		file: "failed-objects/elasticsearch-failed/2026/02/01/09/es-stream-1-2026-02-01-09-35-10-000000a4-0a0b-4c0d-8e0f-0000000000a4",
		key:  "elasticsearch-failed/2026/02/01/09/es-stream-1-2026-02-01-09-35-10-000000a4-0a0b-4c0d-8e0f-0000000000a4",
		want: outcome{
			sent: 2, source: "s3", service: "s3",
			first: "2026-02-01T09:30:00.321Z", last: "2026-02-01T09:30:00.322Z",
			firehose: `{
				"delivery_stream": "es-stream", "stream_version": "1", "hour": "2026-02-01T09",
				"error_type": "elasticsearch-failed", "error_code": "400",
				"error_message": "{\"type\":\"example_parsing_exception\",\"reason\":\"field [count] takes no text\"}",
				"attempts_made": 3, "arrived_at": 1769938200321, "attempt_ending_timestamp": "1769938290000",
				"es_document_id": "49660000000000000000000000000000000000000000000000000033.0",
				"es_index_name": "shop-2026-02-01", "es_type_name": ""
			}`,
		},
	},
	{
		file: "failed-objects/AmazonOpenSearchService-failed/2026/02/01/09/os-stream-1-2026-02-01-09-35-10-000000a5-0a0b-4c0d-8e0f-0000000000a5",
		key:  "AmazonOpenSearchService-failed/2026/02/01/09/os-stream-1-2026-02-01-09-35-10-000000a5-0a0b-4c0d-8e0f-0000000000a5",
		want: outcome{
			sent: 1, source: "s3", service: "s3",
			first: "2026-02-01T09:30:00.322Z", last: "2026-02-01T09:30:00.322Z",
			firehose: `{
				"delivery_stream": "os-stream", "stream_version": "1", "hour": "2026-02-01T09",
				"error_type": "AmazonOpenSearchService-failed", "error_code": "OS.Example",
				"error_message": "{\"type\":\"example_parsing_exception\",\"reason\":\"field [count] takes no text\"}",
				"attempts_made": 3, "arrived_at": 1769938200322, "attempt_ending_timestamp": 1769938290000,
				"es_document_id": "49660000000000000000000000000000000000000000000000000035.0",
				"es_index_name": "shop-2026-02-01", "es_type_name": "log"
			}`,
		},
	},
	{
		file: "failed-objects/AmazonOpenSearchServerlessService-failed/2026/02/01/09/oss-stream-1-2026-02-01-09-35-10-000000a6-0a0b-4c0d-8e0f-0000000000a6",
		key:  "AmazonOpenSearchServerlessService-failed/2026/02/01/09/oss-stream-1-2026-02-01-09-35-10-000000a6-0a0b-4c0d-8e0f-0000000000a6",
		want: outcome{
			sent: 1, source: "s3", service: "s3",
			first: "2026-02-01T09:30:00.322Z", last: "2026-02-01T09:30:00.322Z",
			firehose: `{
				"delivery_stream": "oss-stream", "stream_version": "1", "hour": "2026-02-01T09",
				"error_type": "AmazonOpenSearchServerlessService-failed", "error_code": "400",
				"error_message": "{\"type\":\"example_parsing_exception\",\"reason\":\"field [count] takes no text\"}",
				"attempts_made": 3, "arrived_at": 1769938200322, "attempt_ending_timestamp": 1769938290000,
				"os_document_id": "2%3A0%3AEXAMPLE", "os_index_name": "shop"
			}`,
		},
	},
	{
		// Flow lines, with an end of attempts in the year 2401.
		file: "failed-objects/splunk-failed/2026/02/01/09/splunk-stream-1-2026-02-01-09-35-10-000000a7-0a0b-4c0d-8e0f-0000000000a7",
		key:  "splunk-failed/2026/02/01/09/splunk-stream-1-2026-02-01-09-35-10-000000a7-0a0b-4c0d-8e0f-0000000000a7",
		want: outcome{
			sent: 2, source: "vpc", service: "vpc",
			first: "2026-02-01T09:30:30.000Z", last: "2026-02-01T09:30:30.000Z",
			firehose: `{
				"delivery_stream": "splunk-stream", "stream_version": "1", "hour": "2026-02-01T09",
				"error_type": "splunk-failed", "error_code": "Splunk.AckTimeout",
				"error_message": "HEC said in time neither that it's kept nor that it is not.", "attempts_made": 0,
				"arrived_at": 1769938200321, "attempt_ending_timestamp": 13626284715507,
				"event_id": "49660000000000000000000000000000000000000000000000000036.0"
			}`,
		},
	},
	{
		// A line, then a payload of CloudWatch Logs.
		file: "failed-objects/http-endpoint-failed/2026/02/01/09/shop-logs-1-2026-02-01-09-35-10-000000a8-0a0b-4c0d-8e0f-0000000000a8",
		key:  "http-endpoint-failed/2026/02/01/09/shop-logs-1-2026-02-01-09-35-10-000000a8-0a0b-4c0d-8e0f-0000000000a8",
		want: outcome{
			sent: 3, source: "s3, lambda", service: "s3, basket",
			first: "2026-02-01T09:30:00.321Z", last: "2026-02-01T09:30:00.289Z",
			firehose: `{
				"delivery_stream": "shop-logs", "stream_version": "1", "hour": "2026-02-01T09",
				"error_type": "http-endpoint-failed", "error_code": "HttpEndpoint.DestinationException",
				"error_message": "The endpoint answered: {\"requestId\": \"000000b1-0a0b-4c0d-8e0f-0000000000b1\", \"timestamp\": 1769938281268, \"errorMessage\": \"No such key\"}",
				"attempts_made": 5, "arrived_at": 1769938200321, "attempt_ending_timestamp": 1769938290000,
				"subsequence_number": 0, "data_id": "49660000000000000000000000000000000000000000000000000038.0"
			}`,
		},
	},
	{
		file: "failed-objects/snowflake-failed/2026/02/01/09/sf-stream-1-2026-02-01-09-35-10-000000a9-0a0b-4c0d-8e0f-0000000000a9",
		key:  "snowflake-failed/2026/02/01/09/sf-stream-1-2026-02-01-09-35-10-000000a9-0a0b-4c0d-8e0f-0000000000a9",
		want: outcome{
			sent: 1, source: "s3", service: "s3",
			first: "2026-02-01T09:30:00.321Z", last: "2026-02-01T09:30:00.321Z",
			firehose: `{
				"delivery_stream": "sf-stream", "stream_version": "1", "hour": "2026-02-01T09",
				"error_type": "snowflake-failed", "error_code": "Snowflake.InvalidColumns",
				"error_message": "A column counts by itself, which streaming cannot fill", "attempts_made": 3,
				"arrived_at": 1769938200321, "attempt_ending_timestamp": 1769938290000
			}`,
		},
	},
	{
		// Members that the guide does not know.
		file: "failed-objects/iceberg-failed/2026/02/01/09/ice-stream-1-2026-02-01-09-35-10-000000aa-0a0b-4c0d-8e0f-0000000000aa",
		key:  "iceberg-failed/2026/02/01/09/ice-stream-1-2026-02-01-09-35-10-000000aa-0a0b-4c0d-8e0f-0000000000aa",
		want: outcome{
			sent: 1, source: "s3", service: "s3",
			first: "2026-02-01T09:30:00.321Z", last: "2026-02-01T09:30:00.321Z",
			firehose: `{
				"delivery_stream": "ice-stream", "stream_version": "1", "hour": "2026-02-01T09",
				"error_type": "iceberg-failed", "error_code": "Iceberg.MissingColumnWithinRecord",
				"error_message": "...", "attempts_made": 1, "arrived_at": 1769938200321,
				"attempt_ending_timestamp": 1769938260321, "event_id": "EXAMPLE",
				"approximate_arrival_timestamp": 1769938200321
			}`,
		},
	},
	{
		// It lists objects that are logs, and is none.
		file: "failed-objects/errors/manifests/2026/02/01/09/redshift-stream-1-2026-02-01-09-35-10-000000ab-0a0b-4c0d-8e0f-0000000000ab",
		key:  "errors/manifests/2026/02/01/09/redshift-stream-1-2026-02-01-09-35-10-000000ab-0a0b-4c0d-8e0f-0000000000ab",
		want: outcome{dropped: map[string]int{"not_a_log": 1}},
	},
}
