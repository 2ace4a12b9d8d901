package org.tokenrate.checkpoint;

import static java.lang.Long.MAX_VALUE;
import static java.lang.Long.MIN_VALUE;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.RandomDistribution;
import net.jqwik.api.Tuple;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import net.jqwik.api.statistics.Statistics;
import net.jqwik.api.statistics.StatisticsReport;
import org.tokenrate.checkpoint.SafetensorsWriter.Tensor;
import org.tokenrate.checkpoint.SafetensorsWriter.Type;

/** Safetensors files are untrusted: whatever they hold, they read or are refused, and cheaply. */
class DamagedSafetensorsTest {
    private static final int DATA_BYTES = 48;

    private static Path file = Path.of("");
    private static byte[] good = new byte[0];

    @BeforeContainer
    static void writeAGoodFile() throws IOException {
        file = Files.createTempFile("damaged", ".safetensors");
        var tensors =
                List.of(
                        new Tensor("embed", Type.BF16, 6, 4),
                        new Tensor("norm", Type.F32, 4),
                        new Tensor("half", Type.F16, 2, 3));
        try (var writer = SafetensorsWriter.create(file, tensors, Map.of("format", "pt"))) {
            writer.write(new float[24]);
            writer.write(new float[4]);
            writer.write(new float[6]);
        }
        good = Files.readAllBytes(file);
    }

    @AfterContainer
    static void deleteTheFile() throws IOException {
        Files.deleteIfExists(file);
    }

    /** A byte of the file that is another. */
    record Edit(int position, byte value) {}

    @Provide
    Arbitrary<List<Edit>> edits() {
        Arbitrary<Integer> position =
                Arbitraries.integers()
                        .between(0, good.length - 1)
                        .withDistribution(RandomDistribution.uniform());
        // What JSON is made of does the subtler damage.
        Arbitrary<Byte> value =
                Arbitraries.oneOf(
                        Arbitraries.bytes(),
                        Arbitraries.of('0', '1', '9', '-', '.', 'e', '[', ']', '{', '}', ',', '"')
                                .map(c -> (byte) c.charValue()));
        return Combinators.combine(position, value).as(Edit::new).list().ofMinSize(1).ofMaxSize(4);
    }

    @Property(tries = 1500)
    void aFileWithAnyBytesChangedReadsOrIsRefused(@ForAll("edits") List<Edit> edits)
            throws IOException {
        byte[] damaged = good.clone();
        for (Edit edit : edits) damaged[edit.position] = edit.value;
        Files.write(file, damaged);
        CheapReads.reads(file, Safetensors::open);
    }

    @Property(tries = 500)
    void aFileThatIsChangedAndCutReadsOrIsRefused(
            @ForAll("edits") List<Edit> edits, @ForAll("lengths") int length) throws IOException {
        byte[] damaged = good.clone();
        for (Edit edit : edits) damaged[edit.position] = edit.value;
        Files.write(file, Arrays.copyOf(damaged, length));
        CheapReads.reads(file, Safetensors::open);
    }

    @Provide
    Arbitrary<Integer> lengths() {
        return Arbitraries.integers().between(0, good.length);
    }

    /** What a header claims about one tensor. */
    record Claim(DType type, List<Long> shape, long begin, long end) {
        /** The format's rules, plainly. */
        boolean fits() {
            BigInteger bytes = BigInteger.valueOf(type.bytes());
            for (long extent : shape) {
                if (extent < 1) return false;
                bytes = bytes.multiply(BigInteger.valueOf(extent));
            }
            BigInteger span = BigInteger.valueOf(end).subtract(BigInteger.valueOf(begin));
            boolean dimensions = shape.size() == 1 || shape.size() == 2;
            return dimensions && begin >= 0 && end <= DATA_BYTES && bytes.equals(span);
        }
    }

    /** Claims that mostly nearly fit, and now and then not at all. */
    @Provide
    Arbitrary<Claim> claims() {
        Arbitrary<Long> anyLong =
                Arbitraries.oneOf(
                        Arbitraries.longs(),
                        Arbitraries.of(-1L, 0L, 1L << 32, 1L << 62, MAX_VALUE, MIN_VALUE));
        Arbitrary<Long> extent =
                Arbitraries.frequencyOf(
                        Tuple.of(8, Arbitraries.longs().between(1, 4)), Tuple.of(1, anyLong));
        Arbitrary<Long> begin =
                Arbitraries.frequencyOf(
                        Tuple.of(8, Arbitraries.longs().between(0, 16)), Tuple.of(1, anyLong));
        Arbitrary<Long> excess =
                Arbitraries.frequencyOf(
                        Tuple.of(8, Arbitraries.just(0L)),
                        Tuple.of(1, Arbitraries.longs().between(-8, 8)),
                        Tuple.of(1, anyLong));
        return Combinators.combine(
                        Arbitraries.of(DType.class),
                        extent.list().ofMinSize(0).ofMaxSize(3),
                        begin,
                        excess)
                .as(
                        (type, shape, start, more) -> {
                            long bytes =
                                    shape.stream().reduce((long) type.bytes(), (a, b) -> a * b);
                            return new Claim(type, shape, start, start + bytes + more);
                        });
    }

    @Property(tries = 1000, edgeCases = EdgeCasesMode.NONE)
    @StatisticsReport(StatisticsReport.StatisticsReportMode.OFF)
    void aTensorIsReadExactlyIfItsClaimsFitTheFile(@ForAll("claims") Claim claim)
            throws IOException {
        String entry =
                RawSafetensors.entry(
                        "w",
                        "\"" + claim.type + "\"",
                        claim.shape.toString(),
                        List.of(claim.begin, claim.end).toString());
        RawSafetensors.write(file, "{" + entry + "}", DATA_BYTES);
        assertEquals(claim.fits(), CheapReads.reads(file, Safetensors::open));
        Statistics.collect(claim.fits());
        Statistics.coverage(
                c -> {
                    c.check(true).count(n -> n > 50);
                    c.check(false).count(n -> n > 50);
                });
    }
}
