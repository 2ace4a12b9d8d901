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

/** Torch archives are untrusted: whatever they hold, they read or are refused, and cheaply. */
class DamagedTorchArchiveTest {
    private static final int STORAGE_BYTES = 48;

    private static Path file = Path.of("");
    private static byte[] good = new byte[0];
    private static byte[] pickle = new byte[0];

    /** What torch itself wrote. */
    @BeforeContainer
    static void readAGoodFile() throws IOException {
        file = Files.createTempFile("damaged", ".bin");
        try (var in = DamagedTorchArchiveTest.class.getResourceAsStream("torch/types.bin")) {
            good = in.readAllBytes();
        }
        Files.write(file, good);
        try (CheckpointFile opened = CheckpointFile.open(file)) {
            var entry = StoredZip.read(opened).entries().get("types/data.pkl");
            pickle = opened.read(entry.offset(), (int) entry.size()).array();
        }
    }

    @AfterContainer
    static void deleteTheFile() throws IOException {
        Files.deleteIfExists(file);
    }

    /** A byte that is another; its place is a share of the whole. */
    record Edit(double place, byte value) {
        static byte[] all(List<Edit> edits, byte[] bytes) {
            byte[] damaged = bytes.clone();
            for (Edit edit : edits) damaged[(int) (edit.place * bytes.length)] = edit.value;
            return damaged;
        }
    }

    @Provide
    Arbitrary<List<Edit>> edits() {
        Arbitrary<Double> place =
                Arbitraries.integers()
                        .between(0, 99_999)
                        .withDistribution(RandomDistribution.uniform())
                        .map(i -> i / 100_000.0);
        // What pickles are made of does the subtler damage, and small numbers.
        Arbitrary<Byte> value =
                Arbitraries.oneOf(
                        Arbitraries.bytes(),
                        Arbitraries.bytes().between((byte) 0, (byte) 40),
                        Arbitraries.of(
                                        '(', ')', '}', ']', 't', 'u', 's', 'h', 'q', 'R', 'Q', 'c',
                                        '.')
                                .map(c -> (byte) c.charValue()));
        return Combinators.combine(place, value).as(Edit::new).list().ofMinSize(1).ofMaxSize(4);
    }

    @Property(tries = 1500)
    void anArchiveWithAnyBytesChangedReadsOrIsRefused(@ForAll("edits") List<Edit> edits)
            throws IOException {
        Files.write(file, Edit.all(edits, good));
        CheapReads.reads(file, TorchArchive::open);
    }

    @Property(tries = 500)
    void anArchiveThatIsChangedAndCutReadsOrIsRefused(
            @ForAll("edits") List<Edit> edits, @ForAll("lengths") int length) throws IOException {
        Files.write(file, Arrays.copyOf(Edit.all(edits, good), length));
        CheapReads.reads(file, TorchArchive::open);
    }

    @Provide
    Arbitrary<Integer> lengths() {
        return Arbitraries.integers().between(0, good.length);
    }

    /** The checksum is right here, so that the damage reaches the reader of pickles. */
    @Property(tries = 1500)
    void aPickleWithAnyBytesChangedReadsOrIsRefused(@ForAll("edits") List<Edit> edits)
            throws IOException {
        try (var zip = StoredZipWriter.create(file)) {
            zip.add("types/data.pkl", Edit.all(edits, pickle));
            int[] storages = {24, 8, 6, 8, 16, 2, 16, 16};
            for (int i = 0; i < storages.length; i++) {
                zip.add("types/data/" + i, new byte[storages[i]]);
            }
            zip.finish();
        }
        CheapReads.reads(file, TorchArchive::open);
    }

    /** What a pickle claims about its one tensor. */
    record Claim(DType type, long size, long offset, List<Long> shape) {
        private static final BigInteger STORAGE = BigInteger.valueOf(STORAGE_BYTES);

        /** The rules, plainly. */
        boolean fits() {
            BigInteger count = BigInteger.ONE;
            for (long extent : shape) {
                if (extent < 1) return false;
                count = count.multiply(BigInteger.valueOf(extent));
            }
            BigInteger end = count.add(BigInteger.valueOf(offset));
            return (shape.size() == 1 || shape.size() == 2)
                    && size == STORAGE_BYTES / type.bytes()
                    && offset >= 0
                    && end.multiply(BigInteger.valueOf(type.bytes())).compareTo(STORAGE) <= 0;
        }

        String pickle() {
            String storage =
                    switch (type) {
                        case F32 -> "FloatStorage";
                        case F16 -> "HalfStorage";
                        case BF16 -> "BFloat16Storage";
                        case I32 -> "IntStorage";
                    };
            List<Long> strides =
                    shape.size() == 2
                            ? List.of(shape.get(1), 1L)
                            : shape.stream().map(e -> 1L).toList();
            return RawTorchArchive.oneTensor(storage, "0", size, offset, shape, strides);
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
        Arbitrary<Long> offset =
                Arbitraries.frequencyOf(
                        Tuple.of(8, Arbitraries.longs().between(0, 12)), Tuple.of(1, anyLong));
        Arbitrary<Long> excess =
                Arbitraries.frequencyOf(
                        Tuple.of(8, Arbitraries.just(0L)),
                        Tuple.of(1, Arbitraries.longs().between(-2, 2)),
                        Tuple.of(1, anyLong));
        return Combinators.combine(
                        Arbitraries.of(DType.class),
                        excess,
                        offset,
                        extent.list().ofMinSize(0).ofMaxSize(3))
                .as(
                        (type, more, start, shape) ->
                                new Claim(type, STORAGE_BYTES / type.bytes() + more, start, shape));
    }

    @Property(tries = 1000, edgeCases = EdgeCasesMode.NONE)
    @StatisticsReport(StatisticsReport.StatisticsReportMode.OFF)
    void aTensorIsReadExactlyIfItsClaimsFitItsStorage(@ForAll("claims") Claim claim)
            throws IOException {
        RawTorchArchive.write(file, claim.pickle(), STORAGE_BYTES);
        assertEquals(claim.fits(), CheapReads.reads(file, TorchArchive::open));
        Statistics.collect(claim.fits());
        Statistics.coverage(
                c -> {
                    c.check(true).count(n -> n > 50);
                    c.check(false).count(n -> n > 50);
                });
    }
}
