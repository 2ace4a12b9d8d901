package org.tokenrate.engine.local;

import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.device.Device;
import org.tokenrate.device.cuda.CudaDevices;
import org.tokenrate.engine.EngineInfo;
import org.tokenrate.engine.SamplingParams;
import org.tokenrate.model.RandomModel;
import org.tokenrate.model.Shard;

/**
 * An engine on GPUs of which one fails: prints what comes of it. Arguments: ranks.
 *
 * <p>"open: ..." when the engine does not start, "answer: ..." when a request fails, "next: ..."
 * what the engine then says to another, "done" when all went well.
 */
final class CudaFaultMain {
    private static final int BLOCKS = 20;
    private static final int MAX_TOKENS = 40;
    private static final int MAX_RUNNING = 4;

    private CudaFaultMain() {}

    public static void main(String[] args) throws Exception {
        var config = RandomModel.llama(64, 2, 4, 2, 64, 96, 211, false);
        RandomModel model = new RandomModel(config, DType.BF16, new Random(1));
        int ranks = Integer.parseInt(args[0]);
        int[][] prompts = {{1, 2, 3}, new Random(1).ints(70, 0, 211).toArray(), {4}};
        try (LocalEngine engine = open(model, ranks)) {
            try {
                Answers.of(engine, prompts, 12, SamplingParams.GREEDY);
                System.out.println("done");
            } catch (ExecutionException e) {
                System.out.println("answer: " + e.getCause().getMessage());
                next(engine, prompts);
            } catch (IllegalStateException e) { // it failed before it had all of them
                System.out.println("answer: " + e.getMessage());
                next(engine, prompts);
            }
        } catch (RuntimeException e) {
            System.out.println("open: " + e.getMessage());
        }
    }

    private static LocalEngine open(RandomModel model, int ranks) throws Exception {
        var devices = CudaDevices.open(ranks, DType.F16, true);
        try {
            RankedDecoder decoder =
                    new RankedDecoder(
                            Shard.of(model.config(), ranks, inputs -> 1),
                            model,
                            devices,
                            MAX_TOKENS,
                            MAX_RUNNING);
            EngineInfo info = new EngineInfo("", "", "", 1, "", "", "", BLOCKS, 64, 0, 0, Map.of());
            return new LocalEngine(decoder, BLOCKS, info, MAX_TOKENS, MAX_RUNNING);
        } catch (Exception e) {
            devices.forEach(Device::close);
            throw e;
        }
    }

    private static void next(LocalEngine engine, int[][] prompts) throws Exception {
        try {
            Answers.of(engine, prompts, 1, SamplingParams.GREEDY);
        } catch (IllegalStateException e) {
            System.out.println("next: " + e.getMessage());
        }
    }
}
