package org.tokenrate.report;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.nio.file.Path;

/** What is said of a file that is not JSON. */
public final class BadJson {
    private BadJson() {}

    /** One sentence, with the place where the parser knows it; of a limit passed it does not. */
    public static IOException in(Path file, JsonProcessingException e) {
        JsonLocation at = e.getLocation();
        String place =
                at == null
                        ? ""
                        : "line %d, column %d: ".formatted(at.getLineNr(), at.getColumnNr());
        // Where a bracket was opened is told with a source that the parser keeps to itself.
        String message = e.getOriginalMessage().replaceFirst(" \\(start marker at .*", "");
        return new IOException(file + " is not JSON: " + place + message, e);
    }
}
