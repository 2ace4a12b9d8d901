package org.tokenrate.dataset;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import org.tokenrate.tokenizer.Tokenizer;

/**
 * A sampled workload as a JSON file: what {@code sample --json} writes and {@code -p dataset}
 * takes. The same workload is the same bytes: ASCII, a request a line, no times, no folders.
 *
 * <pre>{@code
 * {"format":"tokenrate-workload","version":1,"dataset":"builtin","dataset_sha256":"…",
 *  "sampling":"shuffle","seed":0,"tokenizer_sha256":"…","workload_sha256":"…","requests":[
 * {"index":0,"dialogue":17,"prompt":"…","prompt_tokens":3,"output_tokens":9,"prompt_token_ids":[1,5,7]},
 * …
 * ]}
 * }</pre>
 *
 * Only {@code format}, {@code version} and, of a request, {@code prompt} and {@code output_tokens}
 * must be there; without ids, the model's tokenizer makes them.
 *
 * @param origin where the requests come from
 * @param prompts in the order in which they are submitted
 */
public record WorkloadFile(Origin origin, List<SampledPrompt> prompts) {
    static final String FORMAT = "tokenrate-workload";
    static final int VERSION = 1;

    /**
     * @param dataset as {@code -p dataset} had it, of a file the name without folders; empty if
     *     unknown
     * @param datasetSha256 of the dialogues; empty if unknown
     * @param sampling method; empty if unknown
     * @param seed of the choice
     * @param tokenizerSha256 of the tokenizer that made the ids; empty if unknown
     */
    public record Origin(
            String dataset,
            String datasetSha256,
            String sampling,
            long seed,
            String tokenizerSha256) {}

    /** What becomes of ids that another tokenizer made. */
    public enum Ids {
        /** They are refused, unless this tokenizer makes the same of every text. */
        AS_WRITTEN,
        /** This tokenizer makes new ones from the texts. */
        MADE_ANEW
    }

    /** Whether a file is meant to be a workload: a JSON object, where ShareGPT has an array. */
    public static boolean isOne(Path file) throws IOException {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
            int c = in.read();
            while (c == ' ' || c == '\t' || c == '\r' || c == '\n') c = in.read();
            return c == '{';
        }
    }

    /**
     * Reads the first requests of a file and checks all of it.
     *
     * @param most requests to read
     * @param tokenizerSha256 of {@code tokenizer}
     * @throws IOException if it is no workload, holds fewer than one request, or ids that are not
     *     this tokenizer's; one sentence with the file and the place
     */
    public static WorkloadFile read(
            Path file, int most, Tokenizer tokenizer, String tokenizerSha256, Ids ids)
            throws IOException {
        return new WorkloadReader(file, most, tokenizer, tokenizerSha256, ids).read();
    }

    /** Writes the file, whole or not at all. */
    public void write(Path file) throws IOException {
        // Text from outside may hold halves of surrogate pairs, which no UTF-8 can.
        var mapper = new ObjectMapper();
        mapper.getFactory().configure(JsonGenerator.Feature.ESCAPE_NON_ASCII, true);
        String header = mapper.writeValueAsString(header());
        Path part = file.resolveSibling(file.getFileName() + ".part");
        try (Writer out = Files.newBufferedWriter(part, StandardCharsets.US_ASCII)) {
            out.write(header.substring(0, header.length() - 1) + ",\"requests\":[");
            for (int i = 0; i < prompts.size(); i++) {
                out.write(i == 0 ? "\n" : ",\n");
                out.write(mapper.writeValueAsString(request(i, prompts.get(i))));
            }
            out.write("\n]}\n");
        }
        Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
    }

    private LinkedHashMap<String, Object> header() {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("format", FORMAT);
        fields.put("version", VERSION);
        fields.put("dataset", origin.dataset());
        fields.put("dataset_sha256", origin.datasetSha256());
        fields.put("sampling", origin.sampling());
        fields.put("seed", origin.seed());
        fields.put("tokenizer_sha256", origin.tokenizerSha256());
        fields.put("workload_sha256", sha256(prompts));
        return fields;
    }

    private static LinkedHashMap<String, Object> request(int index, SampledPrompt p) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("index", index);
        fields.put("dialogue", p.datasetIndex());
        fields.put("prompt", p.prompt());
        fields.put("prompt_tokens", p.promptTokens().length);
        fields.put("output_tokens", p.answerTokens());
        fields.put("prompt_token_ids", p.promptTokens());
        return fields;
    }

    /**
     * SHA-256 of the requests alone: of each the prompt's length, its ids and the tokens to
     * generate, as 32-bit big-endian numbers. Two runs with the same one do the same work.
     */
    public static String sha256(List<SampledPrompt> prompts) {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
        for (SampledPrompt p : prompts) {
            var numbers = ByteBuffer.allocate(4 * (p.promptTokens().length + 2));
            numbers.putInt(p.promptTokens().length);
            for (int id : p.promptTokens()) numbers.putInt(id);
            numbers.putInt(p.answerTokens());
            digest.update(numbers.flip());
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
