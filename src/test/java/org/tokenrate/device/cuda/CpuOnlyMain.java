package org.tokenrate.device.cuda;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.tokenrate.engine.EngineOptions;
import org.tokenrate.engine.Engines;
import org.tokenrate.engine.FinishReason;
import org.tokenrate.engine.GenerationRequest;
import org.tokenrate.engine.InferenceEngine;
import org.tokenrate.engine.SamplingParams;
import org.tokenrate.engine.TokenListener;

/** A token of the built-in model by {@code engine=cpu}. */
final class CpuOnlyMain {
    private CpuOnlyMain() {}

    public static void main(String[] args) throws Exception {
        var options = new EngineOptions("cpu:1", "builtin", "hf", "auto", 1, 0.1, 1, true);
        Engines.validate(options);
        var token = new CompletableFuture<Integer>();
        try (InferenceEngine engine = Engines.open(options)) {
            engine.submit(
                    new GenerationRequest(new int[] {1}, 1, SamplingParams.GREEDY, true, true),
                    new TokenListener() {
                        @Override
                        public void onTokens(int[] tokens, int count) {
                            token.complete(tokens[0]);
                        }

                        @Override
                        public void onFinished(FinishReason reason) {}

                        @Override
                        public void onFailed(Exception cause) {
                            token.completeExceptionally(cause);
                        }
                    });
            System.out.println("a token: " + token.get(60, TimeUnit.SECONDS));
        }
    }
}
