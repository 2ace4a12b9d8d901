package org.tokenrate.run;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;
import org.tokenrate.dataset.WorkloadFile;
import org.tokenrate.engine.EngineCounters;
import org.tokenrate.engine.EngineInfo;
import org.tokenrate.engine.Engines;
import org.tokenrate.engine.InferenceEngine;
import org.tokenrate.engine.StageTimes;
import org.tokenrate.metrics.ThroughputMetrics;
import org.tokenrate.model.ModelSource;
import org.tokenrate.tokenizer.Tokenizer;
import org.tokenrate.tokenizer.Tokenizers;
import org.tokenrate.workload.LoadGenerator;
import org.tokenrate.workload.LoadOptions;
import org.tokenrate.workload.Workload;
import org.tokenrate.workload.WorkloadResult;

/**
 * An engine, a workload and what was measured of them, for one parameter combination in one JVM.
 * Used by one thread.
 */
public final class Trial implements AutoCloseable {
    private static final String LOG_LEVEL = "org.slf4j.simpleLogger.defaultLogLevel";

    private final Map<String, String> facts;
    private final Optional<RequestFiles> files;
    private final Workload workload;
    private final LoadOptions options;
    private final Tokenizer tokenizer;
    private final InferenceEngine engine;
    private final List<WorkloadResult> results = new ArrayList<>();
    private EngineCounters before = EngineCounters.NONE;
    private Optional<StageTimes> stages = Optional.empty();
    private int measured;

    private Trial(
            Map<String, String> facts,
            Optional<RequestFiles> files,
            Workload workload,
            LoadOptions options,
            InferenceEngine engine) {
        this.facts = facts;
        this.files = files;
        this.workload = workload;
        this.options = options;
        this.engine = engine;
        tokenizer = options.tokenizer();
    }

    /**
     * Checks the parameters, samples the prompts, then loads the model.
     *
     * @param values the value of a parameter by its name
     * @param withStages whether the engine takes the times of its stages
     * @throws IOException if a file of the model or the dataset cannot be read
     * @throws IllegalArgumentException if a parameter is bad, the dataset has too few usable
     *     dialogues or the engine cannot take the model
     */
    public static Trial open(UnaryOperator<String> values, RunSettings settings, boolean withStages)
            throws IOException {
        settings.pid().ifPresent(ParentWatch::start);
        // Read once, when the first logger is made, which checking the parameters may do.
        System.setProperty(LOG_LEVEL, values.apply("logLevel").toLowerCase(Locale.ROOT));
        var p = RequestParameters.of(values);
        Path tokenizerFolder = ModelSource.tokenizerFolder(p.model());
        Tokenizer tokenizer = Tokenizers.load(tokenizerFolder);
        try {
            Prompts prompts =
                    Prompts.choose(
                            p.dataset(),
                            Optional.of(p.sampling()),
                            OptionalInt.of(p.numPrompts()),
                            p.seed(),
                            tokenizer,
                            tokenizerFolder,
                            WorkloadFile.Ids.AS_WRITTEN);
            String combination = CombinationName.of(settings.swept(), values);
            var facts = new LinkedHashMap<String, String>();
            facts.put("combination", combination);
            facts.put("commit", settings.commit());
            facts.put("tokenrate", Version.get());
            facts.put(
                    "java",
                    System.getProperty("java.vm.name") + " " + System.getProperty("java.version"));
            facts.put("dataset_sha256", prompts.datasetSha256());
            facts.put("workload_sha256", prompts.workloadSha256());
            Optional<RequestFiles> files = Optional.empty();
            if (settings.folder().isPresent()) {
                files = Optional.of(RequestFiles.ofNextFork(settings.folder().get(), combination));
            }
            InferenceEngine engine =
                    Engines.open(
                            p.engineOptions().withStages(withStages),
                            new LoadProgressPrinter(System.out, p.model(), System::nanoTime));
            facts.putAll(factsOf(engine.info()));
            var options =
                    new LoadOptions(
                            p.concurrency(), p.samplingParams(), p.streamOutput(), tokenizer);
            return new Trial(facts, files, workload(prompts), options, engine);
        } catch (IOException | RuntimeException e) {
            tokenizer.close();
            throw e;
        }
    }

    public void beginIteration() {
        results.clear();
        before = engine.counters();
    }

    /** Runs the whole workload once: what is measured. */
    public WorkloadResult run() throws InterruptedException {
        WorkloadResult result =
                LoadGenerator.run(
                        engine, workload, options.withProgress(new ProgressPrinter(System.out)));
        results.add(result);
        return result;
    }

    /**
     * Computes the iteration's figures and, of a measured one, writes the request file.
     *
     * @param isMeasured false for a warm-up iteration
     */
    public IterationReport endIteration(boolean isMeasured) throws IOException {
        if (isMeasured) measured++;
        // More than one only if JMH was told to iterate for longer than a workload takes.
        WorkloadResult result = Pooled.of(results);
        stages = result.stages();
        if (isMeasured && files.isPresent()) files.get().write(measured, result);
        return IterationReport.of(
                files.map(RequestFiles::fork).orElse(1),
                measured,
                ThroughputMetrics.of(result),
                result.records(),
                engine.info(),
                before,
                engine.counters(),
                facts);
    }

    /** Where the engine's time went in the iteration that ended last, if it takes the times. */
    public Optional<StageTimes> stages() {
        return stages;
    }

    @Override
    public void close() {
        engine.close();
        tokenizer.close();
    }

    private static Workload workload(Prompts prompts) {
        return new Workload(
                prompts.list().stream()
                        .map(s -> new Workload.Request(s.promptTokens(), s.answerTokens()))
                        .toList());
    }

    private static Map<String, String> factsOf(EngineInfo info) {
        var facts = new LinkedHashMap<String, String>();
        facts.put("engine", info.name());
        facts.put("device", info.device());
        facts.put("dtype", info.dtype());
        facts.put("model", info.model());
        facts.put("model_format", info.modelFormat());
        facts.put("model_sha256", info.modelSha256());
        info.versions().forEach((library, version) -> facts.put("version." + library, version));
        return facts;
    }
}
