package agent

// monthDay reads 1 to 31, of one or two digits.
func (c *cursor) monthDay() {
	s := c.run(digit)
	day := c.of(s)
	switch len(day) {
	case 1:
		c.failed = c.failed || day[0] == '0'
	case 2:
		n := 10*int(day[0]-'0') + int(day[1]-'0')
		c.failed = c.failed || n < 1 || n > 31
	default:
		c.failed = true
	}
}

// month reads the English name of a month, short or long.
func (c *cursor) month() {
	switch string(c.of(c.run(letter))) {
	case "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "January", "February", "March",
		"April", "June", "July", "August", "September", "October", "November", "December":
	default:
		c.failed = true
	}
}

// weekday reads the English name of a day, short or long.
func (c *cursor) weekday() {
	switch string(c.of(c.run(letter))) {
	case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
		"Sunday":
	default:
		c.failed = true
	}
}

// clock reads hours and seconds of one or two digits, minutes of two, and perhaps a fraction behind a dot, comma or colon.
func (c *cursor) clock() {
	c.number(1, 23)
	c.byte(':')
	c.number(2, 59)
	c.byte(':')
	c.number(1, 60)
	switch c.next() {
	case '.', ',', ':':
		c.pos++
		c.run(digit)
	}
}

// number reads two digits, or as few as least, which give most at most.
func (c *cursor) number(least, most int) {
	digits := c.of(c.run(digit))
	n := 0
	for _, b := range digits[:min(len(digits), 2)] {
		n = 10*n + int(b-'0')
	}
	if len(digits) < least || len(digits) > 2 || n > most {
		c.failed = true
	}
}

// apacheTime reads 07/Mar/2004:16:05:49 -0800.
func (c *cursor) apacheTime() span {
	start := c.pos
	c.monthDay()
	c.byte('/')
	c.month()
	c.byte('/')
	c.positive()
	c.byte(':')
	c.clock()
	c.one(spaceByte)
	c.integer()
	return span{start, c.pos}
}

// errorTime reads Fri Sep 09 10:42:29.902022 2011.
func (c *cursor) errorTime() span {
	start := c.pos
	c.weekday()
	c.run(spaceByte)
	c.month()
	c.run(spaceByte)
	c.monthDay()
	c.run(spaceByte)
	c.clock()
	c.run(spaceByte)
	c.positive()
	return span{start, c.pos}
}

// syslogTime reads Mar  7 04:22:00.
func (c *cursor) syslogTime() span {
	start := c.pos
	c.month()
	c.run(spaceByte)
	c.monthDay()
	c.run(spaceByte)
	c.clock()
	return span{start, c.pos}
}

// rfc3339Time reads 2004-03-07T04:22:00.123+00:00, or Z in place of the offset. No digit is looked at but for being one.
func (c *cursor) rfc3339Time() span {
	start := c.pos
	c.layout("0000-00-00T00:00:00")
	if c.next() == '.' {
		c.pos++
		c.run(digit)
	}
	switch c.next() {
	case 'Z':
		c.pos++
	case '-':
		c.layout("-00:00")
	default:
		c.layout("+00:00")
	}
	return span{start, c.pos}
}

// layout reads as many bytes as there are in pattern, in which 0 stands for any digit.
func (c *cursor) layout(pattern string) {
	for i := range len(pattern) {
		if pattern[i] == '0' {
			c.one(digit)
		} else {
			c.byte(pattern[i])
		}
	}
}
