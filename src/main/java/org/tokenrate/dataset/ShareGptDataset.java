package org.tokenrate.dataset;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.tokenrate.dataset.DialogueSpan.Span;

/**
 * The dialogues of a ShareGPT file, {@code [{"conversations": [{"value": …}, …]}, …]} in UTF-8: the
 * first two turns of every conversation that has at least two, in the file's order. Other keys are
 * passed over.
 *
 * <p>The text stays in the file, which is held open: about 100 bytes of memory a conversation,
 * however long the turns. Thread-safe.
 */
public final class ShareGptDataset implements Closeable {
    private final Path file;
    private final FileChannel channel;
    private final List<DialogueSpan> dialogues;
    private final int conversations;

    private ShareGptDataset(Path file, FileChannel channel, ShareGptScanner.Found found) {
        this.file = file;
        this.channel = channel;
        dialogues = found.dialogues();
        conversations = found.conversations();
    }

    /**
     * Checks the whole file and finds its dialogues.
     *
     * @throws IOException if it cannot be read, is not JSON or not of ShareGPT's shape: one
     *     sentence with the file, and line, column (in bytes) and byte offset
     */
    public static ShareGptDataset open(Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new IOException(file + " is a folder; give the ShareGPT JSON file itself");
        }
        FileChannel channel;
        try {
            channel = FileChannel.open(file, StandardOpenOption.READ);
        } catch (NoSuchFileException e) {
            throw new IOException("there is no dataset file " + file, e);
        }
        try (InputStream in = Files.newInputStream(file)) {
            return new ShareGptDataset(file, channel, ShareGptScanner.scan(file, in));
        } catch (Throwable e) {
            channel.close();
            throw e;
        }
    }

    /** Conversations with at least two turns. */
    public int size() {
        return dialogues.size();
    }

    /** Conversations with any number of turns. */
    public int conversations() {
        return conversations;
    }

    /** The file it was opened from. */
    public Path file() {
        return file;
    }

    /**
     * Reads a dialogue's text from the file.
     *
     * @param index from 0 to {@link #size()}
     * @throws IOException if the file can no longer be read, or has changed
     */
    public Dialogue dialogue(int index) throws IOException {
        DialogueSpan span = dialogues.get(index);
        return new Dialogue(text(span.prompt()), text(span.answer()));
    }

    /** Whether a dialogue's prompt has any text. */
    boolean hasPrompt(int index) throws IOException {
        Span span = dialogues.get(index).prompt();
        var start = ByteBuffer.allocate(2);
        while (start.hasRemaining()) {
            if (channel.read(start, span.at() + start.position()) < 0) throw changed(span);
        }
        return start.get(1) != '"';
    }

    private String text(Span span) throws IOException {
        var bytes = ByteBuffer.allocate(span.bytes());
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, span.at() + bytes.position()) < 0) throw changed(span);
        }
        try (JsonParser parser = ShareGptScanner.JSON.createParser(bytes.array())) {
            if (parser.nextToken() != JsonToken.VALUE_STRING) throw changed(span);
            return parser.getText();
        } catch (JsonProcessingException e) {
            throw changed(span);
        }
    }

    private IOException changed(Span span) {
        return new IOException(
                file
                        + " changed while it was in use: there is no longer a JSON string at byte "
                        + span.at());
    }

    /** SHA-256 of the whole file in lower-case hex; reads the file once more. */
    public String sha256() throws IOException {
        return sha256(file);
    }

    /** SHA-256 of a file in lower-case hex. */
    public static String sha256(Path file) throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
        try (var in = new DigestInputStream(Files.newInputStream(file), digest)) {
            byte[] chunk = new byte[1 << 20];
            while (in.read(chunk) >= 0) {}
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
