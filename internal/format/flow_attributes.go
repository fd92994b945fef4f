package format

import (
	"encoding/binary"
	"encoding/json"
	"math/bits"

	"sluice/internal/jsonwalk"
)

var (
	vpcFlowLog = layout{
		millis: vpcFlow.millis, isHeader: vpcFlow.isHeader, attributes: vpcFlow.attributes,
		fields: attributes(vpcFlow.table.fields), time: "the column end, or start where there is no other",
	}
	acceleratorFlowLog = layout{
		millis: acceleratorFlow.millis, isHeader: acceleratorFlow.isHeader, attributes: acceleratorFlow.attributes,
		fields: attributes(acceleratorFlow.table.fields), time: "the column end_time",
	}
)

// vpcFlow is for VPCs and transit gateways.
// Source: VPC user guide, "Flow log records"; transit gateway guide, "Transit Gateway Flow Log records".
var vpcFlow = flow{
	times: []string{"end", "start"},
	table: vpcColumns,
	defaults: []flowDefault{
		{version: "2", end: 11, status: 13, fields: vpcColumns.fields[:14]},
		{version: "6", end: 24, status: 25, fields: vpcColumns.ordered(
			"version resource-type account-id tgw-id tgw-attachment-id tgw-src-vpc-account-id tgw-dst-vpc-account-id " +
				"tgw-src-vpc-id tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni tgw-dst-eni tgw-src-az-id " +
				"tgw-dst-az-id tgw-pair-attachment-id srcaddr dstaddr srcport dstport protocol packets bytes start end " +
				"log-status type packets-lost-no-route packets-lost-blackhole packets-lost-mtu-exceeded " +
				"packets-lost-ttl-expired tcp-flags region flow-direction pkt-src-aws-service pkt-dst-aws-service")},
	},
}

var vpcColumns = newTable(textual,
	fieldsOf([]entry{ // version 2
		{"version", "", "", numeric, nil},
		{"account-id", "cloud.account.id", "cloud.account.id", textual, nil},
		{"interface-id", "", "", textual, nil},
		{"srcaddr", "source.ip", "source.address", textual, nil},
		{"dstaddr", "destination.ip", "destination.address", textual, nil},
		{"srcport", "source.port", "source.port", numeric, nil},
		{"dstport", "destination.port", "destination.port", numeric, nil},
		{"protocol", "network.iana_number", "", numeric, nil},
		{"packets", "network.packets", "", numeric, nil},
		{"bytes", "network.bytes", "", numeric, nil},
		{"start", "", "", numeric, nil},
		{"end", "", "", numeric, nil},
		{"action", "event.action", "", textual, nil},
		{"log-status", "", "", textual, nil},
	}),
	fieldsOf([]entry{ // 3
		{"vpc-id", "", "", textual, nil},
		{"subnet-id", "", "", textual, nil},
		{"instance-id", "cloud.instance.id", "host.id", textual, nil},
		{"tcp-flags", "", "", numeric, nil},
	}),
	texts("type pkt-srcaddr pkt-dstaddr"),
	fieldsOf([]entry{ // 4
		{"region", "cloud.region", "cloud.region", textual, nil},
	}),
	texts("az-id sublocation-type sublocation-id"),
	fieldsOf([]entry{ // 5
		{"pkt-src-aws-service", "", "", textual, nil},
		{"pkt-dst-aws-service", "", "", textual, nil},
		{"flow-direction", "network.direction", "", textual, nil},
		{"traffic-path", "", "", numeric, nil},
	}),
	// 6, transit gateways
	texts("resource-type tgw-id tgw-attachment-id tgw-src-vpc-account-id tgw-dst-vpc-account-id tgw-src-vpc-id "+
		"tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni tgw-dst-eni tgw-src-az-id tgw-dst-az-id "+
		"tgw-pair-attachment-id"),
	fieldsOf([]entry{
		{"packets-lost-no-route", "", "", numeric, nil},
		{"packets-lost-blackhole", "", "", numeric, nil},
		{"packets-lost-mtu-exceeded", "", "", numeric, nil},
		{"packets-lost-ttl-expired", "", "", numeric, nil},
	}),
	fieldsOf([]entry{ // 7
		{"ecs-cluster-arn", "", "aws.ecs.cluster.arn", textual, nil},
		{"ecs-cluster-name", "", "", textual, nil},
		{"ecs-container-instance-arn", "", "", textual, nil},
		{"ecs-container-instance-id", "", "", textual, nil},
		{"ecs-container-id", "container.id", "container.id", textual, nil},
		{"ecs-second-container-id", "", "", textual, nil},
		{"ecs-service-name", "", "", textual, nil},
		{"ecs-task-definition-arn", "", "", textual, nil},
		{"ecs-task-arn", "", "aws.ecs.task.arn", textual, nil},
		{"ecs-task-id", "", "aws.ecs.task.id", textual, nil},
	}),
	texts("reject-reason resource-id"), // 8, 9
	fieldsOf([]entry{ // 10
		{"encryption-status", "", "", numeric, nil},
	}),
)

// acceleratorFlow is for Global Accelerator. An object may hold lines of both versions below one header.
// Source: Global Accelerator developer guide, "Flow log records".
var acceleratorFlow = flow{
	times: []string{"end_time", "start_time"},
	table: acceleratorColumns,
	defaults: []flowDefault{
		{version: "1.0", end: 14, status: 16, fields: acceleratorColumns.fields[:22]},
		{version: "2.0", end: 14, status: 16, fields: acceleratorColumns.fields},
	},
	later: "vpc_id",
}

var acceleratorColumns = newTable(textual, fieldsOf([]entry{
	{"version", "", "", textual, nil},
	{"aws_account_id", "cloud.account.id", "cloud.account.id", textual, nil},
	{"accelerator_id", "", "", textual, nil},
	{"client_ip", "source.ip", "client.address", textual, nil},
	{"client_port", "source.port", "client.port", numeric, nil},
	{"accelerator_ip", "", "", textual, nil},
	{"accelerator_port", "", "", numeric, nil},
	{"endpoint_ip", "destination.ip", "server.address", textual, nil},
	{"endpoint_port", "destination.port", "server.port", numeric, nil},
	{"protocol", "network.iana_number", "", numeric, nil},
	{"ip_address_type", "", "", textual, nil},
	{"packets", "network.packets", "", numeric, nil},
	{"bytes", "network.bytes", "", numeric, nil},
	{"start_time", "", "", numeric, nil},
	{"end_time", "", "", numeric, nil},
	{"action", "event.action", "", textual, nil},
	{"log-status", "", "", textual, nil},
	{"globalaccelerator_source_ip", "", "", textual, nil},
	{"globalaccelerator_source_port", "", "", numeric, nil},
	{"endpoint_region", "", "", textual, nil},
	{"globalaccelerator_region", "", "", textual, nil},
	{"direction", "", "", textual, nil},
	{"vpc_id", "", "", textual, nil},
}))

// attributes names the columns by the header or, where there is none, as those of a default format, which has to have all
// of its columns: a custom format may begin with a version as well.
func (f flow) attributes(a *Attributes, w *writer, header, line []byte) bool {
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
			n, logged := a.spacedLine(w, d.fields, line, d.status)
			return n == len(d.fields) && logged
		}
	}
	return false
}

// named writes a line below a header. One that lacks columns has been cut, but for a line of the earlier version.
func (f flow) named(a *Attributes, w *writer, header, line []byte) bool {
	fields := a.named(f.table, a.naming, header)
	if fields == nil {
		return false
	}
	last := len(fields)
	if f.later != "" && fields[last-1].name == f.later {
		last--
	} else if f.later != "" && last == len(f.defaults[0].fields) {
		fields = f.withLater(a, fields)
	}
	n, _ := a.spacedLine(w, fields, line, -1)
	return n >= last
}

// withLater returns the columns of the earlier version's header with that of the later one.
func (f flow) withLater(a *Attributes, fields []field) []field {
	for i := range fields {
		if fields[i].name == f.later {
			return fields
		}
	}
	a.fields = append(a.fields, f.table.field(f.later, len(fields)+1))
	return a.fields
}

// spacedLine writes columns that spaces separate and returns how many there were, -1 for too many, and whether the one at
// status says so.
func (a *Attributes) spacedLine(w *writer, fields []field, line []byte, status int) (n int, logged bool) {
	for {
		for len(line) > 0 && line[0] == ' ' {
			line = line[1:]
		}
		if len(line) == 0 {
			return n, logged
		}
		end := columnEnd(line)
		value := line[:end]
		line = line[end:]
		switch {
		case n >= len(fields):
			if !w.extra(n+1, value) {
				return -1, false
			}
		case fields[n].kind == textual:
			w.textOf(&fields[n], value)
		case fields[n].kind == numeric:
			w.numberOf(&fields[n], value)
		case !a.member(w, &fields[n], value):
			return -1, false
		}
		if n == status {
			logged = isLogStatus(value)
		}
		n++
	}
}

// columnEnd returns where the column at the start of a line ends. It looks at eight bytes at once.
func columnEnd(line []byte) int {
	const (
		spaces = 0x2020_2020_2020_2020
		ones   = 0x0101_0101_0101_0101
		tops   = 0x80 * ones
	)
	i := 0
	for ; i+8 <= len(line); i += 8 {
		x := binary.LittleEndian.Uint64(line[i:]) ^ spaces
		if found := (x - ones) &^ x & tops; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(line) && line[i] != ' ' {
		i++
	}
	return i
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
