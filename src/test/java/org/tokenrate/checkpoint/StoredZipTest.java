package org.tokenrate.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The offsets of what is damaged here are those of the zip format's records. */
class StoredZipTest {
    private static final int DATA_OF_FIRST = 64;

    @TempDir Path folder;
    private Path file;
    private ByteBuffer zip;

    /**
     * Entries "a/one" of four bytes and "a/two" of two; a directory of two entries, 51 bytes each.
     */
    @BeforeEach
    void writeAGoodFile() throws IOException {
        file = folder.resolve("model.bin");
        try (var writer = StoredZipWriter.create(file)) {
            writer.add("a/one", new byte[] {1, 2, 3, 4});
            writer.add("a/two", new byte[] {5, 6});
            writer.finish();
        }
        zip = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    }

    private int end() {
        return zip.capacity() - StoredZip.END_BYTES;
    }

    private int end64() {
        return end() - StoredZip.LOCATOR_BYTES - StoredZip.END_64_BYTES;
    }

    private int entry(int index) {
        return end64() - (2 - index) * (StoredZip.CENTRAL_BYTES + 5);
    }

    @Test
    void entriesAreFoundWithTheirBytes() throws IOException {
        try (CheckpointFile opened = CheckpointFile.open(file)) {
            var entries = StoredZip.read(opened).entries();
            assertEquals(2, entries.size());
            StoredZip.Entry one = entries.get("a/one");
            assertEquals(4, one.size());
            assertEquals(DATA_OF_FIRST, one.offset());
            assertEquals(0x04030201, opened.read(one.offset(), 4).getInt());
            StoredZip.Entry two = entries.get("a/two");
            assertEquals(0x0605, opened.read(two.offset(), 2).getShort());
        }
    }

    @Test
    void anArchiveOfJavasOwnReadsToo() throws IOException {
        byte[] content = {1, 2, 3};
        try (var out = new ZipOutputStream(Files.newOutputStream(file))) {
            ZipEntry entry = new ZipEntry("b/three");
            entry.setMethod(ZipEntry.STORED);
            entry.setSize(3);
            CRC32 crc = new CRC32();
            crc.update(content);
            entry.setCrc(crc.getValue());
            out.putNextEntry(entry);
            out.write(content);
            out.setComment("written by Java");
        }
        try (CheckpointFile opened = CheckpointFile.open(file)) {
            assertEquals(3, StoredZip.read(opened).entries().get("b/three").size());
        }
    }

    @Test
    void aCompressedEntryIsRefusedByName() throws IOException {
        try (var out = new ZipOutputStream(Files.newOutputStream(file))) {
            out.putNextEntry(new ZipEntry("b/three"));
            out.write(new byte[100]);
        }
        assertTrue(refused().startsWith("zip entry b/three is compressed (method 8)"), refused());
    }

    @Test
    void anEncryptedEntryIsRefusedByName() throws IOException {
        zip.putShort(entry(1) + 8, (short) 1);
        assertEquals("zip entry a/two is encrypted", refusedChanged());
    }

    @Test
    void twoEntriesOfOneNameAreRefused() throws IOException {
        try (var writer = StoredZipWriter.create(file)) {
            writer.add("a/one", new byte[1]);
            writer.add("a/one", new byte[2]);
            writer.finish();
        }
        assertEquals("has two zip entries named a/one", refused());
    }

    @Test
    void entriesThatOverlapAreRefusedWithBothNames() throws IOException {
        long reach = zip.getInt(entry(1) + 42) + 1 - DATA_OF_FIRST;
        zip.putInt(entry(0) + 20, (int) reach).putInt(entry(0) + 24, (int) reach);
        assertEquals("zip entries a/one and a/two overlap", refusedChanged());
    }

    @Test
    void anEntryThatReachesIntoTheDirectoryIsRefused() throws IOException {
        int size = entry(0) - 127;
        zip.putInt(entry(1) + 20, size).putInt(entry(1) + 24, size);
        assertEquals(
                "zip entry a/two claims %d bytes at 128, but the data end at %d"
                        .formatted(size, entry(0)),
                refusedChanged());
    }

    @Test
    void anEntryThatStartsOutsideIsRefused() throws IOException {
        zip.putInt(entry(1) + 42, 0x7fff_ffff);
        assertEquals(
                "zip entry a/two claims to start at 2147483647, but the data end at " + entry(0),
                refusedChanged());
    }

    @Test
    void anEntryThatPointsAtAnothersHeaderIsRefused() throws IOException {
        zip.putInt(entry(1) + 42, 0);
        assertEquals("zip entry a/two is not where the directory says, at 0", refusedChanged());
    }

    @Test
    void aStoredEntryOfTwoSizesIsRefused() throws IOException {
        zip.putInt(entry(0) + 20, 3);
        assertEquals("zip entry a/one is stored, but has 3 bytes of 4", refusedChanged());
    }

    @Test
    void aZip64SizeThatIsNotThereIsRefused() throws IOException {
        zip.putInt(entry(0) + 24, -1);
        assertEquals("zip entry a/one lacks its zip64 sizes", refusedChanged());
    }

    @ParameterizedTest
    @ValueSource(strings = {"../x", "a//b", "/tmp", "a\\b", "a/..", "a/\n", "a/"})
    void aNameThatLooksLikeAWayOutIsRefused(String name) throws IOException {
        try (var writer = StoredZipWriter.create(file)) {
            writer.add(name, new byte[1]);
            writer.finish();
        }
        assertEquals(
                "has a zip entry of the impossible name '" + name.replace('\n', '?') + "'",
                refused());
    }

    @Test
    void aNameThatIsTooLongIsRefused() throws IOException {
        try (var writer = StoredZipWriter.create(file)) {
            writer.add("n".repeat(60_000), new byte[1]);
            writer.finish();
        }
        assertEquals("has a zip entry with a name of 60000 bytes; the limit is 512", refused());
    }

    @Test
    void moreEntriesThanTheDirectoryHoldsAreRefused() throws IOException {
        zip.putLong(end64() + 32, 3);
        assertEquals("claims 3 zip entries in a directory of 102 bytes", refusedChanged());
        zip.putLong(end64() + 32, Long.MIN_VALUE);
        assertEquals(
                "claims 9223372036854775808 zip entries in a directory of 102 bytes",
                refusedChanged());
    }

    @Test
    void fewerEntriesThanTheDirectoryHoldsAreRefused() throws IOException {
        zip.putLong(end64() + 32, 1);
        assertEquals(
                "has a damaged zip directory: 51 bytes behind the last of 1 entries",
                refusedChanged());
    }

    @Test
    void aDirectoryThatDoesNotEndWhereItMustIsRefused() throws IOException {
        zip.putLong(end64() + 40, 1L << 40);
        assertTrue(refusedChanged().startsWith("claims a zip directory of 1099511627776 bytes"));
    }

    @Test
    void bytesBeforeTheArchiveAreRefused() throws IOException {
        Files.write(file, new byte[7]);
        Files.write(file, zip.array(), StandardOpenOption.APPEND);
        assertTrue(refused().contains("zip64 end record"), refused());
    }

    @Test
    void anArchiveCutAnywhereIsRefused() throws IOException {
        for (int length = 0; length < zip.capacity(); length++) {
            Files.write(file, Arrays.copyOf(zip.array(), length));
            String message = refused();
            assertTrue(message.contains("truncated?"), length + ": " + message);
        }
    }

    /** An archive beyond 4 GiB, of which the file system keeps only what is written. */
    @Test
    void entriesBeyondFourGibibytesAreFoundByTheirZip64Sizes() throws IOException {
        long size = (4L << 30) + 123;
        byte[] name = "a/huge".getBytes(StandardCharsets.US_ASCII);
        long start = StoredZip.LOCAL_BYTES + name.length + size;
        int central = StoredZip.CENTRAL_BYTES + name.length;
        ByteBuffer tail = buffer(2 * central + 20 + 12 + 30 + name.length + 98);
        local(tail, name);
        long second = start;
        long directory = start + StoredZip.LOCAL_BYTES + name.length;
        central(tail, name, -1, 0).putShort(tail.position() - name.length - 16, (short) 20);
        tail.putShort((short) 1).putShort((short) 16).putLong(size).putLong(size);
        byte[] other = "a/tiny".getBytes(StandardCharsets.US_ASCII);
        tail.put(StoredZip.LOCAL_BYTES, other);
        central(tail, other, 0, -1).putShort(tail.position() - name.length - 16, (short) 12);
        tail.putShort((short) 1).putShort((short) 8).putLong(second);
        long end = start + tail.position();
        tail.putInt(StoredZip.END_64).putLong(44).putInt(0).putLong(0).putLong(2).putLong(2);
        tail.putLong(end - directory).putLong(directory);
        tail.putInt(StoredZip.END_64_LOCATOR).putInt(0).putLong(end).putInt(1);
        tail.putInt(StoredZip.END).putInt(0).putInt(-1).putInt(-1).putInt(-1).putShort((short) 0);
        try (FileChannel channel =
                FileChannel.open(
                        file,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.SPARSE)) {
            ByteBuffer head = buffer(StoredZip.LOCAL_BYTES + name.length);
            local(head, name);
            channel.write(head.flip(), 0);
            channel.write(tail.flip(), start);
        }
        try (CheckpointFile opened = CheckpointFile.open(file)) {
            var entries = StoredZip.read(opened).entries();
            assertEquals(size, entries.get("a/huge").size());
            assertEquals(directory, entries.get("a/tiny").offset());
        }
    }

    private static void local(ByteBuffer into, byte[] name) {
        into.putInt(StoredZip.LOCAL_HEADER).putShort((short) 45).position(into.position() + 20);
        into.putShort((short) name.length).putShort((short) 0).put(name);
    }

    private static ByteBuffer central(ByteBuffer into, byte[] name, int size, int offset) {
        into.putInt(StoredZip.CENTRAL_HEADER).position(into.position() + 16);
        into.putInt(size).putInt(size).putShort((short) name.length);
        return into.position(into.position() + 12).putInt(offset).put(name);
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private String refusedChanged() throws IOException {
        Files.write(file, zip.array());
        return refused();
    }

    private String refused() throws IOException {
        try (CheckpointFile opened = CheckpointFile.open(file)) {
            String message =
                    assertThrows(CheckpointException.class, () -> StoredZip.read(opened))
                            .getMessage();
            assertTrue(message.startsWith(file + ": "), message);
            return message.substring((file + ": ").length());
        }
    }
}
