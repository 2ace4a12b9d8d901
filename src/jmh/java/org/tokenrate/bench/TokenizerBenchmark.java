package org.tokenrate.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;
import org.tokenrate.builtin.Builtin;
import org.tokenrate.dataset.Dialogue;
import org.tokenrate.dataset.ShareGptDataset;
import org.tokenrate.model.ModelSource;
import org.tokenrate.tokenizer.StreamingDetokenizer;
import org.tokenrate.tokenizer.Tokenizer;
import org.tokenrate.tokenizer.Tokenizers;

/**
 * A tokenizer on the built-in dialogues: the bytes/s of UTF-8 that it encodes and the tokens/s that
 * its detokenizer streams, one token a step. Encoding is done before a measurement begins, but
 * streaming goes on in the harness while an engine is measured: it must stay far above the engine's
 * tokens/s.
 *
 * <pre>java -jar target/benchmarks.jar Tokenizer -p model=builtin,/models/internlm-7b</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class TokenizerBenchmark {
    /** builtin, or a folder with tokenizer.json, tokenizer.model or qwen.tiktoken. */
    @Param({"builtin"})
    public String model;

    /** Dialogues of the built-in dataset, prompt and answer each a text. */
    @Param({"200"})
    public int dialogues;

    private Tokenizer tokenizer;
    private final List<String> texts = new ArrayList<>();
    private final List<int[]> tokens = new ArrayList<>();
    private long textBytes;
    private long tokenCount;

    @Setup(Level.Trial)
    public void open() throws IOException {
        PartBenchmark.requireAtLeast("dialogues", dialogues, 1);
        tokenizer = Tokenizers.load(ModelSource.tokenizerFolder(model));
        try (var dataset = ShareGptDataset.open(Builtin.dialogues())) {
            for (int i = 0; i < Math.min(dialogues, dataset.size()); i++) {
                Dialogue dialogue = dataset.dialogue(i);
                texts.add(dialogue.prompt());
                texts.add(dialogue.answer());
            }
        }
        for (String text : texts) {
            tokens.add(tokenizer.encode(text));
            textBytes += text.getBytes(StandardCharsets.UTF_8).length;
            tokenCount += tokens.get(tokens.size() - 1).length;
        }
    }

    @TearDown(Level.Trial)
    public void close() {
        tokenizer.close();
    }

    /** Bytes of text and tokens a second. */
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Rates {
        public long bytes;
        public long tokens;
    }

    @Benchmark
    public void encode(Rates rates, Blackhole sink) {
        for (String text : texts) sink.consume(tokenizer.encode(text));
        rates.bytes += textBytes;
        rates.tokens += tokenCount;
    }

    @Benchmark
    public void stream(Rates rates, Blackhole sink) {
        StreamingDetokenizer detokenizer = tokenizer.newDetokenizer();
        var step = new int[1];
        var out = new StringBuilder();
        for (int[] answer : tokens) {
            for (int token : answer) {
                step[0] = token;
                detokenizer.append(step, 1, out);
            }
            detokenizer.finish(out);
            sink.consume(out.length());
            out.setLength(0);
        }
        rates.bytes += textBytes;
        rates.tokens += tokenCount;
    }
}
