package org.tokenrate.run;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** What is running: a commit does not tell where the work tree is not clean, or the jar is old. */
public final class Program {
    private Program() {}

    /** SHA-256 of benchmarks.jar, or of the class files where there is no jar, in hex. */
    public static String sha256() throws IOException {
        Path code = code();
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
        List<Path> files;
        try (Stream<Path> all = Files.walk(code)) {
            files = all.filter(Files::isRegularFile).sorted().toList();
        }
        try (var out = new DigestOutputStream(OutputStream.nullOutputStream(), digest)) {
            for (Path file : files) {
                try (InputStream in = Files.newInputStream(file)) {
                    in.transferTo(out);
                }
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static Path code() throws IOException {
        try {
            return Path.of(
                    Program.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException e) {
            throw new IOException("cannot tell where this program is: " + e.getMessage(), e);
        }
    }
}
