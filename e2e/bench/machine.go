package main

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of /proc/stat: USER_HZ, which is 100 on every architecture Go runs Linux on.
const tick = 10 * time.Millisecond

// machine is the processor time of all processors since the machine started. It is zero where there is no /proc/stat, or
// no permission to read it.
type machine struct {
	busy, idle time.Duration
}

func readMachine() machine {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return machine{}
	}
	return parseMachine(string(stat))
}

// parseMachine reads the first line. Format: proc(5), "/proc/stat": user nice system idle iowait irq softirq steal guest
// guest_nice; the last two are part of user and nice already.
func parseMachine(stat string) machine {
	const idle, iowait, counted = 3, 4, 8
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	if len(fields) == 0 || fields[0] != "cpu" {
		return machine{}
	}
	var m machine
	for i, text := range fields[1:min(len(fields), counted+1)] {
		ticks, err := strconv.ParseInt(text, 10, 64)
		switch {
		case err != nil:
			return machine{}
		case i == idle || i == iowait:
			m.idle += time.Duration(ticks) * tick
		default:
			m.busy += time.Duration(ticks) * tick
		}
	}
	return m
}

func (m machine) since(start machine) machine {
	return machine{busy: m.busy - start.busy, idle: m.idle - start.idle}
}
