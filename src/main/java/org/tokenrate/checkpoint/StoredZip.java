package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The directory of a zip archive that stores its entries as they are, so that they can be mapped.
 *
 * <p>Stricter than a zip may be, as torch.save writes it: nothing before, between the directory and
 * its end record or behind, no compression, no encryption, one disk, no entry inside another.
 *
 * @param entries by name
 * @see <a href="https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT">the zip format</a>
 */
record StoredZip(Map<String, Entry> entries) {
    /**
     * An entry's place in the archive.
     *
     * @param headerOffset of its local header
     * @param offset of its first byte
     * @param size in bytes
     * @param crc CRC-32 of its bytes, as the archive claims
     */
    record Entry(String name, long headerOffset, long offset, long size, int crc) {
        long end() {
            return offset + size;
        }
    }

    /** As the first four bytes of the archive, little-endian. */
    static final int LOCAL_HEADER = 0x04034b50;

    static final int CENTRAL_HEADER = 0x02014b50;
    static final int END = 0x06054b50;
    static final int END_64 = 0x06064b50;
    static final int END_64_LOCATOR = 0x07064b50;

    static final int LOCAL_BYTES = 30;
    static final int CENTRAL_BYTES = 46;
    static final int END_BYTES = 22;
    static final int END_64_BYTES = 56;
    static final int LOCATOR_BYTES = 20;

    private static final int ENCRYPTED = 1;
    static final int EXTRA_ZIP64 = 1;

    /** A 32-bit field of this value stands in a zip64 record instead. */
    static final long IN_ZIP64 = 0xffff_ffffL;

    /** Room for half a million entries, far more than any checkpoint has tensors. */
    private static final int MAX_DIRECTORY_BYTES = 64 << 20;

    private static final int MAX_NAME_BYTES = 512;

    /** Where the directory lies and how many entries it has. */
    private record Directory(long offset, long size, long count) {}

    /** Reads and checks the directory. */
    static StoredZip read(CheckpointFile file) throws IOException {
        Directory directory = directory(file);
        ByteBuffer bytes = file.read(directory.offset, (int) directory.size);
        Map<String, Entry> entries = new TreeMap<>();
        for (long i = 0; i < directory.count; i++) {
            if (bytes.remaining() < CENTRAL_BYTES
                    || bytes.getInt(bytes.position()) != CENTRAL_HEADER) {
                throw file.bad(
                        "has a damaged zip directory: entry %d of %d is none"
                                .formatted(i + 1, directory.count));
            }
            Entry entry = entry(file, bytes, directory.offset);
            if (entries.put(entry.name, entry) != null) {
                throw file.bad("has two zip entries named " + entry.name);
            }
        }
        if (bytes.hasRemaining()) {
            throw file.bad(
                    "has a damaged zip directory: %d bytes behind the last of %d entries"
                            .formatted(bytes.remaining(), directory.count));
        }
        checkNoOverlap(file, entries);
        return new StoredZip(entries);
    }

    private static Directory directory(CheckpointFile file) throws IOException {
        long end = endRecord(file);
        ByteBuffer record = file.read(end, END_BYTES);
        long count = Short.toUnsignedLong(record.getShort(10));
        long size = Integer.toUnsignedLong(record.getInt(12));
        long offset = Integer.toUnsignedLong(record.getInt(16));
        long locator = end - LOCATOR_BYTES;
        if (locator >= 0) {
            ByteBuffer bytes = file.read(locator, LOCATOR_BYTES);
            if (bytes.getInt() == END_64_LOCATOR) {
                end = bytes.getLong(8);
                if (end < 0 || end > locator - END_64_BYTES) {
                    throw file.bad("has a zip64 end record outside of it, at " + end);
                }
                record = file.read(end, END_64_BYTES);
                if (record.getInt(0) != END_64) throw file.bad("has no zip64 end record at " + end);
                count = record.getLong(32);
                size = record.getLong(40);
                offset = record.getLong(48);
            }
        }
        if (size < 0 || size > end || offset != end - size) {
            throw file.bad(
                    ("claims a zip directory of %s bytes at %s, but it must end at %d:"
                                    + " damaged or truncated?")
                            .formatted(
                                    Long.toUnsignedString(size),
                                    Long.toUnsignedString(offset),
                                    end));
        }
        if (size > MAX_DIRECTORY_BYTES) {
            throw file.bad(
                    "has a zip directory of %d bytes; the limit is %d"
                            .formatted(size, MAX_DIRECTORY_BYTES));
        }
        if (count < 0 || count > size / CENTRAL_BYTES) {
            throw file.bad(
                    "claims %s zip entries in a directory of %d bytes"
                            .formatted(Long.toUnsignedString(count), size));
        }
        return new Directory(offset, size, count);
    }

    /** The end record stands last; only a comment of at most 64 KiB may follow. */
    private static long endRecord(CheckpointFile file) throws IOException {
        int length = (int) Math.min(file.size(), END_BYTES + 0xffff);
        long start = file.size() - length;
        ByteBuffer tail = file.read(start, length);
        for (int at = length - END_BYTES; at >= 0; at--) {
            if (tail.getInt(at) == END
                    && Short.toUnsignedInt(tail.getShort(at + 20)) == length - at - END_BYTES) {
                return start + at;
            }
        }
        throw file.bad(
                "has no zip directory at its end: truncated? (%d bytes)".formatted(file.size()));
    }

    /** Takes one entry off the directory, and finds its bytes by its local header. */
    private static Entry entry(CheckpointFile file, ByteBuffer bytes, long limit)
            throws IOException {
        int at = bytes.position();
        int flags = bytes.getShort(at + 8);
        int method = bytes.getShort(at + 10);
        int crc = bytes.getInt(at + 16);
        int nameBytes = Short.toUnsignedInt(bytes.getShort(at + 28));
        int extraBytes = Short.toUnsignedInt(bytes.getShort(at + 30));
        int commentBytes = Short.toUnsignedInt(bytes.getShort(at + 32));
        if (bytes.remaining() < CENTRAL_BYTES + nameBytes + extraBytes + commentBytes) {
            throw file.bad("has a damaged zip directory: its last entry is cut off");
        }
        byte[] rawName = new byte[nameBytes];
        bytes.position(at + CENTRAL_BYTES).get(rawName);
        String name = checkedName(file, rawName);
        ByteBuffer extra = bytes.slice(bytes.position(), extraBytes).order(ByteOrder.LITTLE_ENDIAN);
        Zip64 sizes = new Zip64(file, name, extra);
        long size = sizes.orWide(Integer.toUnsignedLong(bytes.getInt(at + 24)));
        long packed = sizes.orWide(Integer.toUnsignedLong(bytes.getInt(at + 20)));
        long header = sizes.orWide(Integer.toUnsignedLong(bytes.getInt(at + 42)));
        bytes.position(bytes.position() + extraBytes + commentBytes);
        if ((flags & ENCRYPTED) != 0) throw file.bad("zip entry " + name + " is encrypted");
        if (method != 0) {
            throw file.bad(
                    ("zip entry %s is compressed (method %d), which torch.save never does:"
                                    + " is it a TorchScript program? save its state_dict()")
                            .formatted(name, method));
        }
        if (packed != size) {
            throw file.bad(
                    "zip entry %s is stored, but has %d bytes of %d".formatted(name, packed, size));
        }
        long offset = dataOffset(file, name, rawName, header, limit);
        if (size < 0 || size > limit - offset) {
            throw file.bad(
                    "zip entry %s claims %s bytes at %d, but the data end at %d"
                            .formatted(name, Long.toUnsignedString(size), offset, limit));
        }
        return new Entry(name, header, offset, size, crc);
    }

    /** Nothing is ever unpacked; a name that looks like a way out is refused all the same. */
    private static String checkedName(CheckpointFile file, byte[] raw) throws CheckpointException {
        if (raw.length > MAX_NAME_BYTES) {
            throw file.bad(
                    "has a zip entry with a name of %d bytes; the limit is %d"
                            .formatted(raw.length, MAX_NAME_BYTES));
        }
        String name = new String(raw, StandardCharsets.UTF_8);
        boolean plain =
                !name.isEmpty()
                        && name.chars().noneMatch(c -> c < ' ' || c == '\\')
                        && Arrays.stream(name.split("/", -1))
                                .noneMatch(part -> part.isEmpty() || part.equals(".."));
        if (!plain) {
            throw file.bad(
                    "has a zip entry of the impossible name '"
                            + name.replaceAll("\\p{Cntrl}", "?")
                            + "'");
        }
        return name;
    }

    private static long dataOffset(
            CheckpointFile file, String name, byte[] rawName, long header, long limit)
            throws IOException {
        long bytes = LOCAL_BYTES + rawName.length;
        if (header < 0 || header > limit - bytes) {
            throw file.bad(
                    "zip entry %s claims to start at %s, but the data end at %d"
                            .formatted(name, Long.toUnsignedString(header), limit));
        }
        ByteBuffer local = file.read(header, (int) bytes);
        if (local.getInt(0) != LOCAL_HEADER
                || local.getShort(8) != 0
                || Short.toUnsignedInt(local.getShort(26)) != rawName.length
                || !Arrays.equals(
                        local.array(), LOCAL_BYTES, (int) bytes, rawName, 0, rawName.length)) {
            throw file.bad(
                    "zip entry %s is not where the directory says, at %d".formatted(name, header));
        }
        return header + bytes + Short.toUnsignedInt(local.getShort(28));
    }

    private static void checkNoOverlap(CheckpointFile file, Map<String, Entry> entries)
            throws CheckpointException {
        List<Entry> sorted =
                entries.values().stream()
                        .sorted(Comparator.comparingLong(Entry::headerOffset))
                        .toList();
        for (int i = 1; i < sorted.size(); i++) {
            if (sorted.get(i - 1).end() > sorted.get(i).headerOffset) {
                throw file.bad(
                        "zip entries %s and %s overlap"
                                .formatted(sorted.get(i - 1).name, sorted.get(i).name));
            }
        }
    }

    /** The 64-bit values of an entry's extra field, which stand in a fixed order. */
    private static final class Zip64 {
        private final CheckpointFile file;
        private final String name;
        private final ByteBuffer values;

        Zip64(CheckpointFile file, String name, ByteBuffer extra) throws CheckpointException {
            this.file = file;
            this.name = name;
            ByteBuffer found = ByteBuffer.allocate(0);
            while (extra.remaining() >= 4) {
                int id = Short.toUnsignedInt(extra.getShort());
                int length = Short.toUnsignedInt(extra.getShort());
                if (length > extra.remaining()) {
                    throw file.bad("zip entry " + name + " has a damaged extra field");
                }
                if (id == EXTRA_ZIP64) {
                    found = extra.slice(extra.position(), length).order(ByteOrder.LITTLE_ENDIAN);
                }
                extra.position(extra.position() + length);
            }
            values = found;
        }

        long orWide(long value) throws CheckpointException {
            if (value != IN_ZIP64) return value;
            if (values.remaining() < Long.BYTES) {
                throw file.bad("zip entry " + name + " lacks its zip64 sizes");
            }
            return values.getLong();
        }
    }
}
