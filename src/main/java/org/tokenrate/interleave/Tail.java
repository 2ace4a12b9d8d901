package org.tokenrate.interleave;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;

/** The end of what a program said, where it tells why it failed. */
final class Tail {
    private static final int LINES = 20;
    private static final int BYTES = 1 << 14;

    private Tail() {}

    static String of(Path log) throws IOException {
        ByteBuffer end;
        try (var in = FileChannel.open(log)) {
            end = ByteBuffer.allocate((int) Math.min(BYTES, in.size()));
            long from = in.size() - end.capacity();
            while (end.hasRemaining() && in.read(end, from + end.position()) >= 0) {}
        }
        List<String> lines =
                new String(end.array(), 0, end.position(), UTF_8)
                        .lines()
                        .filter(l -> !l.isBlank())
                        .toList();
        return lines.stream()
                .skip(Math.max(0, lines.size() - LINES))
                .map(l -> "  " + l.replaceAll("\\p{Cntrl}", " "))
                .collect(joining("\n"));
    }
}
