package org.tokenrate.run;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * Says that a run is running. The system holds the lock for the JVM and lets go of it when the JVM
 * ends, however that happens; a process id in a file would outlive it.
 */
public final class RunLock {
    /** In the run's folder; left there by a run that may be resumed. */
    public static final String FILE = "run.lock";

    private final Path file;
    private final FileChannel channel;

    private RunLock(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /**
     * @param folder of a run
     * @return the lock, or nothing if another JVM has it
     * @throws IOException if the folder cannot be written
     */
    public static Optional<RunLock> take(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            FileLock lock = channel.tryLock();
            if (lock != null) return Optional.of(new RunLock(file, channel));
        } catch (OverlappingFileLockException e) {
            // Held by this very JVM, which is held all the same.
        } catch (IOException e) {
            channel.close();
            throw e;
        }
        channel.close();
        return Optional.empty();
    }

    /** Lets go. A run that is never resumed leaves no file; the file of another has to stay. */
    public void release(boolean forGood) throws IOException {
        if (forGood) Files.deleteIfExists(file);
        channel.close();
    }
}
