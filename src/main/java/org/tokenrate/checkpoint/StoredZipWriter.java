package org.tokenrate.checkpoint;

import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;

/**
 * Writes a zip archive that stores its entries as they are, each at a multiple of 64 bytes, as
 * torch does. Sizes are known beforehand; a checksum is put into its header when its entry ends.
 * Beyond 4 GiB it uses zip64. Times are left out, so that equal entries make equal archives.
 *
 * @see StoredZip
 */
final class StoredZipWriter implements Closeable {
    private static final int ALIGNMENT = 64;
    private static final int BUFFER_BYTES = 1 << 16;

    /** Under this id torch pads its headers. */
    private static final short EXTRA_PADDING = 0x4246;

    private static final int EXTRA_HEADER_BYTES = 4;
    private static final int CRC_OFFSET = 14;
    private static final short UTF_8_NAME = 0x0800;
    private static final short VERSION_64 = 45;

    private record Written(byte[] name, long header, long size, int crc) {}

    private final FileChannel channel;
    private final OutputStream out;
    private final List<Written> directory = new ArrayList<>();
    private final CRC32 crc = new CRC32();
    private byte[] name = new byte[0];
    private long header;
    private long size;
    private long position;

    /** Starts a file, replacing one that is there. */
    static StoredZipWriter create(Path file) throws IOException {
        return new StoredZipWriter(
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE));
    }

    private StoredZipWriter(FileChannel channel) {
        this.channel = channel;
        out = new BufferedOutputStream(Channels.newOutputStream(channel), BUFFER_BYTES);
    }

    /** Writes a whole entry. */
    void add(String entry, byte[] content) throws IOException {
        begin(entry, content.length);
        write(content, content.length);
        end();
    }

    /** Starts an entry of so many bytes; they are to follow, then {@link #end}. */
    void begin(String entry, long bytes) throws IOException {
        name = entry.getBytes(StandardCharsets.UTF_8);
        header = position;
        size = bytes;
        crc.reset();
        ByteBuffer wide = zip64(bytes, bytes);
        long start = position + StoredZip.LOCAL_BYTES + name.length + wide.remaining();
        int padding = (int) -(start + EXTRA_HEADER_BYTES) & ALIGNMENT - 1;
        ByteBuffer local =
                buffer(StoredZip.LOCAL_BYTES)
                        .putInt(StoredZip.LOCAL_HEADER)
                        .putShort(VERSION_64)
                        .putShort(UTF_8_NAME)
                        .putShort((short) 0) // stored
                        .putInt(0) // no time
                        .putInt(0) // the checksum, later
                        .putInt(narrow(bytes))
                        .putInt(narrow(bytes))
                        .putShort((short) name.length)
                        .putShort((short) (wide.remaining() + EXTRA_HEADER_BYTES + padding));
        byte[] filler = new byte[padding];
        Arrays.fill(filler, (byte) 'Z');
        put(local.array());
        put(name);
        put(wide.array());
        put(buffer(EXTRA_HEADER_BYTES).putShort(EXTRA_PADDING).putShort((short) padding).array());
        put(filler);
    }

    void write(byte[] bytes, int length) throws IOException {
        crc.update(bytes, 0, length);
        out.write(bytes, 0, length);
        position += length;
    }

    void end() throws IOException {
        out.flush();
        int value = (int) crc.getValue();
        ByteBuffer bytes = buffer(Integer.BYTES).putInt(value).flip();
        for (long at = header + CRC_OFFSET; bytes.hasRemaining(); ) at += channel.write(bytes, at);
        directory.add(new Written(name, header, size, value));
    }

    /** Writes the directory. */
    void finish() throws IOException {
        long start = position;
        for (Written entry : directory) {
            ByteBuffer wide = zip64(entry.size, entry.size, entry.header);
            put(
                    buffer(StoredZip.CENTRAL_BYTES)
                            .putInt(StoredZip.CENTRAL_HEADER)
                            .putShort(VERSION_64)
                            .putShort(VERSION_64)
                            .putShort(UTF_8_NAME)
                            .putShort((short) 0)
                            .putInt(0)
                            .putInt(entry.crc)
                            .putInt(narrow(entry.size))
                            .putInt(narrow(entry.size))
                            .putShort((short) entry.name.length)
                            .putShort((short) wide.remaining())
                            .putInt(StoredZip.CENTRAL_BYTES - Integer.BYTES, narrow(entry.header))
                            .array());
            put(entry.name);
            put(wide.array());
        }
        long end = position;
        put(
                buffer(StoredZip.END_64_BYTES)
                        .putInt(StoredZip.END_64)
                        .putLong(StoredZip.END_64_BYTES - 12)
                        .putShort(VERSION_64)
                        .putShort(VERSION_64)
                        .putLong(0) // disks
                        .putLong(directory.size())
                        .putLong(directory.size())
                        .putLong(end - start)
                        .putLong(start)
                        .array());
        put(
                buffer(StoredZip.LOCATOR_BYTES)
                        .putInt(StoredZip.END_64_LOCATOR)
                        .putInt(0)
                        .putLong(end)
                        .putInt(1)
                        .array());
        short count = (short) Math.min(directory.size(), 0xffff);
        put(
                buffer(StoredZip.END_BYTES)
                        .putInt(StoredZip.END)
                        .putInt(0)
                        .putShort(count)
                        .putShort(count)
                        .putInt(narrow(end - start))
                        .putInt(narrow(start))
                        .array());
    }

    /** The extra field of those values that need 64 bits; empty if none does. */
    private static ByteBuffer zip64(long... values) {
        int count = 0;
        for (long value : values) if (value >= StoredZip.IN_ZIP64) count++;
        if (count == 0) return buffer(0);
        ByteBuffer extra = buffer(EXTRA_HEADER_BYTES + count * Long.BYTES);
        extra.putShort((short) StoredZip.EXTRA_ZIP64).putShort((short) (count * Long.BYTES));
        for (long value : values) if (value >= StoredZip.IN_ZIP64) extra.putLong(value);
        return extra.flip();
    }

    private static int narrow(long value) {
        return (int) Math.min(value, StoredZip.IN_ZIP64);
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void put(byte[] bytes) throws IOException {
        out.write(bytes);
        position += bytes.length;
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
