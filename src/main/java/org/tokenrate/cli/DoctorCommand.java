package org.tokenrate.cli;

import java.util.concurrent.Callable;
import org.tokenrate.doctor.Doctor;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code doctor}: what this machine can run, and what may disturb a measurement. */
@Command(
        name = "doctor",
        sortOptions = false,
        description = {
            "Tells what this machine can run, and what may disturb a measurement.",
            "",
            "Lists the machine, the engines that can run on it and why others cannot, what"
                    + " engine=auto stands for, and the folders. Changes nothing.",
            ""
        },
        footer = {"", "Examples", "  doctor"},
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {"0:the engine that auto stands for can run", "1:it cannot"})
final class DoctorCommand implements Callable<Integer> {
    @Mixin private ResultsOption results;

    @Mixin private HelpOption help;

    @Override
    public Integer call() {
        Doctor.report(results.folder()).forEach(System.out::println);
        return Doctor.isWell() ? Main.OK : Main.FAILED;
    }
}
