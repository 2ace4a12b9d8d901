package org.tokenrate.device;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Frequencies against numbers from another program: transformers' formulas in numpy, double
 * precision, e.g. {@code 1 / (base ** (np.arange(0, 128, 2) / 128))} and, for Llama 3.1, the three
 * ranges of wavelengths.
 */
class RopeScalingTest {
    private static final int HEAD_DIM = 128;
    private static final double ROUNDING = 1e-13;

    private static void check(Rope rope, int length, Map<Integer, Double> expected) {
        expected.forEach(
                (pair, frequency) ->
                        assertEquals(
                                frequency,
                                rope.frequency(HEAD_DIM, pair, length),
                                frequency * ROUNDING,
                                "pair " + pair));
    }

    @Test
    void llama31KeepsHighFrequenciesAndDividesLowOnes() {
        Rope rope = new Rope(500000, new RopeScaling.Llama3(8, 1, 4, 8192));
        check(
                rope,
                1,
                Map.of(
                        0, 1.0,
                        1, 0.8146172338565447,
                        28, 0.0032114459947525913,
                        29, 0.002166570763503359,
                        30, 0.0013718935677611381,
                        32, 0.0005248461609929549,
                        34, 0.00017850781276799638,
                        35, 9.556212353964683e-05,
                        36, 7.784655273932451e-05,
                        63, 3.068925988914511e-07));
    }

    @Test
    void dynamicScalingRaisesTheBaseBeyondTheTrainedLength() {
        Rope rope = new Rope(1e6f, new RopeScaling.DynamicNtk(2, 32768));
        check(
                rope,
                40000,
                Map.of(
                        0, 1.0,
                        1, 0.8011790435774502,
                        32, 0.0008305132968011558,
                        63, 8.609215901150141e-07));
        Map<Integer, Double> trained = Map.of(1, 0.8058421877614819, 63, 1.2409377607517195e-06);
        check(rope, 32768, trained);
        check(rope, 1, trained);
        check(new Rope(1e6f, RopeScaling.NONE), 40000, trained);
    }

    @Test
    void linearScalingDividesEveryFrequency() {
        check(
                new Rope(1e6f, new RopeScaling.Linear(4)),
                1,
                Map.of(1, 0.8058421877614819 / 4, 63, 1.2409377607517195e-06 / 4));
    }
}
