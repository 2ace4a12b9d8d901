package org.tokenrate.report;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Writes a file whole or not at all: what was there before stays until all of the new is. */
public final class WholeFile {
    /** What the message of every failure begins with; the file follows. */
    public static final String CANNOT_WRITE = "cannot write ";

    private static final String PART = ".part";

    private WholeFile() {}

    /** What is written to the path it is given. */
    public interface Content {
        void writeTo(Path part) throws IOException;
    }

    /**
     * @return {@code file}
     * @throws IOException that names the file and the reason, in one sentence
     */
    public static Path write(Path file, String text) throws IOException {
        return write(file, part -> Files.writeString(part, text));
    }

    public static Path write(Path file, Content content) throws IOException {
        Path part = file.resolveSibling(file.getFileName() + PART);
        try {
            content.writeTo(part);
            return Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            try {
                Files.deleteIfExists(part);
            } catch (IOException again) {
                e.addSuppressed(again);
            }
            throw new IOException(CANNOT_WRITE + file + ": " + reason(e), e);
        }
    }

    /** Files that something cut short while it wrote them. */
    public static boolean isPart(Path file) {
        return file.getFileName().toString().endsWith(PART);
    }

    /** The system's words; a file name alone says nothing. */
    private static String reason(IOException e) {
        if (e instanceof FileSystemException f && f.getReason() != null) {
            return f.getReason();
        }
        if (e instanceof AccessDeniedException) return "permission denied";
        if (e instanceof NoSuchFileException) return "its folder is gone";
        return String.valueOf(e.getMessage());
    }
}
