package org.tokenrate.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokenrate.checkpoint.RawTorchArchive.little;
import static org.tokenrate.checkpoint.RawTorchArchive.string;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A pickle is a program; none of these may run, and none may take more than it is long. */
class HostilePickleTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static final String DICT = "ccollections\nOrderedDict\n";

    @TempDir Path folder;

    static Stream<Arguments> programs() {
        return Stream.of(
                Arguments.of(
                        "GLOBAL",
                        "cposix\nsystem\n(" + string("id") + "tR.",
                        "names posix.system, which no checkpoint needs"),
                Arguments.of(
                        "STACK_GLOBAL",
                        string("builtins") + string("eval") + "\u0093(" + string("1") + "tR.",
                        "names builtins.eval, which no checkpoint needs"),
                Arguments.of(
                        "a name with dots",
                        string("collections") + string("OrderedDict.fromkeys") + "\u0093.",
                        "names collections.OrderedDict.fromkeys, which no checkpoint needs"),
                Arguments.of(
                        "a name that a known one is part of",
                        "ccollections\nOrderedDict \n.",
                        "names collections.OrderedDict , which no checkpoint needs"),
                Arguments.of(
                        "a class of the file's own",
                        "cevil.module\nPayload\n)R.",
                        "names evil.module.Payload, which no checkpoint needs"),
                Arguments.of(
                        "INST",
                        "(" + string("id") + "iposix\nsystem\n.",
                        "names posix.system, which no checkpoint needs"),
                Arguments.of(
                        "INST of what is known",
                        "(icollections\nOrderedDict\n.",
                        "makes collections.OrderedDict by INST"),
                Arguments.of("OBJ", "(" + DICT + "o.", "makes collections.OrderedDict by OBJ"),
                Arguments.of(
                        "NEWOBJ", DICT + ")\u0081.", "makes collections.OrderedDict by NEWOBJ"),
                Arguments.of(
                        "NEWOBJ_EX",
                        DICT + ")}\u0092.",
                        "makes collections.OrderedDict by NEWOBJ_EX"),
                Arguments.of("EXT1", "\u0082\u0007.", "uses the extension code 7"),
                Arguments.of("EXT2", "\u0083\u0007\u0001.", "uses the extension code 263"),
                Arguments.of(
                        "EXT4",
                        "\u0084\u00ff\u00ff\u00ff\u00ff.",
                        "uses the extension code 4294967295"),
                Arguments.of("PERSID", "Psecret\n.", "refers to secret by PERSID"),
                Arguments.of(
                        "a call of a storage's class",
                        "ctorch\nFloatStorage\n)R.",
                        "calls torch.FloatStorage: a storage comes from a file"),
                Arguments.of("a call of a string", string("eval") + ")R.", "calls a string"),
                Arguments.of(
                        "a call with a list",
                        DICT + "]R.",
                        "calls collections.OrderedDict with a list"),
                Arguments.of(
                        "a dict made of items",
                        DICT + "]\u0085R.",
                        "calls collections.OrderedDict: a dict is made empty and filled later"),
                Arguments.of(
                        "a state for a class",
                        DICT + "}b.",
                        "sets the state of collections.OrderedDict to a dict"),
                Arguments.of(
                        "a state that is a function's argument",
                        "})b.",
                        "sets the state of a dict to a tuple"),
                Arguments.of(
                        "a reference of another kind",
                        "(" + string("module") + "tQ.",
                        "refers to what is not a storage"),
                Arguments.of(
                        "a reference in a reference",
                        "("
                                + string("storage")
                                + "("
                                + string("storage")
                                + "ctorch\nFloatStorage\n"
                                + string("0")
                                + string("cpu")
                                + "K\u0004tQ"
                                + string("0")
                                + string("cpu")
                                + "K\u0004tQ.",
                        "refers to what is not a storage"),
                Arguments.of(
                        "an unknown opcode",
                        "\u00ff.",
                        "has the opcode 0xff, which no checkpoint needs"),
                Arguments.of(
                        "a bytearray", "\u0096.", "has the opcode 0x96, which no checkpoint needs"),
                Arguments.of(
                        "a later protocol",
                        "\u0080\u0006}.",
                        "is of protocol 6; those up to 5 are known"),
                Arguments.of(
                        "a string of 2 GiB",
                        "X\u00ff\u00ff\u00ff\u007fabc.",
                        "claims a string of 2147483647 bytes, but 4 are left"),
                Arguments.of(
                        "a string of 4 GiB",
                        "X\u00ff\u00ff\u00ff\u00ffabc.",
                        "claims a string of 4294967295 bytes, but 4 are left"),
                Arguments.of(
                        "a string of 2^64 - 1 bytes",
                        "\u008d" + little(8, -1) + "abc.",
                        "claims a string of 18446744073709551615 bytes, but 4 are left"),
                Arguments.of(
                        "a frame beyond the end",
                        "\u0095" + little(8, 1L << 40) + "}.",
                        "claims a frame of 1099511627776 bytes, but 2 are left"),
                Arguments.of("a long integer", "\u008a\u00c8.", "has an integer of 200 bytes"),
                Arguments.of(
                        "a longer integer",
                        "\u008b\u00ff\u00ff\u00ff\u007f.",
                        "has the opcode 0x8b, which no checkpoint needs"),
                Arguments.of("a memo that is not there", "h\u0005.", "recalls 5, never memoized"),
                Arguments.of("a tuple as a key", "})Ns.", "has a tuple for a key"),
                Arguments.of(
                        "a key that holds itself", "}]q\u0000h\u0000aNs.", "has a list for a key"),
                Arguments.of(
                        "a key that comes twice",
                        "}(" + string("w") + "N" + string("w") + "Nu.",
                        "sets the key w twice"),
                Arguments.of("a key without a value", "}(Nu.", "sets a key without a value"),
                Arguments.of("an item for a tuple", ")Na.", "appends to a tuple"),
                Arguments.of("an item for a list by key", "]NNs.", "sets items of a list"),
                Arguments.of(
                        "a value from an empty stack", "0.", "takes a value where there is none"),
                Arguments.of(
                        "a bracket for a value", "(\u0085.", "takes a value where there is none"),
                Arguments.of(
                        "a bracket that none opened", "Nt.", "closes a bracket that none opened"),
                Arguments.of("no end", "}", "ends early"),
                Arguments.of("nothing", "", "ends early"),
                Arguments.of("a name without an end", "cposix", "ends early"),
                Arguments.of("something behind the end", "}.}", "ends with something left over"),
                Arguments.of("something below the end", "N}.", "ends with something left over"),
                Arguments.of(
                        "a tensor without a storage",
                        "ctorch._utils\n_rebuild_tensor_v2\n(NNNNNNtR.",
                        "calls torch._utils._rebuild_tensor_v2: has no storage"),
                Arguments.of(
                        "a tensor of one argument",
                        "ctorch._utils\n_rebuild_tensor_v2\n)R.",
                        "calls torch._utils._rebuild_tensor_v2: takes 6 or 7 arguments, not 0"),
                Arguments.of(
                        "a parameter without a tensor",
                        "ctorch._utils\n_rebuild_parameter\n(NNNtR.",
                        "calls torch._utils._rebuild_parameter: takes a tensor and 2 more"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("programs")
    void whatIsNoCheckpointIsRefusedByName(String what, String pickle, String problem)
            throws IOException {
        String message = refused(pickle);
        assertTrue(message.contains("archive/data.pkl, byte "), message);
        assertEquals(problem, message.substring(message.indexOf("the pickle ") + 11));
    }

    @Test
    void nothingOverflowsHoweverDeepAPickleNests() throws IOException {
        int depth = 100_000;
        assertEquals(
                folder.resolve("model.bin") + ": holds a tuple, not a dict of tensors",
                refused("N" + "\u0085".repeat(depth) + "."));
        assertTrue(refused("(".repeat(depth) + "t".repeat(depth) + ".").endsWith("of tensors"));
        assertTrue(refused("]".repeat(depth) + "a".repeat(depth - 1) + ".").endsWith("of tensors"));
        String dicts = ("}" + string("w")).repeat(depth) + "N" + "s".repeat(depth) + ".";
        assertTrue(
                refused(dicts).contains("holds a dict without tensors"),
                refused(dicts).substring(0, 99));
    }

    @Test
    void aListThatHoldsItselfIsRefusedLikeAnyOther() throws IOException {
        assertTrue(refused("]q\u0000h\u0000a.").endsWith("holds a list, not a dict of tensors"));
    }

    @Test
    void aDictThatHoldsItselfIsRefusedLikeAnyOther() throws IOException {
        String message = refused("}q\u0000" + string("model") + "h\u0000s.");
        assertTrue(message.contains("holds a dict without tensors"), message);
    }

    @Test
    void aMemoOfTheLargestIndexTakesNoRoomForThoseBelow() throws IOException {
        RawTorchArchive.write(folder.resolve("model.bin"), "}r\u00ff\u00ff\u00ff\u007f.", 0);
        long before = THREADS.getCurrentThreadAllocatedBytes();
        refused();
        long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
        assertTrue(allocated < 1 << 20, allocated + " bytes allocated");
    }

    @Test
    void aPickleOfTooManyValuesIsRefusedBeforeTheyFillTheHeap() throws IOException {
        assertTrue(
                refused("(" + "N".repeat(5_000_000) + "t.")
                        .endsWith("makes more than 4000000 values"));
        String memos = "}" + "q\u0000".repeat(5_000_000) + ".";
        assertTrue(refused(memos).endsWith("makes more than 4000000 values"));
    }

    @Test
    void aPickleThatIsTooLongIsRefusedUnread() throws IOException {
        assertTrue(
                refused("N".repeat((64 << 20) + 1))
                        .endsWith("archive/data.pkl has 67108865 bytes; the limit is 67108864"));
    }

    private String refused(String pickle) throws IOException {
        RawTorchArchive.write(folder.resolve("model.bin"), pickle, 16);
        return refused();
    }

    private String refused() {
        return assertThrows(
                        CheckpointException.class,
                        () -> TorchArchive.open(folder.resolve("model.bin")).close())
                .getMessage();
    }
}
