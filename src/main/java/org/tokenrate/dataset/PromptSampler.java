package org.tokenrate.dataset;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.IntStream;
import org.tokenrate.tokenizer.Tokenizer;

/**
 * Chooses the prompts that LMDeploy's {@code profile_throughput.py} chooses for the same file,
 * tokenizer, number and seed, in the same order. Tokenizes on all cores, and only what the choice
 * depends on; the result does not depend on how many cores there are.
 */
public final class PromptSampler {
    static final int MIN_TOKENS = 4;
    private static final int MAX_PROMPT_TOKENS = 1024;
    private static final int MAX_TOTAL_TOKENS = 2048;
    private static final int MIN_PRESAMPLE = 1000;
    private static final double PRESAMPLE_RATIO = 1.2;

    private final ShareGptDataset dataset;
    private final Tokenizer tokenizer;
    private final int numPrompts;
    private final PythonRandom random;
    private final RequestLengths lengths;
    private final Map<Drop, Integer> dropped = new ConcurrentSkipListMap<>();

    private PromptSampler(
            ShareGptDataset dataset,
            Tokenizer tokenizer,
            RequestLengths lengths,
            int numPrompts,
            long seed) {
        this.dataset = dataset;
        this.tokenizer = tokenizer;
        this.lengths = lengths;
        this.numPrompts = numPrompts;
        this.random = new PythonRandom(seed);
    }

    /**
     * Chooses {@code numPrompts} dialogues. Prompts or answers under 4 tokens, prompts over 1,024
     * and sums over 2,048 are dropped.
     *
     * @param numPrompts at least 1
     * @param seed of CPython's generator
     * @throws IllegalArgumentException if there are too few dialogues, with how many there are
     * @throws IOException if the dataset's file can no longer be read
     */
    public static List<SampledPrompt> sample(
            ShareGptDataset dataset,
            Tokenizer tokenizer,
            SamplingMethod method,
            int numPrompts,
            long seed)
            throws IOException {
        return sample(dataset, tokenizer, method, RequestLengths.OWN, numPrompts, seed).prompts();
    }

    /**
     * As above, with other lengths than the dialogues' own. With {@link RequestLengths.FixedOutput}
     * only prompts are dropped. With {@link RequestLengths.Drawn} only empty prompts are, and the
     * method has no say: LMDeploy shuffles. The texts are LMDeploy's then, and the lengths ours: it
     * draws them from numpy's generator, which it does not seed.
     */
    public static Sampled sample(
            ShareGptDataset dataset,
            Tokenizer tokenizer,
            SamplingMethod method,
            RequestLengths lengths,
            int numPrompts,
            long seed)
            throws IOException {
        if (numPrompts < 1) {
            throw new IllegalArgumentException(
                    "numPrompts=" + numPrompts + " must be at least 1, e.g. -p numPrompts=64");
        }
        if (numPrompts > dataset.size()) {
            throw new IllegalArgumentException(
                    "numPrompts="
                            + numPrompts
                            + " is more than the "
                            + dataset.size()
                            + " conversations with two turns in "
                            + dataset.file()
                            + "; ask for fewer");
        }
        var sampler = new PromptSampler(dataset, tokenizer, lengths, numPrompts, seed);
        try {
            if (lengths instanceof RequestLengths.Drawn drawn) return sampler.drawn(drawn);
            return switch (method) {
                case SHUFFLE -> sampler.shuffle();
                case PRESAMPLE -> sampler.presample();
            };
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private Sampled shuffle() {
        List<Integer> order = allIndices();
        random.shuffle(order);
        var chosen = new ArrayList<SampledPrompt>(numPrompts);
        int walked = 0;
        while (chosen.size() < numPrompts && walked < order.size()) {
            // As many as are still missing: none of them is tokenized in vain.
            int end = Math.min(order.size(), walked + numPrompts - chosen.size());
            chosen.addAll(usable(order.subList(walked, end)));
            walked = end;
        }
        if (chosen.size() < numPrompts) throw tooFew(chosen.size(), walked);
        return new Sampled(chosen, walked, Map.copyOf(dropped));
    }

    /** The non-empty prompts are shuffled; the first are cut or repeated to their drawn lengths. */
    private Sampled drawn(RequestLengths.Drawn lengths) throws IOException {
        var order = new ArrayList<Integer>();
        for (int i = 0; i < dataset.size(); i++) {
            if (dataset.hasPrompt(i)) order.add(i);
            else drop(Drop.NO_PROMPT);
        }
        int empty = dataset.size() - order.size();
        random.shuffle(order);
        var chosen = new ArrayList<SampledPrompt>(numPrompts);
        int walked = 0;
        for (; walked < order.size() && chosen.size() < numPrompts; walked++) {
            int index = order.get(walked);
            int[] tokens = tokenizer.encode(read(index).prompt());
            if (tokens.length == 0) {
                drop(Drop.NO_PROMPT);
                continue;
            }
            int[] prompt = new int[between(lengths.input(), lengths.ratio())];
            for (int i = 0; i < prompt.length; i++) prompt[i] = tokens[i % tokens.length];
            chosen.add(
                    new SampledPrompt(
                            index,
                            tokenizer.decode(prompt),
                            prompt,
                            between(lengths.output(), lengths.ratio())));
        }
        if (chosen.size() < numPrompts) throw tooFew(chosen.size(), walked + empty);
        return new Sampled(chosen, walked + empty, Map.copyOf(dropped));
    }

    /** Uniform; LMDeploy's least output is 0, ours 1: an engine has to generate something. */
    private int between(int most, double ratio) {
        int least = Math.max((int) (most * ratio), 1);
        return least + random.randrange(most - least + 1);
    }

    private Sampled presample() {
        int first = Math.max((int) (numPrompts * PRESAMPLE_RATIO), MIN_PRESAMPLE);
        if (first > dataset.size()) {
            throw new IllegalArgumentException(
                    "sampling=presample draws "
                            + first
                            + " dialogues for numPrompts="
                            + numPrompts
                            + ", more than the "
                            + dataset.size()
                            + " in "
                            + dataset.file()
                            + "; ask for fewer or use -p sampling=shuffle");
        }
        List<SampledPrompt> usable = usable(random.sample(allIndices(), first));
        if (usable.size() < numPrompts) throw tooFew(usable.size(), first);
        return new Sampled(random.sample(usable, numPrompts), first, Map.copyOf(dropped));
    }

    private List<Integer> allIndices() {
        return new ArrayList<>(IntStream.range(0, dataset.size()).boxed().toList());
    }

    private List<SampledPrompt> usable(List<Integer> indices) {
        return indices.parallelStream().map(this::ifUsable).flatMap(Optional::stream).toList();
    }

    private Optional<SampledPrompt> ifUsable(int index) {
        Dialogue dialogue = read(index);
        int[] prompt = tokenizer.encode(dialogue.prompt());
        if (prompt.length < MIN_TOKENS) return drop(Drop.SHORT_PROMPT);
        if (prompt.length > MAX_PROMPT_TOKENS) return drop(Drop.LONG_PROMPT);
        int answer;
        if (lengths instanceof RequestLengths.FixedOutput fixed) {
            answer = fixed.output();
        } else {
            answer = tokenizer.encode(dialogue.answer()).length;
            if (answer < MIN_TOKENS) return drop(Drop.SHORT_ANSWER);
            if (prompt.length + answer > MAX_TOTAL_TOKENS) return drop(Drop.LONG_TOGETHER);
        }
        return Optional.of(new SampledPrompt(index, dialogue.prompt(), prompt, answer));
    }

    private Optional<SampledPrompt> drop(Drop reason) {
        dropped.merge(reason, 1, Integer::sum);
        return Optional.empty();
    }

    private Dialogue read(int index) {
        try {
            return dataset.dialogue(index);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private IllegalArgumentException tooFew(int usable, int of) {
        return new IllegalArgumentException(
                String.format(
                        "numPrompts=%d is more than the %d usable dialogues among the %d drawn from"
                                + " %s (usable: prompt and answer of at least %d tokens, prompt of"
                                + " at most %d, both of at most %d); ask for fewer",
                        numPrompts,
                        usable,
                        of,
                        dataset.file(),
                        MIN_TOKENS,
                        MAX_PROMPT_TOKENS,
                        MAX_TOTAL_TOKENS));
    }
}
