package org.tokenrate.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** {@code --results} of a subcommand, as a mixin. */
final class ResultsOption {
    @Option(
            names = "--results",
            paramLabel = "DIR",
            defaultValue = "${sys:tokenrate.results:-results}",
            description = "base folder of results (${DEFAULT-VALUE})")
    private Path folder;

    Path folder() {
        return folder;
    }
}
