package format

import (
	"bytes"
	"encoding/json"

	"sluice/internal/jsonwalk"
)

var (
	vpcFlowLog = layout{
		millis: vpcFlow.millis, isHeader: vpcFlow.isHeader, name: vpcFlow.name, attributes: vpcFlow.attributes,
		columns: []*table{vpcColumns}, time: "the column end, or start where there is no other",
	}
	acceleratorFlowLog = layout{
		millis: acceleratorFlow.millis, isHeader: acceleratorFlow.isHeader, name: acceleratorFlow.name,
		attributes: acceleratorFlow.attributes,
		columns:    []*table{acceleratorColumns}, time: "the column end_time",
	}
)

// vpcFlow is for VPCs and transit gateways.
// Source: VPC user guide, "Flow log records"; transit gateway guide, "Transit Gateway Flow Log records".
var vpcFlow = &flow{
	times: []string{"end", "start"},
	table: vpcColumns,
	defaults: []flowDefault{
		{version: "2", end: 11, status: 13, table: vpcColumns, count: 14},
		{version: "6", end: 24, status: 25, table: gatewayColumns, count: 36},
	},
}

var vpcColumns = &table{entries: []entry{
	// version 2
	{"version", "", "", numeric},
	{"account-id", "cloud.account.id", "cloud.account.id", textual},
	{"interface-id", "", "", textual},
	{"srcaddr", "source.ip", "source.address", textual},
	{"dstaddr", "destination.ip", "destination.address", textual},
	{"srcport", "source.port", "source.port", numeric},
	{"dstport", "destination.port", "destination.port", numeric},
	{"protocol", "network.iana_number", "", numeric},
	{"packets", "network.packets", "", numeric},
	{"bytes", "network.bytes", "", numeric},
	{"start end", "", "", numeric},
	{"action", "event.action", "", textual},
	{"log-status", "", "", textual},
	// 3
	{"vpc-id subnet-id", "", "", textual},
	{"instance-id", "cloud.instance.id", "host.id", textual},
	{"tcp-flags", "", "", numeric},
	{"type pkt-srcaddr pkt-dstaddr", "", "", textual},
	// 4
	{"region", "cloud.region", "cloud.region", textual},
	{"az-id sublocation-type sublocation-id", "", "", textual},
	// 5
	{"pkt-src-aws-service pkt-dst-aws-service", "", "", textual},
	{"flow-direction", "network.direction", "", textual},
	{"traffic-path", "", "", numeric},
	// 6, transit gateways
	{"resource-type tgw-id tgw-attachment-id tgw-src-vpc-account-id tgw-dst-vpc-account-id tgw-src-vpc-id", "", "", textual},
	{"tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni tgw-dst-eni tgw-src-az-id", "", "", textual},
	{"tgw-dst-az-id tgw-pair-attachment-id", "", "", textual},
	{"packets-lost-no-route packets-lost-blackhole packets-lost-mtu-exceeded packets-lost-ttl-expired", "", "", numeric},
	// 7
	{"ecs-cluster-arn", "", "aws.ecs.cluster.arn", textual},
	{"ecs-cluster-name ecs-container-instance-arn ecs-container-instance-id", "", "", textual},
	{"ecs-container-id", "container.id", "container.id", textual},
	{"ecs-second-container-id ecs-service-name ecs-task-definition-arn", "", "", textual},
	{"ecs-task-arn", "", "aws.ecs.task.arn", textual},
	{"ecs-task-id", "", "aws.ecs.task.id", textual},
	// 8, 9
	{"reject-reason resource-id", "", "", textual},
	// 10
	{"encryption-status", "", "", numeric},
}}

// gatewayColumns are the default format of transit gateways.
var gatewayColumns = &table{of: vpcColumns, order: "version resource-type account-id tgw-id tgw-attachment-id " +
	"tgw-src-vpc-account-id tgw-dst-vpc-account-id tgw-src-vpc-id tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id " +
	"tgw-src-eni tgw-dst-eni tgw-src-az-id tgw-dst-az-id tgw-pair-attachment-id srcaddr dstaddr srcport dstport protocol " +
	"packets bytes start end log-status type packets-lost-no-route packets-lost-blackhole packets-lost-mtu-exceeded " +
	"packets-lost-ttl-expired tcp-flags region flow-direction pkt-src-aws-service pkt-dst-aws-service"}

// acceleratorFlow is for Global Accelerator. An object may hold lines of both versions below one header.
// Source: Global Accelerator developer guide, "Flow log records".
var acceleratorFlow = &flow{
	times: []string{"end_time", "start_time"},
	table: acceleratorColumns,
	defaults: []flowDefault{
		{version: "1.0", end: 14, status: 16, table: acceleratorColumns, count: 22},
		{version: "2.0", end: 14, status: 16, table: acceleratorColumns, count: 23},
	},
	later: "vpc_id",
}

var acceleratorColumns = &table{entries: []entry{
	{"version", "", "", textual},
	{"aws_account_id", "cloud.account.id", "cloud.account.id", textual},
	{"accelerator_id", "", "", textual},
	{"client_ip", "source.ip", "client.address", textual},
	{"client_port", "source.port", "client.port", numeric},
	{"accelerator_ip", "", "", textual},
	{"accelerator_port", "", "", numeric},
	{"endpoint_ip", "destination.ip", "server.address", textual},
	{"endpoint_port", "destination.port", "server.port", numeric},
	{"protocol", "network.iana_number", "", numeric},
	{"ip_address_type", "", "", textual},
	{"packets", "network.packets", "", numeric},
	{"bytes", "network.bytes", "", numeric},
	{"start_time end_time", "", "", numeric},
	{"action", "event.action", "", textual},
	{"log-status globalaccelerator_source_ip", "", "", textual},
	{"globalaccelerator_source_port", "", "", numeric},
	{"endpoint_region globalaccelerator_region direction vpc_id", "", "", textual},
}}

// attributes names the columns by the header or, where there is none, as those of a default format, which has to have all
// of its columns: a custom format may begin with a version as well.
func (f *flow) attributes(a *Attributes, w *writer, header, line []byte) bool {
	if len(line) > 0 && line[0] == '{' {
		line = messageAlone(line)
	}
	if header != nil {
		return f.named(a, w, header, line)
	}
	version, _ := nextColumn(line)
	for i := range f.defaults {
		d := &f.defaults[i]
		if string(version) == d.version {
			return d.isLogged(line) && a.spacedLine(w, d.table.in(a.naming)[:d.count], line) == d.count
		}
	}
	return false
}

// isLogged reports whether the status of a line says so. It may be the last column, which is found from the end.
func (d *flowDefault) isLogged(line []byte) bool {
	if d.status < d.count-1 {
		return isLogStatus(spacedColumn(line, d.status))
	}
	line = bytes.TrimRight(line, " ")
	return isLogStatus(line[bytes.LastIndexByte(line, ' ')+1:])
}

// named writes a line below a header. One that lacks columns has been cut, but for a line of the earlier version.
func (f *flow) named(a *Attributes, w *writer, header, line []byte) bool {
	fields := a.named(f.table, a.naming, header)
	if fields == nil {
		return false
	}
	last := len(fields)
	if f.later != "" && fields[last-1].name == f.later {
		last--
	} else if f.later != "" && last == f.defaults[0].count {
		fields = f.withLater(a, fields)
	}
	return a.spacedLine(w, fields, line) >= last
}

// withLater returns the columns of the earlier version's header with that of the later one.
func (f *flow) withLater(a *Attributes, fields []field) []field {
	for i := range fields {
		if fields[i].name == f.later {
			return fields
		}
	}
	a.fields = append(a.fields, f.table.field(a.naming, []byte(f.later), len(fields)+1))
	return a.fields
}

// spacedLine writes columns that spaces separate and returns how many there were, -1 for too many.
func (a *Attributes) spacedLine(w *writer, fields []field, line []byte) int {
	d := a.take(line)
	for at, n := 0, 0; ; {
		at, n = d.run(w, fields, spacesBehind(line, at), n)
		if at = spacesBehind(line, at); at == len(line) {
			return n
		}
		end, plain := scan(line[at:], ' ')
		if !a.column(w, fields, n, line[at:at+end], plain) {
			return -1
		}
		at, n = at+end, n+1
	}
}

// messageAlone returns the line inside {"message":"…"}; nil for an object with more in it, and for what is no JSON, which
// has been redacted as a text, with its escapes.
func messageAlone(line []byte) []byte {
	if !json.Valid(line) {
		return nil
	}
	members := jsonwalk.Object(line)
	if !members.Next() || string(members.Name()) != "message" {
		return nil
	}
	text, ok := jsonwalk.Text(members.Value())
	if !ok || members.Next() {
		return nil
	}
	return trimEnd(text)
}
