package org.tokenrate.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Stack;
import picocli.CommandLine.IParameterPreprocessor;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/**
 * Brings LMDeploy's spellings into one form before they are parsed: underscores as dashes, flags
 * with and without a value; and refuses, with what to do, options of its engines that would change
 * the measurement and have no like here.
 */
final class LmdeployOptions implements IParameterPreprocessor {
    private static final String STREAM = "--stream-output";

    private static final Map<String, String> REFUSED =
            Map.ofEntries(
                    Map.entry("--session-len", "a sequence may be as long as the model's context"),
                    Map.entry("--eager-mode", "there are no graphs to turn off"),
                    Map.entry("--enable-prefix-caching", "no prompt's KV blocks are shared"),
                    Map.entry(
                            "--num-tokens-per-iter",
                            "the scheduler's limit is 256 tokens of prompts a step"),
                    Map.entry("--max-prefill-iters", "prompts are computed in chunks as they fit"),
                    Map.entry("--communicator", "ranks have one way to exchange data"),
                    Map.entry("--distributed-executor-backend", "all ranks are in one process"),
                    Map.entry("--dllm-block-length", "there are no diffusion models"),
                    Map.entry("--dllm-unmasking-strategy", "there are no diffusion models"),
                    Map.entry("--dllm-denoising-steps", "there are no diffusion models"),
                    Map.entry("--dllm-confidence-threshold", "there are no diffusion models"),
                    Map.entry("--skip-detokenize", "text is made of every token, as a server does"),
                    Map.entry("--use-uvloop", "there is no Python event loop"),
                    Map.entry("--adapters", "there are no LoRA adapters"));

    @Override
    public boolean preprocess(
            Stack<String> args, CommandSpec command, ArgSpec option, Map<String, Object> info) {
        // The stack's top, its last element, is the next argument.
        List<String> given = new ArrayList<>();
        while (!args.isEmpty()) given.add(args.pop());
        List<String> plain = new ArrayList<>();
        for (int i = 0; i < given.size(); i++) {
            String arg = given.get(i);
            if (!arg.startsWith("--")) {
                plain.add(arg);
                continue;
            }
            int equals = arg.indexOf('=');
            String name = (equals < 0 ? arg : arg.substring(0, equals)).replace('_', '-');
            String value = equals < 0 ? "" : arg.substring(equals);
            if (REFUSED.containsKey(name)) {
                throw new ParameterException(
                        command.commandLine(),
                        "%s has no like here: %s; leave it out".formatted(name, REFUSED.get(name)));
            }
            if (name.equals("--no-stream-output") || name.equals("--nostream-output")) {
                plain.add(STREAM + "=false");
            } else if (name.equals(STREAM) && equals < 0) {
                boolean valued = i + 1 < given.size() && isBoolean(given.get(i + 1));
                plain.add(STREAM + "=" + (valued ? given.get(++i) : "true"));
            } else {
                plain.add(name + value);
            }
        }
        for (int i = plain.size() - 1; i >= 0; i--) args.push(plain.get(i));
        return false;
    }

    private static boolean isBoolean(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        return lower.equals("true") || lower.equals("false");
    }
}
