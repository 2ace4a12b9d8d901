package org.tokenrate.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Tells a torch archive from what else goes by the names .bin and .pth. */
final class TorchFileKind {
    /** Of git-lfs pointers: the first line's beginning. */
    private static final String LFS = "version https://git-lfs";

    /**
     * A pickle of protocol 2 that starts with an integer of ten bytes, torch's old magic number.
     */
    private static final int LEGACY = 0x0a8a0280;

    private static final int START_BYTES = LFS.length();

    private TorchFileKind() {}

    /**
     * @throws CheckpointException if it is something else, and says what and what to do
     */
    static void checkIsZip(CheckpointFile file) throws IOException {
        int length = (int) Math.min(file.size(), START_BYTES);
        ByteBuffer start = file.read(0, length);
        if (length < 4) {
            throw file.bad("is %d bytes long, too short for a torch archive".formatted(length));
        }
        int magic = start.getInt(0);
        if (magic == StoredZip.LOCAL_HEADER) return;
        if (magic == LEGACY) {
            throw file.bad(
                    "was saved in torch's format before 1.6;"
                            + " load and save it again with a newer torch");
        }
        if (StandardCharsets.ISO_8859_1.decode(start.duplicate()).toString().equals(LFS)) {
            throw file.bad("is a git-lfs pointer, not the weights; get them with git lfs pull");
        }
        if (length > 8 && start.get(8) == '{') {
            throw file.bad("is a safetensors file; give it a name that ends in .safetensors");
        }
        throw file.bad(
                "is not a torch archive: it starts with the bytes 0x%08x"
                        .formatted(Integer.reverseBytes(magic)));
    }
}
