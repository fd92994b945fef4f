package format

// member writes a value by a name that the line brought along, as a number where it is one; nothing without a name or a
// value. The caller settles names that come twice.
func (w *writer) member(name, value []byte) {
	if len(name) == 0 || isAbsent(value) {
		return
	}
	w.dst = appendKey(w.dst, name)
	if isNumber(value) {
		w.dst = append(w.dst, value...)
		return
	}
	w.string(value)
}

// memberText is member for values that stay text.
func (w *writer) memberText(name, value []byte) {
	if len(name) == 0 || isAbsent(value) {
		return
	}
	w.dst = appendKey(w.dst, name)
	w.string(value)
}
