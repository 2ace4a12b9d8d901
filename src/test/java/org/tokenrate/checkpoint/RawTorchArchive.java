package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** Torch archives that torch would not write. Pickles are given as text, a character a byte. */
final class RawTorchArchive {
    private RawTorchArchive() {}

    /** An archive of a pickle, and zeros for storage 0. */
    static Path write(Path file, String pickle, int storageBytes) throws IOException {
        return write(file, bytes(pickle), storageBytes);
    }

    static Path write(Path file, byte[] pickle, int storageBytes) throws IOException {
        try (var zip = StoredZipWriter.create(file)) {
            zip.add("archive/data.pkl", pickle);
            zip.add("archive/data/0", new byte[storageBytes]);
            zip.finish();
        }
        return file;
    }

    /** The pickle of a dict with the one tensor {@code w}. */
    static String oneTensor(
            String storageClass,
            String key,
            long size,
            long offset,
            List<Long> shape,
            List<Long> strides) {
        return "\u0080\u0002}"
                + string("w")
                + "ctorch._utils\n_rebuild_tensor_v2\n(("
                + string("storage")
                + "ctorch\n"
                + storageClass
                + "\n"
                + string(key)
                + string("cpu")
                + integer(size)
                + "tQ"
                + integer(offset)
                + tuple(shape)
                + tuple(strides)
                + "\u0089ccollections\nOrderedDict\n)RtRs.";
    }

    static String string(String text) {
        return "X" + little(Integer.BYTES, text.length()) + text;
    }

    static String integer(long value) {
        return "\u008a\u0008" + little(Long.BYTES, value);
    }

    private static String tuple(List<Long> values) {
        StringBuilder text = new StringBuilder("(");
        values.forEach(value -> text.append(integer(value)));
        return text.append('t').toString();
    }

    static String little(int bytes, long value) {
        ByteBuffer buffer = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        byte[] all = buffer.putLong(value).array();
        return new String(all, 0, bytes, StandardCharsets.ISO_8859_1);
    }

    static byte[] bytes(String pickle) {
        return pickle.getBytes(StandardCharsets.ISO_8859_1);
    }
}
