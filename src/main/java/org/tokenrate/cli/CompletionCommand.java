package org.tokenrate.cli;

import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.tokenrate.run.RequestParameters;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Spec;

/** {@code completion}: a shell function {@code tokenrate} whose words complete by the tab key. */
@Command(
        name = "completion",
        sortOptions = false,
        description = {
            "Prints a script for bash or zsh: the command tokenrate, with completion.",
            "",
            "The command stands for java -jar and the path of this jar."
        },
        footer = {
            "",
            "Examples",
            "  source <(java -jar target/benchmarks.jar completion)",
            "  tokenrate comp<TAB>",
            "  tokenrate RequestThroughput -p conc<TAB>",
            "To keep it: java -jar target/benchmarks.jar completion >> ~/.bashrc",
        },
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {"0:the script was printed"})
final class CompletionCommand implements Callable<Integer> {
    private static final String FUNCTION = "tokenrate";

    /** JMH's options that a run mostly takes, and ours beside them. */
    private static final List<String> JMH_OPTIONS =
            List.of("-f", "-i", "-wi", "-prof", "-h", "-l", "-lp", "-lprof", "-v", "--results");

    @Spec private CommandSpec spec;
    @Mixin private HelpOption help;

    @Override
    public Integer call() throws URISyntaxException {
        CommandLine root = RootCommand.commandLine();
        for (String name : JMH_OPTIONS) {
            root.getCommandSpec().addOption(OptionSpec.builder(name).arity("0").build());
        }
        List<String> parameters = new ArrayList<>();
        for (String name : RequestParameters.names()) parameters.add(name + "=");
        root.getCommandSpec()
                .addOption(
                        OptionSpec.builder("-p")
                                .type(String.class)
                                .completionCandidates(parameters)
                                .build());
        var out = spec.commandLine().getOut();
        out.println(FUNCTION + "() { " + program() + " \"$@\"; }");
        out.print(AutoComplete.bash(FUNCTION, root));
        out.flush();
        return Main.OK;
    }

    private static String program() throws URISyntaxException {
        Path here = Path.of(Main.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        return Files.isRegularFile(here)
                ? "java -jar " + quoted(here.toAbsolutePath().toString())
                : "java -cp "
                        + quoted(System.getProperty("java.class.path"))
                        + " "
                        + Main.class.getName();
    }

    private static String quoted(String text) {
        return "'" + text.replace("'", "'\\''") + "'";
    }
}
