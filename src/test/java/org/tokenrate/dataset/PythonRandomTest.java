package org.tokenrate.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Against CPython itself; {@code src/test/python/python_random.py} makes the expected values. */
class PythonRandomTest {

    static List<JsonNode> seeds() throws IOException {
        var all =
                new ObjectMapper()
                        .readTree(PythonRandomTest.class.getResource("python-random.json"));
        var seeds = new ArrayList<JsonNode>();
        all.forEach(seeds::add);
        return seeds;
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void theRawNumbersAreCPythons(JsonNode expected) {
        var random = new PythonRandom(expected.get("seed").longValue());
        for (int i = 0; i < 1000; i++) {
            double value = random.random();
            if (i % 111 == 0) {
                assertEquals(
                        Double.valueOf(expected.get("random").get(i / 111).textValue()), value);
            }
        }
        for (int k = 0; k <= 64; k++) {
            assertEquals(
                    expected.get("getrandbits").get(k).textValue(),
                    Long.toUnsignedString(random.getrandbits(k)),
                    "getrandbits " + k);
        }
        int[] bounds = {1, 2, 3, 4, 5, 31, 32, 33, 1000, Integer.MAX_VALUE};
        for (int i = 0; i < bounds.length; i++) {
            assertEquals(
                    expected.get("randrange").get(i).intValue(),
                    random.randrange(bounds[i]),
                    "randrange " + bounds[i]);
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void everyShuffleIsCPythons(JsonNode expected) {
        JsonNode bySize = expected.get("shuffle");
        assertEquals(53, bySize.size());
        bySize.fields()
                .forEachRemaining(
                        e -> {
                            List<Integer> list = upTo(Integer.parseInt(e.getKey()));
                            new PythonRandom(expected.get("seed").longValue()).shuffle(list);
                            assertEquals(
                                    e.getValue().textValue(), digest(list), "size " + e.getKey());
                        });
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void everySampleIsCPythons(JsonNode expected) {
        long seed = expected.get("seed").longValue();
        for (JsonNode sample : expected.get("sample")) {
            List<Integer> population = upTo(sample.get("n").intValue());
            assertEquals(
                    sample.get("sha256").textValue(),
                    digest(new PythonRandom(seed).sample(population, sample.get("k").intValue())),
                    sample.toString());
        }
        var random = new PythonRandom(seed);
        assertEquals(
                expected.get("sample_twice").textValue(),
                digest(random.sample(random.sample(upTo(94145), 6000), 5000)));
    }

    @Test
    void aSampleLargerThanThePopulationIsRefusedWithBothNumbers() {
        var e =
                assertThrows(
                        IllegalArgumentException.class,
                        () -> new PythonRandom(0).sample(upTo(5), 6));
        assertTrue(e.getMessage().contains("6 of a population of 5"), e.getMessage());
    }

    private static List<Integer> upTo(int n) {
        return IntStream.range(0, n).boxed().collect(Collectors.toCollection(ArrayList::new));
    }

    private static String digest(List<Integer> numbers) {
        String joined = numbers.stream().map(String::valueOf).collect(Collectors.joining(","));
        try {
            return HexFormat.of()
                    .formatHex(
                            MessageDigest.getInstance("SHA-256")
                                    .digest(joined.getBytes(StandardCharsets.US_ASCII)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
