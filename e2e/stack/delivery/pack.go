package delivery

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"

	"github.com/klauspost/compress/snappy"
)

// Compression is a CompressionFormat as the API spells it.
type Compression string

// The formats. "" means Uncompressed.
const (
	Uncompressed Compression = "UNCOMPRESSED"
	Gzip         Compression = "GZIP"
	Zip          Compression = "ZIP"
	Snappy       Compression = "Snappy"        // the stream format of snappy-java, not the official framing
	HadoopSnappy Compression = "HADOOP_SNAPPY" // Hadoop's block format
)

// format is what an object of one compression looks like from outside.
type format struct{ extension, encoding string }

var formats = map[Compression]format{
	Uncompressed: {},
	Gzip:         {".gz", "gzip"},
	Zip:          {".zip", "zip"},
	Snappy:       {".snappy", "snappy-java"},
	HadoopSnappy: {".snappy", "hadoop-snappy"}, // the guide says .hsnappy
}

const (
	xerialMagic      = "\x82SNAPPY\x00"
	xerialVersion    = 1
	xerialBlockBytes = 32 << 10 // plain; the default of snappy-java's SnappyOutputStream
	// hadoopChunkBytes is what Hadoop's BlockCompressorStream compresses at once: the codec's buffer of 256 KiB without
	// room for what does not compress.
	hadoopChunkBytes = 256<<10 - (256<<10/6 + 32)
)

// appendPacked appends plain in a compression. entry names the one file of a ZIP archive.
func appendPacked(dst, plain []byte, c Compression, entry string) ([]byte, error) {
	switch c {
	case Gzip:
		return appendWritten(dst, func(b *bytes.Buffer) error {
			w := gzip.NewWriter(b)
			_, _ = w.Write(plain) // Close says it again
			return w.Close()
		})
	case Zip:
		return appendWritten(dst, func(b *bytes.Buffer) error {
			w := zip.NewWriter(b)
			file, err := w.Create(entry)
			if err != nil {
				return err
			}
			if _, err := file.Write(plain); err != nil {
				return err
			}
			return w.Close()
		})
	case Snappy:
		return appendXerial(dst, plain), nil
	case HadoopSnappy:
		return appendHadoop(dst, plain), nil
	default:
		return append(dst, plain...), nil
	}
}

func appendWritten(dst []byte, write func(*bytes.Buffer) error) ([]byte, error) {
	b := bytes.NewBuffer(dst)
	if err := write(b); err != nil {
		return dst, fmt.Errorf("compress an object: %w", err)
	}
	return b.Bytes(), nil
}

func appendXerial(dst, plain []byte) []byte {
	dst = append(dst, xerialMagic...)
	dst = binary.BigEndian.AppendUint32(dst, xerialVersion)
	dst = binary.BigEndian.AppendUint32(dst, xerialVersion) // lowest that can read it
	return appendBlocks(dst, plain, xerialBlockBytes)
}

// appendHadoop writes one block of all bytes, as one write of them makes it.
func appendHadoop(dst, plain []byte) []byte {
	if len(plain) == 0 {
		return dst
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(plain)))
	return appendBlocks(dst, plain, hadoopChunkBytes)
}

// appendBlocks writes raw Snappy blocks of at most size plain bytes, each behind its length.
func appendBlocks(dst, plain []byte, size int) []byte {
	for len(plain) > 0 {
		n := min(size, len(plain))
		block := snappy.Encode(nil, plain[:n])
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(block)))
		dst = append(dst, block...)
		plain = plain[n:]
	}
	return dst
}
