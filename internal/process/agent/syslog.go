package agent

// matchSyslog matches a line as syslog daemons write it to a file, without its priority.
func matchSyslog(line []byte, groups []span) bool {
	c := cursor{text: line}
	groups[0] = c.syslogTime()
	return !c.failed && c.message(groups)
}

// matchRFC3339Syslog matches the same with another time.
func matchRFC3339Syslog(line []byte, groups []span) bool {
	c := cursor{text: line}
	groups[0] = c.rfc3339Time()
	return !c.failed && c.message(groups)
}

// message reads what stands behind the time.
func (c *cursor) message(groups []span) bool {
	c.byte(' ')
	if c.next() == '<' {
		c.facility()
		c.byte(' ')
	}
	groups[1] = c.run(userByte)
	c.byte(' ')
	groups[2], groups[3] = c.run(programByte), none
	if c.next() == '[' {
		c.pos++
		groups[3] = c.positive()
		c.byte(']')
	}
	c.literal(": ")
	if c.failed {
		return false
	}
	groups[4] = c.rest()
	return !c.failed
}

// facility reads <4.6>: digits, any character, digits. The agent's pattern says so where it means a dot, and therefore takes
// <134> too, but no shorter number.
func (c *cursor) facility() {
	c.byte('<')
	number := c.run(digit)
	if c.failed {
		return
	}
	const least = 3 // digits, where the one in the middle is the character
	if number.end-number.start >= least && c.next() == '>' && (c.pos+1 == len(c.text) || classes[c.text[c.pos+1]]&digit == 0) {
		c.pos++
		return
	}
	c.inLine()
	c.run(digit)
	c.byte('>')
}
