package org.tokenrate.softgpu;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.opentest4j.TestAbortedException;

/**
 * The built stand-ins and how they are to behave; makes the JVMs that run on them.
 *
 * <p>A JVM under the software GPU sees {@code devices} devices named "Software GPU (tests only, no
 * timing)". What it does wrong there (an access out of bounds, a race, a barrier that not every
 * thread reaches, a leak at exit) is told in {@link Ended#report}, which is empty when all is well.
 *
 * @param libraries the folder with libcuda.so.1 and the others
 * @param settings environment variables SOFTGPU_*, as src/test/cpp/softgpu/README.md has them
 */
public record SoftGpu(Path libraries, Map<String, String> settings) {
    private static final Path SOURCES = Path.of("src", "test", "cpp", "softgpu");
    private static final Path BUILT = Path.of("target", "softgpu");
    private static final String REDIST = "cuda-redist-";
    private static final int MINUTES = 10;

    /**
     * How much is watched: nothing; addresses; addresses, races and uninitialised shared memory.
     */
    public enum Check {
        OFF,
        FAST,
        FULL
    }

    /**
     * A process that ended.
     *
     * @param output standard output and error together
     * @param report what the software GPU found wrong; empty if nothing
     */
    public record Ended(int exit, String output, String report) {}

    public SoftGpu {
        settings = Map.copyOf(settings);
    }

    /** Why there is no software GPU here; empty where there is one. */
    public static Optional<String> missing() {
        if (!System.getProperty("os.name").equals("Linux")) {
            return Optional.of("the software GPU runs on Linux only");
        }
        if (SoftGpu.class.getResource("/org/bytedeco/cuda/linux-x86_64/libjnicudart.so") == null
                && SoftGpu.class.getResource("/org/bytedeco/cuda/linux-arm64/libjnicudart.so")
                        == null) {
            return Optional.of("the CUDA presets have no native library for this platform");
        }
        try {
            command(List.of(compiler(), "--version"));
        } catch (IOException e) {
            return Optional.of(
                    "the software GPU needs a C++ compiler, and %s is missing"
                            .formatted(compiler()));
        }
        return Optional.empty();
    }

    /**
     * Skips the test where there is none, or fails it if the environment variable SOFTGPU_REQUIRED
     * is set, so that a build can insist.
     */
    public static void assumeHere() {
        missing()
                .ifPresent(
                        why -> {
                            if (isRequired()) throw new AssertionError(why);
                            throw new TestAbortedException(why);
                        });
    }

    static boolean isRequired() {
        return System.getenv("SOFTGPU_REQUIRED") != null;
    }

    /**
     * One device with 1 GiB and every check, built if its sources have changed.
     *
     * @throws IOException if the sources do not compile, with the compiler's words
     */
    public static synchronized SoftGpu build() throws IOException {
        Path out = BUILT.resolve(hash()).toAbsolutePath();
        if (!Files.exists(out)) {
            Files.createDirectories(BUILT);
            try (FileChannel channel =
                            FileChannel.open(
                                    BUILT.resolve("lock"),
                                    StandardOpenOption.CREATE,
                                    StandardOpenOption.WRITE);
                    FileLock lock = channel.lock()) {
                if (lock.isValid() && !Files.exists(out)) {
                    Path unfinished = Files.createTempDirectory(BUILT.toAbsolutePath(), "build");
                    command(
                            List.of(
                                    "sh",
                                    SOURCES.resolve("build.sh").toString(),
                                    SOURCES.toString(),
                                    unfinished.toString()));
                    Files.move(unfinished, out, StandardCopyOption.ATOMIC_MOVE);
                }
            }
        }
        return new SoftGpu(out, Map.of());
    }

    public SoftGpu devices(int count) {
        return with("SOFTGPU_DEVICES", Integer.toString(count));
    }

    /** Bytes of each device. */
    public SoftGpu memory(long bytes) {
        return with("SOFTGPU_MEMORY", Long.toString(bytes));
    }

    public SoftGpu check(Check check) {
        return with("SOFTGPU_CHECK", check.name().toLowerCase(java.util.Locale.ROOT));
    }

    /** 80 for sm_80. */
    public SoftGpu architecture(int architecture) {
        return with("SOFTGPU_ARCH", Integer.toString(architecture));
    }

    /** "alloc:3": the third allocation fails; launch, cublas, nccl, nvrtc and lost likewise. */
    public SoftGpu fail(String what) {
        return with("SOFTGPU_FAIL", what);
    }

    /** Another environment variable of the software GPU. */
    public SoftGpu with(String name, String value) {
        Map<String, String> more = new TreeMap<>(settings);
        more.put(name, value);
        return new SoftGpu(libraries, more);
    }

    /** The environment of a process that is to run on it. */
    public Map<String, String> environment(Path report) {
        Map<String, String> environment = new TreeMap<>(settings);
        String others = System.getenv("LD_LIBRARY_PATH");
        environment.put(
                "LD_LIBRARY_PATH",
                others == null || others.isEmpty()
                        ? libraries.toString()
                        : libraries + File.pathSeparator + others);
        environment.put("SOFTGPU_REPORT", report.toString());
        return environment;
    }

    /**
     * The tests' class path without NVIDIA's libraries, which the profile cuda-redist adds and the
     * presets would take before ours.
     */
    public static String classPath() {
        return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> !Path.of(entry).getFileName().toString().startsWith(REDIST))
                .collect(Collectors.joining(File.pathSeparator));
    }

    /**
     * Runs the main method of a class of the tests' class path in a JVM of its own, on this GPU.
     *
     * @param scratch a folder for its files
     * @throws IOException if it does not end in time
     */
    public Ended run(Path scratch, Class<?> main, String... arguments)
            throws IOException, InterruptedException {
        List<String> all = new ArrayList<>();
        all.add("-cp");
        all.add(classPath());
        all.add(main.getName());
        all.addAll(List.of(arguments));
        return java(scratch, all);
    }

    /** Runs {@code java} with these arguments, {@code -jar} say, on this GPU. */
    public Ended java(Path scratch, List<String> arguments)
            throws IOException, InterruptedException {
        Path report = scratch.resolve("softgpu-report.txt");
        Path output = scratch.resolve("softgpu-output.txt");
        Files.deleteIfExists(report);
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(flags());
        command.add("-XX:ErrorFile=" + scratch.resolve("crash.txt"));
        command.addAll(arguments);
        ProcessBuilder builder =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile());
        builder.environment().putAll(environment(report));
        Process process = builder.start();
        try {
            if (!process.waitFor(MINUTES, TimeUnit.MINUTES)) {
                throw new IOException(
                        "%s took over %d minutes:%n%s"
                                .formatted(arguments, MINUTES, Files.readString(output)));
            }
        } finally {
            process.destroyForcibly();
        }
        return new Ended(
                process.exitValue(),
                Files.readString(output),
                Files.exists(report) ? Files.readString(report) : "");
    }

    private List<String> flags() {
        List<String> flags =
                new ArrayList<>(
                        List.of(
                                "--add-modules=jdk.incubator.vector",
                                "-Xmx2g",
                                "-XX:+UseSerialGC",
                                "-XX:-CreateCoredumpOnCrash",
                                // The devices' memory is this process's own: no leak of JavaCPP's.
                                "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
                                // What is compiled here must not be found on a real device later.
                                "-Dtokenrate.cache=" + libraries.resolve("cache")));
        if (Runtime.version().feature() >= 22) flags.add("--enable-native-access=ALL-UNNAMED");
        return flags;
    }

    private static String compiler() {
        return Optional.ofNullable(System.getenv("SOFTGPU_CXX")).orElse("g++");
    }

    /** Of the sources, the compiler and the processor, for which -march=native compiles. */
    private static String hash() throws IOException {
        try (Stream<Path> files = Files.list(SOURCES)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (Path file : files.filter(f -> !f.toString().endsWith(".md")).sorted().toList()) {
                digest.update(file.getFileName().toString().getBytes());
                digest.update(Files.readAllBytes(file));
            }
            digest.update(command(List.of(compiler(), "--version")).getBytes());
            digest.update(
                    command(List.of(compiler(), "-march=native", "-Q", "--help=target"))
                            .getBytes());
            return HexFormat.of().formatHex(digest.digest(), 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String command(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try (InputStream in = process.getInputStream()) {
            String output = new String(in.readAllBytes());
            if (process.waitFor() != 0) {
                throw new IOException("%s failed:%n%s".formatted(command, output));
            }
            return output;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for " + command, e);
        }
    }
}
