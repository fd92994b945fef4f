package agent

// matchCommon matches a line of Apache's common log format, with anything behind it.
func matchCommon(line []byte, groups []span) bool {
	c := cursor{text: line}
	if !c.common(groups) {
		return false
	}
	c.rest()
	return !c.failed
}

// matchCombined matches a line of Apache's combined log format, with anything behind it.
func matchCombined(line []byte, groups []span) bool {
	c := cursor{text: line}
	if !c.common(groups) {
		return false
	}
	c.byte(' ')
	groups[7] = c.quoted()
	c.byte(' ')
	groups[8] = c.quoted()
	c.rest()
	return !c.failed
}

// common reads the seven columns that both formats begin with. It reports whether they are there.
func (c *cursor) common(groups []span) bool {
	groups[0] = c.host()
	c.byte(' ')
	groups[1] = c.run(userByte)
	c.byte(' ')
	groups[2] = c.run(userByte)
	c.literal(" [")
	groups[3] = c.apacheTime()
	c.literal("] ")
	if c.failed {
		return false
	}
	groups[4] = c.quoted()
	c.byte(' ')
	groups[5] = c.integerOrDash()
	c.byte(' ')
	groups[6] = c.integerOrDash()
	return !c.failed
}

// matchApacheError matches a line of Apache's error log, as version 2.4 writes it.
func matchApacheError(line []byte, groups []span) bool {
	c := cursor{text: line}
	c.byte('[')
	groups[0] = c.errorTime()
	c.literal("] [")
	groups[1], groups[2] = none, c.run(wordByte)
	if c.next() == ':' {
		c.pos++
		groups[1], groups[2] = groups[2], c.run(wordByte)
	}
	c.literal("] [pid ")
	groups[3], groups[4] = c.run(digit), none
	if c.next() == ':' {
		c.literal(":tid ")
		groups[4] = c.run(digit)
	}
	c.literal("] [client ")
	if c.failed {
		return false
	}
	client := c.host()
	if c.next() == ':' {
		c.pos++
		c.positive()
	}
	groups[5] = span{client.start, c.pos}
	c.literal("] ")
	groups[6] = c.rest()
	return !c.failed
}
