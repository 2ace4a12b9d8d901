package org.tokenrate.device.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A kernel's source with the headers that it includes, from this package's resources.
 *
 * @param file its name, e.g. norm.cu
 * @param headers text of each header by its name, in the order in which they are first included
 */
record KernelSource(String file, String text, Map<String, String> headers) {
    private static final Pattern INCLUDE = Pattern.compile("(?m)^\\s*#include\\s+\"([^\"]+)\"");

    static KernelSource read(String file) {
        String text = resource(file);
        Map<String, String> headers = new LinkedHashMap<>();
        addHeaders(text, headers);
        return new KernelSource(file, text, headers);
    }

    private static void addHeaders(String text, Map<String, String> headers) {
        for (Matcher m = INCLUDE.matcher(text); m.find(); ) {
            String name = m.group(1);
            if (headers.containsKey(name)) continue;
            String header = resource(name);
            headers.put(name, header);
            addHeaders(header, headers);
        }
    }

    private static String resource(String name) {
        try (InputStream in = KernelSource.class.getResourceAsStream(name)) {
            if (in == null) throw new IllegalStateException("no resource " + name);
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
