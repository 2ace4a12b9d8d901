package org.tokenrate.cli;

import picocli.CommandLine.Option;

/** {@code -h} of a subcommand, as a mixin. */
final class HelpOption {
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "shows this")
    private boolean help;
}
