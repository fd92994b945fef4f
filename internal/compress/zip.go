package compress

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
)

// Signatures and sizes of a ZIP archive. Source: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.
const (
	zipLocalHeader     = "PK\x03\x04"
	zipCentral         = "PK\x01\x02"
	zipEnd             = "PK\x05\x06"
	zipEnd64           = "PK\x06\x06"
	zipLocator64       = "PK\x06\x07"
	zipSigned          = "PK\x05\x05"
	zipNothing         = zipEnd + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" // of an archive of no files
	zipExtraData       = "PK\x06\x08"                                                                // of an encrypted central directory, which it opens
	zipDescriptor      = "PK\x07\x08"
	zipSignatureBytes  = 4
	zipHeaderBytes     = 30
	zipPartBytes       = 46 // of the central directory, for a file
	zipEndBytes        = 22
	zipDescriptorBytes = 4 + 4 + 8 + 8 // the longest

	zipEncrypted    = 1<<0 | 1<<6 | 1<<13 // flags: encryption, strong encryption, masked header
	zipHasTrailer   = 1 << 3              // flag: checksum and sizes follow the content
	zipPatch        = 1 << 5              // flag: what is packed is a patch
	zipStored       = 0                   // method
	zipDeflated     = 8                   // method
	zip64           = 0x0001              // extra field
	zip64Marker     = math.MaxUint32      // the size is in the extra field
	extraHeadBytes  = 4
	zip64SizesBytes = 16
)

var (
	errZipHeader   = errors.New("neither a file nor the central directory follows")
	errZipSize     = errors.New("wrong length of a file")
	errZipChecksum = errors.New("wrong checksum of a file")
)

// zipReader reads the files of a ZIP archive as they come, without its directory, each as a stream of its own: nextFile
// goes to the next one. Of the central directory it believes nothing. Behind it may stand another archive. Files that are
// stored or deflated are read, with sizes in front of them or behind; ZIP64 too.
type zipReader struct {
	in       *input
	inflater inflater
	file     zipFile
	number   int  // of the file, from 1
	inFile   bool // and not behind it
	ended    bool // no file comes any more
}

// zipFile is what is known of the file that is being read.
type zipFile struct {
	deflated bool
	trailer  bool // checksum and sizes follow, and are not known yet
	packed   uint64
	plain    uint64
	checksum uint32

	start int64 // of its content in the packed input
	made  uint64
	sum   uint32 // of what has been made
}

func (z *zipReader) reset(in *input) {
	z.in, z.number, z.inFile, z.ended = in, 0, false, false
	z.inflater.reset(in)
}

// nextFile goes to the next file that holds something; the one before has been read. It returns io.EOF behind the last.
func (z *zipReader) nextFile() error {
	for {
		for !z.inFile {
			if z.ended {
				return io.EOF
			}
			if err := z.open(); err != nil {
				z.ended = true
				return err
			}
		}
		if err := z.fill(); err != io.EOF {
			return z.fault(err)
		}
		if err := z.close(); err != nil {
			return z.fault(err)
		}
	}
}

// Read reads plain bytes of the file. It ends with io.EOF, and nextFile goes on. A file whose checksum or length is wrong
// has been handed out when that is found.
func (z *zipReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if !z.inFile {
		return 0, io.EOF
	}
	err := z.fill()
	if err == io.EOF {
		if err = z.close(); err == nil {
			return 0, io.EOF
		}
	}
	if err != nil {
		return 0, z.fault(err)
	}
	return z.handOut(p), nil
}

// fault says which file an error is of, if there is one.
func (z *zipReader) fault(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("file %d of the archive: %w", z.number, err)
}

// open reads what stands in front of a file, or the directory behind the last one. It returns io.EOF at the end.
func (z *zipReader) open() error {
	head := z.in.ahead(zipHeaderBytes)
	if len(head) < zipSignatureBytes {
		return z.in.short()
	}
	switch string(head[:zipSignatureBytes]) {
	case zipLocalHeader:
		return z.openFile(head)
	case zipCentral, zipEnd, zipEnd64, zipExtraData:
		return z.directory()
	default:
		return errZipHeader
	}
}

// openFile reads a local file header, the start of which is head.
func (z *zipReader) openFile(head []byte) error {
	z.number++
	if len(head) < zipHeaderBytes {
		return z.fault(z.in.short())
	}
	total := zipHeaderBytes + int(binary.LittleEndian.Uint16(head[26:])) + int(binary.LittleEndian.Uint16(head[28:]))
	if head = z.in.ahead(total); len(head) < total {
		return z.fault(z.in.short())
	}
	if err := z.file.parse(head[:total]); err != nil {
		return z.fault(err)
	}
	z.in.pos += total
	z.inFile, z.file.start = true, z.in.taken()
	if z.file.deflated {
		z.inflater.next()
	}
	return nil
}

// directory goes over the central directory. Every file has been read and checked, so nothing is taken from it, and it may
// be cut short. But something else behind it must not be lost unseen, so open has to know it.
func (z *zipReader) directory() error {
	for ended := false; !ended; {
		head := z.in.ahead(zipPartBytes)
		size, known := directoryPart(head)
		if !known {
			return errZipHeader
		}
		ended = bytes.HasPrefix(head, []byte(zipEnd))
		if !z.in.skip(size) {
			return z.in.end()
		}
	}
	if len(z.in.ahead(1)) == 0 {
		return z.in.end()
	}
	return nil
}

// directoryPart is the length of the part of a central directory that starts with head, which is cut short if it is not of
// zipPartBytes. The length of a part that is cut short itself is more than there can be.
func directoryPart(head []byte) (size int64, known bool) {
	const cut = math.MaxInt64
	var fixed int64
	var lengths []int // where those of what follows stand
	switch string(head[:min(len(head), zipSignatureBytes)]) {
	case zipCentral:
		fixed, lengths = zipPartBytes, []int{28, 30, 32} // name, extra field, comment
	case zipEnd:
		fixed, lengths = zipEndBytes, []int{20} // comment
	case zipSigned:
		fixed, lengths = 6, []int{4}
	case zipLocator64:
		fixed = 20
	case zipExtraData:
		fixed = 8
	case zipEnd64:
		fixed = 12
	default:
		return cut, len(head) < zipSignatureBytes
	}
	if int64(len(head)) < fixed {
		return cut, true
	}
	switch string(head[:zipSignatureBytes]) {
	case zipExtraData:
		fixed += int64(binary.LittleEndian.Uint32(head[4:]))
	case zipEnd64:
		fixed += int64(min(binary.LittleEndian.Uint64(head[4:]), cut/2))
	}
	for _, at := range lengths {
		fixed += int64(binary.LittleEndian.Uint16(head[at:]))
	}
	return fixed, true
}

// parse reads a local file header, with name and extra fields.
func (f *zipFile) parse(head []byte) error {
	flags, method := binary.LittleEndian.Uint16(head[6:]), binary.LittleEndian.Uint16(head[8:])
	*f = zipFile{
		deflated: method == zipDeflated,
		trailer:  flags&zipHasTrailer != 0,
		checksum: binary.LittleEndian.Uint32(head[14:]),
		packed:   uint64(binary.LittleEndian.Uint32(head[18:])),
		plain:    uint64(binary.LittleEndian.Uint32(head[22:])),
	}
	name := head[zipHeaderBytes : zipHeaderBytes+int(binary.LittleEndian.Uint16(head[26:]))]
	folder := len(name) > 0 && name[len(name)-1] == '/'
	switch {
	case flags&zipEncrypted != 0:
		return fmt.Errorf("it is encrypted: %w", errors.ErrUnsupported)
	case flags&zipPatch != 0 || method != zipStored && method != zipDeflated:
		return fmt.Errorf("it is packed by method %d, and not stored or deflated: %w", method, errors.ErrUnsupported)
	}
	f.zip64Sizes(head[zipHeaderBytes+len(name):])
	if f.trailer && !f.deflated && f.packed == 0 && !folder {
		return fmt.Errorf("it is stored and its length is not in front of it: %w", errors.ErrUnsupported)
	}
	if !f.deflated && f.packed != f.plain {
		return errZipSize
	}
	return nil
}

// zip64Sizes takes the sizes from the extra fields where the header has a marker in their place.
func (f *zipFile) zip64Sizes(extra []byte) {
	for len(extra) >= extraHeadBytes {
		id, size := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		extra = extra[extraHeadBytes:]
		if size > len(extra) {
			return
		}
		if id == zip64 && size >= zip64SizesBytes { // both, whichever of them has the marker: section 4.5.3
			if f.plain == zip64Marker {
				f.plain = binary.LittleEndian.Uint64(extra)
			}
			if f.packed == zip64Marker {
				f.packed = binary.LittleEndian.Uint64(extra[8:])
			}
			return
		}
		extra = extra[size:]
	}
}

// fill sees to it that a byte of the file can be handed out. It returns io.EOF at the end of the file.
func (z *zipReader) fill() error {
	if z.file.deflated {
		return z.inflater.more()
	}
	switch {
	case z.file.made == z.file.packed:
		return io.EOF
	case len(z.in.ahead(1)) == 0:
		return z.in.short()
	}
	return nil
}

// handOut hands out some bytes of the file.
func (z *zipReader) handOut(p []byte) int {
	var n int
	if z.file.deflated {
		f := &z.inflater
		n = copy(p, f.out[f.read:f.end])
		f.read += n
	} else {
		unread := z.in.ahead(1)
		n = copy(p, unread[:min(uint64(len(unread)), z.file.packed-z.file.made)])
		z.in.pos += n
	}
	z.file.made += uint64(n)
	z.file.sum = crc32.Update(z.file.sum, crc32.IEEETable, p[:n])
	return n
}

// close checks the file against its checksum and sizes, in front of it or behind.
func (z *zipReader) close() error {
	z.inFile = false
	f := &z.file
	packed := uint64(z.in.taken() - f.start)
	if f.trailer {
		return z.closeByTrailer(packed)
	}
	switch {
	case f.plain != f.made || f.packed != packed:
		return errZipSize
	case f.checksum != f.sum:
		return errZipChecksum
	}
	return nil
}

// closeByTrailer finds the data descriptor behind a file (section 4.3.9). It comes with a signature or without, and with
// sizes of four bytes or of eight; nothing tells which, but that it has to be right, and a signature behind it.
func (z *zipReader) closeByTrailer(packed uint64) error {
	f := &z.file
	ahead := z.in.ahead(zipDescriptorBytes + zipSignatureBytes)
	var memory [zipDescriptorBytes]byte
	for _, signature := range []string{zipDescriptor, ""} {
		for _, wide := range []bool{false, true} {
			want := appendDescriptor(append(memory[:0], signature...), f.sum, packed, f.made, wide)
			if !bytes.HasPrefix(ahead, want) {
				continue
			}
			if behind := ahead[len(want):]; len(behind) < 2 || string(behind[:2]) == zipCentral[:2] {
				z.in.pos += len(want)
				return nil
			}
		}
	}
	if len(ahead) < zipDescriptorBytes+zipSignatureBytes {
		return z.in.short()
	}
	return errZipChecksum
}

func appendDescriptor(dst []byte, checksum uint32, packed, plain uint64, wide bool) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, checksum)
	if wide {
		return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(dst, packed), plain)
	}
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(dst, uint32(packed)), uint32(plain))
}
