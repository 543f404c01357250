package print

import (
	"encoding/binary"
	"slices"
)

// A font file begins with a directory of its tables (OpenType 1.9, otff): 12 bytes,
// the fifth and sixth of which count the tables, then for each a tag of 4 bytes, a
// checksum, an offset and a length.
const (
	directory = 12
	entry     = 16
	// mostTables bounds what is read of a font; real ones have some twenty.
	mostTables = 64
)

// single returns the first font of a collection (.ttc) as a font of its own, and
// another font as it is.
func single(data []byte) ([]byte, error) {
	broken := &FontError{"it is cut short or broken"}
	if len(data) < directory {
		return nil, broken
	}
	if string(data[:4]) != "ttcf" {
		return data, nil
	}
	if len(data) < 16 {
		return nil, broken
	}
	begin := uint64(binary.BigEndian.Uint32(data[12:]))
	if begin+directory > uint64(len(data)) {
		return nil, broken
	}
	count := int(binary.BigEndian.Uint16(data[begin+4:]))
	end := begin + directory + uint64(count)*entry
	if count > mostTables || end > uint64(len(data)) {
		return nil, broken
	}
	out := slices.Clone(data[begin:end])
	for i := range count {
		row := out[directory+i*entry:]
		offset, length := uint64(binary.BigEndian.Uint32(row[8:])), uint64(binary.BigEndian.Uint32(row[12:]))
		if offset+length > uint64(len(data)) || len(out) > len(data) {
			return nil, broken
		}
		binary.BigEndian.PutUint32(out[directory+i*entry+8:], uint32(len(out)))
		out = append(out, data[offset:offset+length]...)
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
	}
	return out, nil
}

// has reports whether a font has a table.
func has(data []byte, tag string) bool {
	count := int(binary.BigEndian.Uint16(data[4:]))
	for i := 0; i < count && directory+(i+1)*entry <= len(data); i++ {
		if string(data[directory+i*entry:][:4]) == tag {
			return true
		}
	}
	return false
}
